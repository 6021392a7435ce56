import { ANNOTATIONS } from "../../shared/render/ownership-marks.ts";
import type { Ledger, Source } from "../ledger.ts";
import { type Fleet, keyOfTarget, type Target } from "../world/fleet.ts";
import type { SecretRecord, World } from "../world/world.ts";
import { findBrokenPromises } from "./kept-promises.ts";
import { findDisorder, type Landing } from "./landing-order.ts";
import type { Violation } from "./violation.ts";
import type { Witness } from "./witness.ts";

type Case = {
  readonly ledger: Ledger;
  readonly witness: Witness;
  readonly staleMs: number;
  /** Deletions by hand, by target. */
  readonly byHand: ReadonlyMap<string, number>;
};

/** Goes through all that the API servers have recorded of every target, once everything has settled. */
export async function judgeHistory(world: World, fleet: Fleet, found: Case): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const { key: cluster, history } of world.clusters) {
    const targets = fleet.targets.filter((target) => target.cluster === cluster);
    const byName = Map.groupBy(await history(targets), ({ namespace, name }) => `${namespace}/${name}`);
    for (const target of targets) {
      const records = byName.get(`${target.namespace}/${target.name}`) ?? [];
      const source = found.ledger.get(target.source);
      violations.push(
        ...judgeOrder(target, source, records, found),
        ...judgePromises(target, source, found),
        ...judgeDeletions(target, records, found),
        ...judgeEnd(target, source, records),
        ...judgeNotes(target, source, records, found),
      );
    }
  }
  return violations;
}

function judgeOrder(
  target: Target,
  { moves, passwords }: Source,
  records: readonly SecretRecord[],
  { witness }: Case,
): Violation[] {
  const versions = new Map([...passwords].map(([versionId, password]) => [password, versionId]));
  const landings = records.flatMap((record): Landing[] => {
    const versionId = versions.get(passwordOf(record) ?? "");
    if (record.type === "DELETED" || versionId === undefined) return []; // tampered with, or gone
    // A state that nobody of us was answered for happened no later than now.
    const at =
      witness.acceptedAt.get(`${target.cluster} ${record.resourceVersion}`) ?? Number.POSITIVE_INFINITY;
    return [{ versionId, uid: record.uid, at }];
  });
  return findDisorder(moves, landings).map(({ landing, after, why }) => ({
    rule: "order",
    what: `${keyOfTarget(target)}: version ${landing.versionId.slice(0, 8)} landed ${why === "older" ? `after move ${after} of ${moves.length}` : "before it was current"}`,
  }));
}

function judgePromises(target: Target, source: Source, { witness, staleMs }: Case): Violation[] {
  const key = keyOfTarget(target);
  const successes = (witness.successes.get(key) ?? []).filter(
    ({ startedAt }) => source.deletedAt === undefined || startedAt < source.deletedAt,
  );
  const held = witness.held.get(key) ?? [];
  const broken = findBrokenPromises(source.moves, held, successes, staleMs);
  return broken.map(() => ({
    rule: "promise",
    what: `${key}: an invocation succeeded and had not brought what was current when it began`,
  }));
}

function judgeDeletions(
  target: Target,
  records: readonly SecretRecord[],
  { witness, byHand }: Case,
): Violation[] {
  const key = keyOfTarget(target);
  const recorded = records.filter(({ type }) => type === "DELETED").length;
  const known = (byHand.get(key) ?? 0) + (witness.deletions.get(key) ?? 0);
  return recorded > known
    ? [{ rule: "deletion", what: `${key} was deleted ${recorded} times, and ${known} are known of` }]
    : [];
}

function judgeEnd(target: Target, source: Source, records: readonly SecretRecord[]): Violation[] {
  const last = records.at(-1);
  const isThere = last !== undefined && last.type !== "DELETED";
  const key = keyOfTarget(target);
  if (source.deletedAt !== undefined) {
    if (!target.isDeletable) return [];
    return isThere ? [{ rule: "settled", what: `${key} is still there, and its source is gone` }] : [];
  }
  if (!isThere) return [{ rule: "settled", what: `${key} is not there` }];
  const current = source.moves.at(-1)?.versionId ?? "";
  const isCurrent = passwordOf(last) === source.passwords.get(current);
  return isCurrent ? [] : [{ rule: "settled", what: `${key} does not hold AWSCURRENT` }];
}

/** Annotations are told apart from data nowhere in a Secret's history, so both are looked at in every state of it. */
function judgeNotes(
  target: Target,
  { passwords }: Source,
  records: readonly SecretRecord[],
  { witness }: Case,
): Violation[] {
  const key = keyOfTarget(target);
  for (const { annotations } of records) witness.leaks.see("annotations", JSON.stringify(annotations));
  const isWrong = records.some((record) => {
    const noted = passwords.get(record.annotations[ANNOTATIONS.versionId] ?? "");
    const password = passwordOf(record);
    return [...passwords.values()].includes(password ?? "") && noted !== password;
  });
  return isWrong
    ? [{ rule: "annotation", what: `${key} was annotated with another version than it held` }]
    : [];
}

function passwordOf({ data }: SecretRecord): string | undefined {
  return data.password === undefined ? undefined : Buffer.from(data.password, "base64").toString();
}
