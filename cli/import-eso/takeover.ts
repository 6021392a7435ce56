import { EXTERNAL_SECRETS_LABEL, isAppliedBy } from "../../shared/assess/check-owner.ts";
import { fieldsOfPreviousOperator } from "../../shared/assess/keys.ts";
import type { RelayMetadata } from "../../shared/bindings/relay-identity.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import {
  annotationField,
  appliedFields,
  keyOfField,
  labelField,
} from "../../shared/cluster/managed-fields.ts";

/** Where a Secret is on its way from External Secrets Operator to the relay (docs/migrate-from-eso.md, "Take over"). */
export type TakeoverStep =
  /** The operator owns it, or will own it at its next refresh. */
  | "owned"
  /** The operator has let go of it; the relay has not written it yet. */
  | "released"
  /** The relay writes it; its ExternalSecret still exists, or may exist. */
  | "taken"
  /** The ExternalSecret is gone; labels, annotations or keys of the operator are left. */
  | "leftovers"
  | "finished";

/** The ExternalSecret of a Secret; `unknown` if it cannot be listed, or if several write the Secret. */
export type ExternalSecretState =
  | {
      readonly kind: "exists";
      readonly name: string;
      readonly creationPolicy: string;
      /** A finalizer of the operator blocks its deletion. */
      readonly isBeingDeleted: boolean;
      /** The ClusterExternalSecret that makes it. */
      readonly madeBy?: string;
    }
  | { readonly kind: "gone" }
  | { readonly kind: "unknown" };

export type Takeover = {
  readonly step: TakeoverStep;
  readonly externalSecret: ExternalSecretState["kind"];
  /** What is left of the operator, by kind and name: `label team`, `annotation note`, `key password`. */
  readonly leftovers: readonly string[];
  /** The commands of the next step, or what has to happen before it. */
  readonly next: readonly string[];
};

/**
 * The step of the takeover at which a Secret is; undefined for a Secret that neither the operator nor the relay writes.
 * Pure. `isSame`: the Secret equals the result of its binding. Until then the operator keeps it.
 */
export function takeoverOf(
  live: LiveMetadata,
  externalSecret: ExternalSecretState,
  {
    ownMetadata,
    isSame,
    isPublished,
  }: {
    readonly ownMetadata: RelayMetadata;
    readonly isSame: boolean;
    /** The published bindings contain the Secret; undefined: unknown. */
    readonly isPublished?: boolean | undefined;
  },
): Takeover | undefined {
  const left = leftoversOf(live, ownMetadata);
  const step = stepOf(live, externalSecret, { hasLeftovers: left.length > 0, ownMetadata });
  if (step === undefined) return undefined;
  const leftovers = left.map(({ kind, name }) => `${kind} ${name}`);
  const isBlocked = !isSame && (step === "owned" || step === "released");
  const commands = isBlocked ? [] : nextOf(step, live, externalSecret, left);
  const next = step === "owned" && commands.length > 0 ? publishFirst(commands, isPublished) : commands;
  return { step, externalSecret: externalSecret.kind, leftovers, next };
}

function stepOf(
  live: LiveMetadata,
  externalSecret: ExternalSecretState,
  { hasLeftovers, ownMetadata }: { hasLeftovers: boolean; ownMetadata: RelayMetadata },
): TakeoverStep | undefined {
  if (live.controller !== undefined) return live.controller.kind === "ExternalSecret" ? "owned" : undefined;
  const exists = externalSecret.kind === "exists";
  if (exists && externalSecret.creationPolicy === "Owner") return "owned";
  if (!isAppliedBy(live, ownMetadata)) return exists || hasLeftovers ? "released" : undefined;
  if (exists || (externalSecret.kind === "unknown" && hasLeftovers)) return "taken";
  return hasLeftovers ? "leftovers" : "finished";
}

/** Once the operator has let go of a Secret, only published bindings keep it in step with its source. */
function publishFirst(commands: readonly string[], isPublished: boolean | undefined): readonly string[] {
  if (isPublished === true) return commands;
  const publish = "secret-relay publish";
  return isPublished === false
    ? [publish]
    : [`${publish} # unless these bindings are published`, ...commands];
}

function nextOf(
  step: TakeoverStep,
  { namespace, name }: LiveMetadata,
  external: ExternalSecretState,
  left: readonly Leftover[],
): readonly string[] {
  const sync = [`secret-relay sync ${namespace}/${name}`];
  switch (step) {
    case "owned":
      return external.kind === "exists" ? release(external, namespace) : [findIt(namespace)];
    case "released":
      return sync;
    case "taken":
      return external.kind === "exists" ? deletion(external, namespace) : [findIt(namespace)];
    case "leftovers":
      return left.some(({ kind }) => kind === "key") ? sync : cleanUp(`secret ${name} -n ${namespace}`, left);
    case "finished":
      return [];
  }
}

type Existing = Extract<ExternalSecretState, { kind: "exists" }>;

function release({ name, creationPolicy, madeBy }: Existing, namespace: string): readonly string[] {
  if (creationPolicy !== "Owner") {
    return [
      `wait until the operator removes its owner reference: kubectl describe externalsecret ${name} -n ${namespace}`,
    ];
  }
  const target = { target: { creationPolicy: "Orphan" } };
  const patch = (what: string, spec: object) =>
    `kubectl patch ${what} --type merge -p '${JSON.stringify({ spec })}'`;
  return [
    madeBy === undefined
      ? patch(`externalsecret ${name} -n ${namespace}`, target)
      : patch(`clusterexternalsecret ${madeBy}`, { externalSecretSpec: target }),
  ];
}

function deletion({ name, isBeingDeleted, madeBy }: Existing, namespace: string): readonly string[] {
  if (isBeingDeleted) {
    return [
      `wait until the operator removes its finalizer: kubectl describe externalsecret ${name} -n ${namespace}`,
    ];
  }
  return [
    madeBy === undefined
      ? `kubectl delete externalsecret ${name} -n ${namespace} # ${WHEN_TAKEN}`
      : `kubectl delete clusterexternalsecret ${madeBy} # ${WHEN_TAKEN}`,
  ];
}

const WHEN_TAKEN = "when every Secret you take over is taken";

const findIt = (namespace: string): string =>
  `find its ExternalSecret: kubectl get externalsecrets -n ${namespace}`;

function cleanUp(secret: string, left: readonly Leftover[]): readonly string[] {
  const removalOf = (kind: Leftover["kind"]) =>
    left.filter((each) => each.kind === kind).map((each) => `${each.name}-`);
  const [labels, annotations] = [removalOf("label"), removalOf("annotation")];
  return [
    ...(annotations.length > 0 ? [`kubectl annotate ${secret} ${annotations.join(" ")}`] : []),
    ...(labels.length > 0 ? [`kubectl label ${secret} ${labels.join(" ")}`] : []),
  ];
}

type Leftover = { readonly kind: "label" | "annotation" | "key"; readonly name: string };

/** The operator's own metadata, and what it still owns although the relay does not write it. */
function leftoversOf(live: LiveMetadata, { fieldManager }: RelayMetadata): readonly Leftover[] {
  const previous = fieldsOfPreviousOperator(live);
  const applied = appliedFields(live.managedFields, fieldManager);
  const leftOf = (
    kind: "label" | "annotation",
    map: Readonly<Record<string, string>>,
    fieldOf: (name: string) => string,
  ) =>
    Object.keys(map)
      .filter(
        (name) =>
          name.startsWith(OPERATOR_PREFIX) || (previous.has(fieldOf(name)) && !applied.has(fieldOf(name))),
      )
      .map((name) => ({ kind, name }));
  const keys = [...previous].flatMap((field) => keyOfField(field) ?? []);
  const all: Leftover[] = [
    ...keys.map((name) => ({ kind: "key" as const, name })),
    ...leftOf("label", live.labels, labelField),
    ...leftOf("annotation", live.annotations, annotationField),
  ];
  return all
    .filter(({ name }) => QUALIFIED_NAME.test(name))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

const OPERATOR_PREFIX = EXTERNAL_SECRETS_LABEL.replace(/managed$/, "");

/** What Kubernetes accepts as a name of a label, an annotation or a key. managedFields may name anything else. */
const QUALIFIED_NAME = /^[A-Za-z0-9._/-]{1,317}$/;
