import {
  EXTRA,
  type ExpectedState,
  isGone,
  type Move,
  movesOf,
  type Source,
  wasGone,
} from "../expected-state.ts";
import { type Fleet, keyOfPart, keyOfTarget, type Part, type Target } from "../world/fleet.ts";
import type { SecretRecord, World } from "../world/world.ts";
import { findBrokenPromises, type Held } from "./kept-promises.ts";
import { findDisorder, type Landing } from "./landing-order.ts";
import { annotatedVersion, type Recorder } from "./recorder.ts";
import type { Violation } from "./violation.ts";

type Case = {
  readonly expected: ExpectedState;
  readonly recorder: Recorder;
  /** Deletions by hand, by target. */
  readonly byHand: ReadonlyMap<string, number>;
};

/** Checks all that the API servers have recorded of every target, after everything has settled. */
export async function judgeHistory(world: World, fleet: Fleet, found: Case): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const { key: cluster, history } of world.clusters) {
    const targets = fleet.targets.filter((target) => target.cluster === cluster);
    const bystanders = fleet.bystanders.filter((other) => other.cluster === cluster);
    const all = [...targets, ...bystanders].map((secret) => [keyOfTarget(secret), secret] as const);
    const records = await history([...new Map(all).values()]); // a shared Secret has two targets
    const byName = Map.groupBy(records, ({ namespace, name }) => `${namespace}/${name}`);
    const recordsOf = ({ namespace, name }: { namespace: string; name: string }) =>
      byName.get(`${namespace}/${name}`) ?? [];
    for (const bystander of bystanders) {
      if (recordsOf(bystander).length === 1) continue;
      const what = `${keyOfTarget(bystander)}, which ${bystander.what}, was changed or deleted`;
      violations.push({ rule: "bystander", what });
    }
    for (const target of targets) {
      const ofTarget = recordsOf(target);
      found.recorder.counts.unanswered += ofTarget.filter(
        ({ type, resourceVersion }) =>
          type !== "DELETED" && !found.recorder.accepted.isKnown(cluster, resourceVersion),
      ).length;
      violations.push(
        ...judgeDeletions(target, ofTarget, found),
        ...judgeEnd(target, ofTarget, found),
        ...judgeForeignKeys(target, ofTarget),
      );
      for (const { annotations } of ofTarget)
        found.recorder.leaks.scan("annotations", JSON.stringify(annotations));
      for (const part of target.parts) {
        const source = found.expected.get(part.source);
        const about: About = { target, part, source, moves: movesOf(source, part.taken) };
        violations.push(
          ...judgeOrder(about, ofTarget, found),
          ...judgePromises(about, ofTarget, found),
          ...judgeAnnotations(about, ofTarget),
        );
      }
    }
  }
  return violations;
}

/** A target and one of its sources: each pair is checked separately. */
type About = {
  readonly target: Target;
  readonly part: Part;
  readonly source: Source;
  readonly moves: readonly Move[];
};

function judgeOrder(
  about: About,
  records: readonly SecretRecord[],
  { recorder: { accepted } }: Case,
): Violation[] {
  const { target, part, moves } = about;
  const landings = records.flatMap((record): Landing[] => {
    const versionId = versionIn(record, about);
    if (versionId === undefined) return []; // tampered with, or gone
    return [{ versionId, uid: record.uid, at: accepted.when(target.cluster, record.resourceVersion).latest }];
  });
  return findDisorder(moves, landings).map(({ landing, after, why }) => ({
    rule: "order",
    what: `${keyOfPart(target, part)}: version ${landing.versionId.slice(0, 8)} landed ${why === "older" ? `after move ${after} of ${moves.length}` : "before it was current"}`,
  }));
}

function judgePromises(about: About, records: readonly SecretRecord[], { recorder }: Case): Violation[] {
  const { target, part, source, moves } = about;
  const key = keyOfPart(target, part);
  const successes = (recorder.successes.get(key) ?? []).filter(
    ({ startedAt, endedAt, behindMs }) => !wasGone(source, startedAt - behindMs, endedAt),
  );
  const held = records.map(
    (record): Held => ({
      versionId: versionIn(record, about),
      from: recorder.accepted.when(target.cluster, record.resourceVersion),
    }),
  );
  return findBrokenPromises(moves, held, successes).map(() => ({
    rule: "promise",
    what: `${key}: during a successful invocation the Secret never held a version that was current at that time`,
  }));
}

function judgeDeletions(
  target: Target,
  records: readonly SecretRecord[],
  { recorder, byHand }: Case,
): Violation[] {
  const key = keyOfTarget(target);
  const recorded = records.filter(({ type }) => type === "DELETED").length;
  const known = (byHand.get(key) ?? 0) + (recorder.deletions.get(key) ?? 0);
  return recorded > known
    ? [
        {
          rule: "deletion",
          what: `${key} was deleted ${recorded} times, but only ${known} deletions are known`,
        },
      ]
    : [];
}

/** Every key, and the annotations. */
function judgeEnd(target: Target, records: readonly SecretRecord[], { expected }: Case): Violation[] {
  const key = keyOfTarget(target);
  const settledWrong = (what: string): Violation[] => [{ rule: "settled", what: `${key} ${what}` }];
  const last = records.at(-1);
  const exists = last !== undefined && last.type !== "DELETED";
  const [{ source: first }] = target.parts;
  if (isGone(expected.get(first))) {
    return target.isDeletable && exists ? settledWrong("still exists, but its source is gone") : [];
  }
  if (expected.get(first).isEmpty) return []; // it keeps its data, and nothing can be written
  if (!exists) return settledWrong("does not exist");
  const wanted = new Map(target.isShared ? [] : [["username", "app"]]);
  for (const part of target.parts) {
    const source = expected.get(part.source);
    const versionId = movesOf(source, part.taken).at(-1)?.versionId ?? "";
    wanted.set(part.dataKey, source.passwords.get(versionId) ?? "");
    const takesAll = part.index === 0 && !target.isShared;
    if (takesAll && source.extended.has(versionId)) wanted.set(EXTRA.key, EXTRA.value);
    if (annotatedVersion(last.annotations, target, part) !== versionId)
      return settledWrong(`is not annotated with the version under ${part.taken}`);
  }
  const held = new Map(Object.keys(last.data).map((dataKey) => [dataKey, textOf(last, dataKey)]));
  if (!target.removesForeignKeys) held.delete(FOREIGN_KEY);
  const judged = target.isShared ? wanted.keys() : [...wanted.keys(), ...held.keys()];
  const differing = [...judged].filter((dataKey) => wanted.get(dataKey) !== held.get(dataKey));
  const keys = [...new Set(differing)].join(" and ");
  return differing.length > 0 ? settledWrong(`does not hold the values of its sources under ${keys}`) : [];
}

/** A foreign key stays unchanged for the life of a Secret, unless the binding removes it. */
function judgeForeignKeys(target: Target, records: readonly SecretRecord[]): Violation[] {
  if (target.removesForeignKeys) return [];
  const isLost = records.some((record, index) => {
    const before = records[index - 1];
    const isSame = before?.uid === record.uid && record.type !== "DELETED";
    return isSame && FOREIGN_KEY in before.data && !(FOREIGN_KEY in record.data);
  });
  return isLost
    ? [{ rule: "foreign", what: `${keyOfTarget(target)} lost a key that is not the relay's` }]
    : [];
}

/** The key that the tamperer adds. */
const FOREIGN_KEY = "note";

/**
 * The history of a Secret does not separate writes of annotations from writes of data, so each state is checked for
 * both.
 */
function judgeAnnotations(
  { target, part, source: { passwords } }: About,
  records: readonly SecretRecord[],
): Violation[] {
  const key = keyOfPart(target, part);
  const isWrong = records.some((record) => {
    const annotated = passwords.get(annotatedVersion(record.annotations, target, part) ?? "");
    const password = textOf(record, part.dataKey);
    return [...passwords.values()].includes(password ?? "") && annotated !== password;
  });
  return isWrong
    ? [{ rule: "annotation", what: `${key} had an annotation with another version than its data` }]
    : [];
}

/** Which version of the source it holds; undefined if the Secret is gone or was tampered with. */
function versionIn(record: SecretRecord, { part, source: { passwords } }: About): string | undefined {
  if (record.type === "DELETED") return undefined;
  const password = textOf(record, part.dataKey);
  for (const [versionId, known] of passwords) if (known === password) return versionId;
  return undefined;
}

function textOf({ data }: SecretRecord, dataKey: string): string | undefined {
  const text = data[dataKey];
  return text === undefined ? undefined : Buffer.from(text, "base64").toString();
}
