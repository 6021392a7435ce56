import { managingRelays, type RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { isApplyOf } from "../cluster/managed-fields.ts";
import { sanitizeName } from "../cluster/sanitize-name.ts";
import { type CodeOfRefusal, type FindingCode, REFUSALS } from "./catalogue.ts";
import type { AssessRules, Observation } from "./observation.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

/** Whose Secret it is. Nothing is written that belongs to another. */
export function checkOwner(observation: Observation, { marks }: AssessRules): Verdict | undefined {
  const { binding, live: target } = observation;
  if (target.kind !== "found") return undefined;
  const live = target.secret;
  const refuse = (finding: FindingCode, code: CodeOfRefusal, detail = ""): Verdict =>
    verdictOn(observation, { finding, action: "refuse", code, advice: `${detail}${REFUSALS[code]}` });

  if (live.isBeingDeleted) return refuse("BEING_DELETED", "TARGET_BEING_DELETED");
  if (live.controller !== undefined) {
    const { kind, name } = live.controller;
    const release = kind === "ExternalSecret" ? "Set creationPolicy: Orphan on it. " : "";
    return refuse(
      "OWNED_BY_CONTROLLER",
      "TARGET_OWNED_BY_CONTROLLER",
      `${sanitizeName(kind)} ${sanitizeName(name)} owns it. ${release}`,
    );
  }
  const other = otherRelay(live, binding.ownership, marks);
  if (other !== undefined) {
    return refuse(
      "OWNED_BY_ANOTHER_RELAY",
      "TARGET_OWNED_BY_ANOTHER_RELAY",
      `Relay ${sanitizeName(other)}. `,
    );
  }
  if (isAppliedBy(live, marks) || binding.adopt) return undefined;
  // Marks without an entry in managedFields: anyone could have copied them, so a person must look.
  if (live.labels[marks.managedLabel] === marks.identity) return refuse("UNCLAIMED", "TARGET_UNCLAIMED");
  if (live.labels[EXTERNAL_SECRETS_LABEL] === "true") {
    return refuse("NOT_OURS", "TARGET_OWNED_BY_EXTERNAL_SECRETS");
  }
  // A key that the relay wants and another manager owns is refused when it is written.
  if (binding.ownership === "keys") return undefined;
  const wasOurs = live.annotations[marks.annotations.versionId] !== undefined;
  return refuse(wasOurs ? "TAKEN_OVER" : "NOT_OURS", "TARGET_NOT_OURS");
}

/** A Secret as a whole belongs to one relay. Under `ownership: keys` several relays share it, each with its own marks. */
function otherRelay(
  { labels }: LiveMetadata,
  ownership: "keys" | undefined,
  { identity, managedLabel }: RelayMetadata,
): string | undefined {
  if (ownership === "keys") {
    const holder = labels[managedLabel];
    return holder === undefined || holder === identity ? undefined : holder;
  }
  return managingRelays(labels).find((holder) => holder !== identity);
}

/** The relay has an entry of its own in managedFields. */
export function isAppliedBy({ managedFields }: LiveMetadata, { fieldManager }: RelayMetadata): boolean {
  return managedFields.some((entry) => isApplyOf(entry, fieldManager));
}

/** The least that a Secret must have for the relay to delete it: its identity, its fields, and no controller. */
export function isManagedBy(live: LiveMetadata, marks: RelayMetadata): boolean {
  return (
    live.labels[marks.managedLabel] === marks.identity &&
    isAppliedBy(live, marks) &&
    live.controller === undefined
  );
}

/** External Secrets Operator puts it on every Secret that it owns (2.9.0). */
const EXTERNAL_SECRETS_LABEL = "reconcile.external-secrets.io/managed";

/** Which tool tracks the Secret, and under which name: after an adoption the two fight unless that tool lets go. */
export function trackerOf({ labels, annotations }: LiveMetadata): string | undefined {
  for (const [tool, from, key] of TRACKERS) {
    const name = (from === "label" ? labels : annotations)[key];
    if (name !== undefined) return `${tool} ${sanitizeName(name.split(":")[0] ?? "")}`;
  }
  return undefined;
}

const TRACKERS = [
  ["Argo CD", "annotation", "argocd.argoproj.io/tracking-id"],
  ["Argo CD", "label", "argocd.argoproj.io/instance"],
  ["Flux", "label", "kustomize.toolkit.fluxcd.io/name"],
  ["Flux", "label", "helm.toolkit.fluxcd.io/name"],
  ["Helm", "annotation", "meta.helm.sh/release-name"],
] as const;
