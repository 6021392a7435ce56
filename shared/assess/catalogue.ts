import type { TargetRef } from "../bindings/binding.ts";

/**
 * Every finding, with its meaning, the response of the relay and the remedy of an operator. CLI output, report page, log
 * advice, alarms and docs take their text from here. Alarms, the runbook and scripts rely on the codes.
 */
export type CatalogueEntry = {
  readonly meaning: string;
  readonly response: string;
  readonly remedy: string;
  readonly command?: (about: About) => string;
  /** `values`: only a comparison of the values finds it. */
  readonly shownBy: "metadata" | "values";
};

export type About = { readonly target: TargetRef; readonly source: string };

const sync = ({ target: { namespace, name } }: About) => `secret-relay sync ${namespace}/${name}`;
const inspect = ({ target: { namespace, name } }: About) =>
  `kubectl get secret ${name} --namespace ${namespace} --show-managed-fields -o yaml`;
const remove = ({ target: { namespace, name } }: About) =>
  `kubectl delete secret ${name} --namespace ${namespace}`;
const owners = ({ target: { namespace, name } }: About) =>
  `kubectl get secret ${name} --namespace ${namespace} -o jsonpath={.metadata.ownerReferences}`;
const pods = ({ target: { namespace } }: About) => `kubectl get pods --namespace ${namespace}`;
const claim = ({ target: { namespace, name } }: About) => `secret-relay claim ${namespace}/${name}`;
const describe = ({ source }: About) => `aws secretsmanager describe-secret --secret-id ${source}`;

export const FINDINGS = {
  MISSING: {
    meaning: "The bound Secret does not exist in the cluster.",
    response: "Creates it.",
    remedy: "None for a new binding. If the Secret keeps disappearing, find out what deletes it.",
    command: sync,
    shownBy: "metadata",
  },
  STALE: {
    meaning: "The Secret holds a version that is no longer current.",
    response: "Writes the current version.",
    remedy: "If it recurs, events do not arrive: see the runbook, section 'No event arrives'.",
    command: sync,
    shownBy: "metadata",
  },
  TAMPERED: {
    meaning: "Another field manager changed or removed fields that the relay applied.",
    response: "Restores them. After three times within an hour, sweeps stop (CONTESTED).",
    remedy: "To keep an edit during an incident, hold the Secret. Otherwise stop the other manager.",
    command: sync,
    shownBy: "metadata",
  },
  TAKEN_OVER: {
    meaning: "Other field managers own every key that the relay applied.",
    response: "Takes the keys back.",
    remedy: "Stop the other manager, or remove the binding if that manager is to keep the Secret.",
    command: sync,
    shownBy: "metadata",
  },
  UNCLAIMED: {
    meaning:
      "The Secret has this relay's label, but managedFields no longer names the relay. A restore from a backup causes this.",
    response: "Does not write it.",
    remedy: "Check its keys and values, then claim it.",
    command: claim,
    shownBy: "metadata",
  },
  FINGERPRINT_CHANGED: {
    meaning: "The binding changed since the relay last applied the Secret.",
    response: "Applies the new rules.",
    remedy: "None: this is the normal result of a change to the bindings.",
    command: sync,
    shownBy: "metadata",
  },
  VALUE_DIFFERS: {
    meaning: "The metadata of the Secret is correct, but its values differ from the source.",
    response: "Writes the values.",
    remedy: "Find out which client wrote managedFields: ordinary edits do not cause this.",
    command: sync,
    shownBy: "values",
  },
  FOREIGN_KEYS: {
    meaning: "The Secret holds keys that the relay did not write.",
    response: "Reports them, or removes them with foreignKeys: remove.",
    remedy: "Remove them, add them to the source, or set foreignKeys: remove.",
    command: inspect,
    shownBy: "metadata",
  },
  ORPHAN: {
    meaning: "The relay created this Secret, but no binding names it any more.",
    response: "Keeps it, or deletes it after the grace period with deletionPolicy: delete.",
    remedy: "Delete it when no workload reads it any more.",
    command: remove,
    shownBy: "metadata",
  },
  SOURCE_MISSING: {
    meaning: "The source does not exist in Secrets Manager.",
    response: "Keeps the Secret, or deletes it after the grace period with deletionPolicy: delete.",
    remedy: "Create or restore the source, or correct the binding.",
    command: ({ source }) => `aws secretsmanager create-secret --name ${source}`,
    shownBy: "metadata",
  },
  SOURCE_WITHOUT_VALUE: {
    meaning: "The source exists, but has no current value.",
    response: "Keeps the Secret in any case.",
    remedy: "Put a value into the source.",
    command: describe,
    shownBy: "metadata",
  },
  SOURCE_SCHEDULED_FOR_DELETION: {
    meaning: "The source is scheduled for deletion and can still be restored.",
    response: "Keeps the Secret in any case.",
    remedy: "Restore the source, or remove the binding.",
    command: ({ source }) => `aws secretsmanager restore-secret --secret-id ${source}`,
    shownBy: "metadata",
  },
  VERSION_MISSING: {
    meaning: "No version has the staging label in the binding, or the pinned version is gone.",
    response: "Keeps the Secret in any case.",
    remedy: "Set the label, or correct stage or versionId in the binding.",
    command: describe,
    shownBy: "metadata",
  },
  VERSION_DEPRECATED: {
    meaning: "The pinned version has no staging label, so Secrets Manager may delete it.",
    response: "Keeps the Secret.",
    remedy: "Give that version a staging label of your own, or pin another.",
    command: describe,
    shownBy: "metadata",
  },
  NOT_OURS: {
    meaning: "A Secret of that name exists, and the relay did not create it.",
    response: "Does not write it, or takes it over with adopt: true.",
    remedy: "Set adopt: true on the binding, or choose another name.",
    command: inspect,
    shownBy: "metadata",
  },
  OWNED_BY_CONTROLLER: {
    meaning: "A controller reconciles the Secret.",
    response: "Does not write it, even with adopt: true.",
    remedy: "Remove the binding, or make that controller release the Secret.",
    command: owners,
    shownBy: "metadata",
  },
  OWNED_BY_ANOTHER_RELAY: {
    meaning: "The Secret belongs to another installation of the relay.",
    response: "Does not write it, even with adopt: true.",
    remedy: "Bind it in one relay only, or claim it if that installation no longer exists.",
    command: claim,
    shownBy: "metadata",
  },
  TYPE_DIFFERS: {
    meaning: "The type of the Secret differs from the binding, and Kubernetes cannot change a type.",
    response: "Does not write it.",
    remedy: "Correct the type in the binding, or delete the Secret so that the relay recreates it.",
    command: remove,
    shownBy: "metadata",
  },
  IMMUTABLE: {
    meaning: "The Secret is immutable, so it cannot follow its source.",
    response: "Does not write it, or deletes and recreates it with onChange: replace.",
    remedy: "Delete the Secret so that the relay recreates it, or bind the source to a new name.",
    command: remove,
    shownBy: "metadata",
  },
  BEING_DELETED: {
    meaning: "The Secret is being deleted, and a finalizer blocks the deletion.",
    response: "Recreates it after the deletion.",
    remedy: "Find out why the finalizer is not removed.",
    command: inspect,
    shownBy: "metadata",
  },
  ROLLOUT_STUCK: {
    meaning:
      "The Secret is in order, but a workload that the relay restarted does not finish its rollout: Pods may run with the old value.",
    response: "Reports it until the rollout completes. Does not restart the workload again.",
    remedy:
      "Find out why the new Pods do not start. If the new value is wrong, move AWSCURRENT back: the relay then writes the old value and restarts the workload.",
    command: pods,
    shownBy: "metadata",
  },
  PODS_OUTDATED: {
    meaning: "The Secret is in order, but Pods that read it only at their start have an older value.",
    response: "Reports it. With restart in the binding, restarts the workloads.",
    remedy: "Restart the workloads, or set restart on the binding.",
    command: pods,
    shownBy: "metadata",
  },
  UNRENDERABLE: {
    meaning: "The value of the source does not fit the binding.",
    response: "Does not write the Secret; `code` says why.",
    remedy: "Correct the keys in the binding, or the value.",
    shownBy: "values",
  },
} as const satisfies Record<string, CatalogueEntry>;

export type FindingCode = keyof typeof FINDINGS;

/** The advice for each reason why the relay does not write a Secret despite a finding. */
export const REFUSALS = {
  TARGET_NOT_OURS:
    "Another field manager created this Secret. Set adopt: true on the binding to take it over, ownership: keys to add keys to it, or choose another name.",
  TARGET_OWNED_BY_EXTERNAL_SECRETS:
    "External Secrets Operator manages this Secret. Set creationPolicy: Orphan on its ExternalSecret, then adopt: true on the binding, then delete the ExternalSecret.",
  TARGET_OWNED_BY_CONTROLLER: "The owner of this Secret would overwrite the relay's changes.",
  TARGET_OWNED_BY_ANOTHER_RELAY:
    "Another relay manages this Secret. Remove one of the two bindings, or run secret-relay claim if that relay no longer exists.",
  TARGET_UNCLAIMED:
    "The Secret has this relay's label, but managedFields does not name the relay. Check its keys and values, then run secret-relay claim, or set adopt: true on the binding.",
  TARGET_TYPE_DIFFERS:
    "Kubernetes cannot change the type of a Secret. Correct the type in the binding, or delete the Secret so that the relay recreates it.",
  TARGET_IMMUTABLE:
    "The Secret is immutable, so its data cannot follow the source. Delete it so that the relay recreates it, or bind the source to a new name.",
  TARGET_BEING_DELETED:
    "A finalizer blocks the deletion of this Secret. Once it is gone, the next sweep recreates it.",
  FIELD_OWNED_BY_ANOTHER:
    "Another field manager owns a field that the relay never applied. Stop that manager from writing it, or set adopt: true on the binding to take it over.",
  HELD: "An operator holds this Secret: the relay does not write it until the hold ends. To release it, run secret-relay hold --release, or remove the annotation secret-relay/hold-until.",
  CONTESTED:
    "Another field manager keeps changing this Secret: the relay restored it three times within an hour. Stop that manager, then run secret-relay claim. Rotations are still written.",
  // A rotation has no permission to describe a secret, and GetSecretValue returns the same error in both cases.
  SOURCE_MISSING:
    "Secrets Manager has no such secret. Create or restore it, or correct the binding. If the secret exists, it has no current value: put one into it.",
  SOURCE_WITHOUT_VALUE: "The source has no current value. Put a value into it.",
  SOURCE_SCHEDULED_FOR_DELETION:
    "The source is scheduled for deletion. Restore it (aws secretsmanager restore-secret), or remove its binding.",
  VERSION_MISSING:
    "No version has the staging label in the binding, or the pinned version is gone. Set the label, or correct stage or versionId.",
} as const satisfies Record<string, string>;

export type CodeOfRefusal = keyof typeof REFUSALS;

/** The remedy for a finding, with its command, as every view prints it. */
export function remedyFor(finding: FindingCode, about: About): { remedy: string; command?: string } {
  const { remedy, command }: CatalogueEntry = FINDINGS[finding];
  return { remedy, ...(command && { command: command(about) }) };
}
