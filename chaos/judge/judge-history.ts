import type { Ledger, Source } from "../ledger.ts";
import { type Fleet, keyOfPart, keyOfTarget, type Part, partsOf, type Target } from "../world/fleet.ts";
import type { SecretRecord, World } from "../world/world.ts";
import { findBrokenPromises } from "./kept-promises.ts";
import { findDisorder, type Landing } from "./landing-order.ts";
import type { Violation } from "./violation.ts";
import { notedVersion, type Witness } from "./witness.ts";

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
      violations.push(...judgeDeletions(target, records, found));
      for (const { annotations } of records)
        found.witness.leaks.see("annotations", JSON.stringify(annotations));
      for (const part of partsOf(target)) {
        const about: About = { target, part, source: found.ledger.get(part.source) };
        violations.push(
          ...judgeOrder(about, records, found),
          ...judgePromises(about, found),
          ...judgeEnd(about, records),
          ...judgeNotes(about, records),
        );
      }
    }
  }
  return violations;
}

/** A target and one of its sources: each is judged for itself. */
type About = { readonly target: Target; readonly part: Part; readonly source: Source };

function judgeOrder(
  { target, part, source: { moves, passwords } }: About,
  records: readonly SecretRecord[],
  { witness }: Case,
): Violation[] {
  const versions = new Map([...passwords].map(([versionId, password]) => [password, versionId]));
  const landings = records.flatMap((record): Landing[] => {
    const versionId = versions.get(passwordOf(record, part) ?? "");
    if (record.type === "DELETED" || versionId === undefined) return []; // tampered with, or gone
    // A state that nobody of us was answered for happened no later than now.
    const at =
      witness.acceptedAt.get(`${target.cluster} ${record.resourceVersion}`) ?? Number.POSITIVE_INFINITY;
    return [{ versionId, uid: record.uid, at }];
  });
  return findDisorder(moves, landings).map(({ landing, after, why }) => ({
    rule: "order",
    what: `${keyOfPart(target, part)}: version ${landing.versionId.slice(0, 8)} landed ${why === "older" ? `after move ${after} of ${moves.length}` : "before it was current"}`,
  }));
}

function judgePromises({ target, part, source }: About, { witness, staleMs }: Case): Violation[] {
  const key = keyOfPart(target, part);
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

function judgeEnd({ target, part, source }: About, records: readonly SecretRecord[]): Violation[] {
  const last = records.at(-1);
  const isThere = last !== undefined && last.type !== "DELETED";
  const key = keyOfTarget(target);
  if (source.deletedAt !== undefined) {
    if (!target.isDeletable) return [];
    return isThere ? [{ rule: "settled", what: `${key} is still there, and its source is gone` }] : [];
  }
  if (!isThere) return [{ rule: "settled", what: `${key} is not there` }];
  const current = source.moves.at(-1)?.versionId ?? "";
  const isCurrent = passwordOf(last, part) === source.passwords.get(current);
  return isCurrent ? [] : [{ rule: "settled", what: `${keyOfPart(target, part)} does not hold AWSCURRENT` }];
}

/** Annotations are told apart from data nowhere in a Secret's history, so both are looked at in every state of it. */
function judgeNotes(
  { target, part, source: { passwords } }: About,
  records: readonly SecretRecord[],
): Violation[] {
  const key = keyOfPart(target, part);
  const isWrong = records.some((record) => {
    const noted = passwords.get(notedVersion(record.annotations, part) ?? "");
    const password = passwordOf(record, part);
    return [...passwords.values()].includes(password ?? "") && noted !== password;
  });
  return isWrong
    ? [{ rule: "annotation", what: `${key} was annotated with another version than it held` }]
    : [];
}

function passwordOf({ data }: SecretRecord, { dataKey }: Part): string | undefined {
  const password = data[dataKey];
  return password === undefined ? undefined : Buffer.from(password, "base64").toString();
}
