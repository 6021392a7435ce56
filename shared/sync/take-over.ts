import { type Claim, claimOf } from "../assess/claim.ts";
import { notedKeys } from "../assess/keys.ts";
import type { AssessRules } from "../assess/observation.ts";
import type { Binding } from "../bindings/binding.ts";
import { parseIdentity, type RelayMetadata, relayMetadata } from "../bindings/relay-identity.ts";
import { claimOwnership } from "../cluster/claim-ownership.ts";
import { FenceConflict } from "../cluster/errors.ts";
import type { LiveSecret } from "../cluster/live-secret.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { SyncCluster } from "./sync-source.ts";

export type TakeOver = {
  readonly binding: Binding;
  readonly rules: AssessRules;
  /** The identity of the relay that owns the Secret, if its label is another relay's. */
  readonly from: string | undefined;
  readonly budget: TimeBudget;
};

/**
 * Gives this relay ownership of a bound Secret: its label, its annotations and its entry in managedFields. The data is
 * left to a sync. Each step patches the metadata of the assessed state only, then the Secret is read and assessed again,
 * so that an interrupted claim can be repeated.
 */
export async function takeOver(cluster: SyncCluster, request: TakeOver): Promise<Claim> {
  const { binding, rules, from, budget } = request;
  let first: Claim | undefined;
  for (let step = 1; step <= STEPS_MAX; step += 1) {
    const live = await cluster.readSecret(binding.target, budget);
    if (live === undefined) return { kind: "none" };
    const claim = claimOf(live, binding, rules, from);
    first ??= claim;
    if (claim.kind === "refused") return claim;
    if (claim.kind === "none") return first;
    try {
      const metadata = patchFor(claim, live, request);
      await cluster.patchMetadata(live, { metadata, fieldManager: rules.ownMetadata.fieldManager }, budget);
    } catch (error) {
      if (!(error instanceof FenceConflict)) throw error; // another client wrote first: assess again
    }
  }
  throw new FenceConflict(`Secret ${binding.target.namespace}/${binding.target.name}`);
}

/** Label and annotations, ownership, and the take-back count are three steps; the others are for conflicts. */
const STEPS_MAX = 8;

function patchFor(
  claim: Claim,
  live: LiveSecret,
  { binding, rules: { ownMetadata, now }, from }: TakeOver,
): object {
  if (claim.kind === "relay") return renameAnnotations(live, ownMetadata, claim.from);
  if (claim.kind === "contested") return { annotations: { [ownMetadata.annotations.takeBacks]: null } };
  const former = from === undefined ? undefined : parseIdentity(from)?.name;
  const own = new Set([...Object.values(ownMetadata.annotations), ...Object.keys(binding.annotations)]);
  const labels = [ownMetadata.managedLabel, ...Object.keys(binding.labels)];
  const fields = {
    keys: notedKeys(live, ownMetadata).filter((key) => live.data.has(key)),
    labels: labels.filter((label) => Object.hasOwn(live.labels, label)),
    annotations: Object.keys(live.annotations).filter((annotation) => own.has(annotation)),
  };
  const how = { ...(former !== undefined && { former }), now };
  return { managedFields: claimOwnership(live.rawManagedFields, fields, ownMetadata.fieldManager, how) };
}

/** Moves the label and annotations of the other relay to this relay's names. */
function renameAnnotations({ annotations }: LiveSecret, ownMetadata: RelayMetadata, from: string): object {
  const identity = parseIdentity(from);
  if (identity === undefined) throw new TypeError("The command checks the identity first");
  const other = relayMetadata(identity);
  const purposes = Object.keys(ownMetadata.annotations) as (keyof RelayMetadata["annotations"])[];
  const removed = Object.values(other.annotations).map((name) => [name, null]);
  const renamed = purposes.flatMap((purpose) => {
    const value = annotations[other.annotations[purpose]];
    return value === undefined ? [] : [[ownMetadata.annotations[purpose], value]];
  });
  // A relay with the same name in another account or Region has the same names, and the values stay.
  return {
    labels: { [other.managedLabel]: null, [ownMetadata.managedLabel]: ownMetadata.identity },
    annotations: {
      ...Object.fromEntries([...removed, ...renamed]),
      [ownMetadata.annotations.takeBacks]: null,
      [ownMetadata.annotations.goneSince]: null,
    },
  };
}
