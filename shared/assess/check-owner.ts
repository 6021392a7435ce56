import { managingRelays, type RelayMetadata } from "../bindings/relay-identity.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { isApplyOf } from "../cluster/managed-fields.ts";
import { sanitizeName } from "../cluster/sanitize-name.ts";
import { type CodeOfRefusal, type FindingCode, REFUSALS } from "./catalogue.ts";
import type { AssessRules, Observation } from "./observation.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

/** Refuses a Secret that another owner manages. */
export function checkOwner(observation: Observation, { ownMetadata }: AssessRules): Verdict | undefined {
  const { binding, live: target } = observation;
  if (target.kind !== "found") return undefined;
  const live = target.secret;
  const refuse = (finding: FindingCode, code: CodeOfRefusal, advice: string = REFUSALS[code]): Verdict =>
    verdictOn(observation, { finding, action: "refuse", code, advice });

  if (live.isBeingDeleted) return refuse("BEING_DELETED", "TARGET_BEING_DELETED");
  if (live.controller !== undefined) {
    const needsAdopt = !binding.adopt && !isAppliedBy(live, ownMetadata);
    const advice = adviceOnController(live.controller, needsAdopt);
    return refuse("OWNED_BY_CONTROLLER", "TARGET_OWNED_BY_CONTROLLER", advice);
  }
  const other = otherRelay(live, binding.ownership, ownMetadata);
  if (other !== undefined) {
    const advice = `Relay ${sanitizeName(other)}. ${REFUSALS.TARGET_OWNED_BY_ANOTHER_RELAY}`;
    return refuse("OWNED_BY_ANOTHER_RELAY", "TARGET_OWNED_BY_ANOTHER_RELAY", advice);
  }
  if (isAppliedBy(live, ownMetadata) || binding.adopt) return undefined;
  // A label without an entry in managedFields may be a copy, so an operator must check it.
  if (live.labels[ownMetadata.managedLabel] === ownMetadata.identity)
    return refuse("UNCLAIMED", "TARGET_UNCLAIMED");
  if (live.labels[EXTERNAL_SECRETS_LABEL] === "true") {
    return refuse("NOT_OURS", "TARGET_OWNED_BY_EXTERNAL_SECRETS");
  }
  // checkDrift refuses to write a key that another manager owns.
  if (binding.ownership === "keys") return undefined;
  const wasOurs = live.annotations[ownMetadata.annotations.versionId] !== undefined;
  return refuse(wasOurs ? "TAKEN_OVER" : "NOT_OURS", "TARGET_NOT_OURS");
}

function adviceOnController(
  { kind, name }: NonNullable<LiveMetadata["controller"]>,
  needsAdopt: boolean,
): string {
  const owner = `${sanitizeName(kind)} ${sanitizeName(name)}`;
  const release =
    kind === "ExternalSecret" ? `Set creationPolicy: Orphan on ${owner}` : `Make ${owner} release the Secret`;
  const adopt = needsAdopt ? ", and set adopt: true on the binding" : "";
  return `${REFUSALS.TARGET_OWNED_BY_CONTROLLER} ${release}${adopt}.`;
}

/** A whole Secret belongs to one relay. Under `ownership: keys` several relays share it, each with its own label. */
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

/** The relay has an Apply entry in managedFields. */
export function isAppliedBy({ managedFields }: LiveMetadata, { fieldManager }: RelayMetadata): boolean {
  return managedFields.some((entry) => isApplyOf(entry, fieldManager));
}

/** A condition for every deletion: the Secret has the relay's identity and fields, and no controller. */
export function isManagedBy(live: LiveMetadata, ownMetadata: RelayMetadata): boolean {
  return (
    live.labels[ownMetadata.managedLabel] === ownMetadata.identity &&
    isAppliedBy(live, ownMetadata) &&
    live.controller === undefined
  );
}

/** External Secrets Operator sets it on every Secret that it owns (2.9.0). */
export const EXTERNAL_SECRETS_LABEL = "reconcile.external-secrets.io/managed";

/** The tool that tracks the Secret, and its name for it: after an adoption, the tool would overwrite the relay. */
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
