import type { RotationReport } from "../../../functions/rotation/settle.ts";
import type { LogCode, LogFields } from "../../../shared/runtime/log.ts";
import { bucketOf } from "../actors/publishers.ts";
import { EXTRA, type ExpectedState } from "../expected-state.ts";
import type { InvocationListener } from "../lambda/lambda.ts";
import { DELETION_GRACE_MS, SKEW_MS_MAX } from "../settings.ts";
import { currentEnvironment, type Environment } from "../transport/environment.ts";
import type { Exchange, Listener } from "../transport/transport.ts";
import type { ChangingTarget, Generation, RelayBindings, Rule } from "../world/changing.ts";
import { type Fleet, keyOfTarget } from "../world/fleet.ts";
import type { SecretRecord, World } from "../world/world.ts";
import { AcceptedWrites } from "./accepted-writes.ts";
import { findBrokenPromises, type Held, type Success } from "./kept-promises.ts";
import { findDisorder, type Landing } from "./landing-order.ts";
import type { Violation } from "./violation.ts";

/** A pointer that was put into force. */
type InForce = Generation & { readonly number: number; readonly startedAt: number };

type Environments<T> = WeakMap<Environment, T>;

/**
 * Judges what is done under bindings that change: the order of the rules, deletions, and rotations while S3 is down.
 * It sees each pointer and each write in the order in which they were accepted.
 */
export class RulesJudge implements Listener {
  readonly counts = {
    generations: 0,
    deletions: 0,
    written: 0,
    goneOnWithoutS3: 0,
    goneOnInSilence: 0,
    writtenInSilence: 0,
    unboundInEmptyBucket: 0,
    unknownRules: 0,
  };
  readonly violations: Violation[] = [];
  readonly #world: World;
  readonly #bindings: readonly RelayBindings[];
  readonly #targets: ReadonlyMap<string, ChangingTarget>;
  readonly #accepted = new AcceptedWrites();
  readonly #inForce = new Map<string, InForce[]>();
  /** Parts in the bucket, by their path. */
  readonly #parts = new Set<string>();
  readonly #published: (relay: string, version: string) => void;
  /** When an environment last got the pointer from S3, and when for the first time. */
  readonly #asked: Environments<number> = new WeakMap();
  readonly #firstAsked: Environments<number> = new WeakMap();
  /** When an environment last looked at a Secret. */
  readonly #looked: Environments<Map<string, number>> = new WeakMap();
  readonly #annotations = new Map<string, Readonly<Record<string, string>>>();
  readonly #goneSince = new Map<string, number>();
  readonly #deletions = new Map<string, number>();
  readonly #successes = new Map<ChangingTarget, (Success & { readonly knownSince: number })[]>();
  /** The fingerprints of bindings that never change, by relay and target. */
  readonly #fixed: ReadonlyMap<string, { readonly fingerprint: string; readonly annotation: string }>;
  /** Since when a Secret has the fingerprint of its unchanged binding. */
  readonly #rightSince = new Map<string, number>();

  constructor(
    world: World,
    { bindings, targets }: Fleet,
    published: (relay: string, version: string) => void,
  ) {
    this.#world = world;
    this.#bindings = bindings;
    this.#published = published;
    this.#targets = new Map(
      bindings.flatMap((ofRelay) => ofRelay.targets.map((target) => [keyOfTarget(target), target])),
    );
    const annotations = new Map(
      targets.map(({ ownMetadata: { self, annotations } }) => [self.name, annotations.bindingFingerprint]),
    );
    this.#fixed = new Map(
      bindings.flatMap(({ relay, fixed }) =>
        fixed.map(({ target, fingerprint }) => [
          `${relay} ${keyOfTarget(target)}`,
          { fingerprint, annotation: annotations.get(relay) ?? "" },
        ]),
      ),
    );
  }

  served = (exchange: Exchange): void => {
    if (exchange.host.kind === "s3") this.#served(exchange);
    if (exchange.host.kind === "cluster" && exchange.answer.status < 300) this.#touched(exchange);
  };

  /** A log line of a function. */
  noteLog(relay: string, code: LogCode, { code: why, target = "" }: LogFields, now: number): void {
    if (code !== "TARGET_FAILED" || why !== "RULES_UNKNOWN") return;
    this.counts.unknownRules += 1;
    const since = this.#rightSince.get(`${relay} ${target}`) ?? Number.POSITIVE_INFINITY;
    if (now - since < INVOCATION_MS_MAX) return;
    this.#report(
      "blocked",
      `${currentEnvironment()?.name} does not write ${target}, whose rules are unchanged`,
    );
  }

  rotatedBy =
    (relay: string): InvocationListener =>
    ({ input, attempt, environment, startedAt, endedAt }) => {
      if (attempt.kind !== "succeeded") return;
      const { store } = this.#world;
      if (startedAt < store.downUntil) this.counts.goneOnWithoutS3 += 1;
      if (startedAt < (store.silentUntil ?? 0)) this.counts.goneOnInSilence += 1;
      if (this.wasUnpublished(relay, startedAt, endedAt)) this.counts.unboundInEmptyBucket += 1;
      const { secretId, detail } = input as { secretId?: string; detail?: { name?: string } };
      const source = secretId ?? detail?.name;
      const knownSince = this.#firstAsked.get(environment) ?? startedAt;
      // A Secret of another type needs an operator. The recorder judges the reasons of refusals.
      const { targets } = attempt.result as RotationReport;
      const refused = new Set(
        targets.flatMap(({ target, outcome }) => (outcome === "refused" ? [target] : [])),
      );
      for (const target of this.#targets.values()) {
        if (target.source !== source || target.ownMetadata.self.name !== relay) continue;
        if (refused.has(keyOfTarget(target))) continue;
        const known = this.#successes.get(target) ?? [];
        known.push({ startedAt, endedAt, behindMs: STALE_MS, knownSince });
        this.#successes.set(target, known);
      }
    };

  /** The generation in force. */
  latestOf(relay: string): InForce | undefined {
    return this.#inForce.get(relay)?.at(-1);
  }

  /** The bucket of a new stack is empty: nothing is bound, and nothing may be deleted. */
  noteEmptied(relay: string, startedAt: number): void {
    const path = `/${bucketOf(relay)}/`;
    for (const part of this.#parts) if (part.startsWith(path)) this.#parts.delete(part);
    this.#inForce.get(relay)?.push({ choices: new Map(), fingerprints: new Map(), number: 0, startedAt });
  }

  /** Whether nothing was published at some moment between these. */
  wasUnpublished(relay: string, from: number, until: number): boolean {
    const generations = this.#inForce.get(relay) ?? [];
    return generations.some(({ number, startedAt }, index) => {
      const endedAt = generations[index + 1]?.startedAt ?? Number.POSITIVE_INFINITY;
      return number === 0 && startedAt <= until && endedAt >= from;
    });
  }

  /** After everything has settled. */
  async judgeHistory(expected: ExpectedState): Promise<readonly Violation[]> {
    for (const { key: cluster, history } of this.#world.clusters) {
      const targets = [...this.#targets.values()].filter((target) => target.cluster === cluster);
      const records = await history(targets);
      const byName = Map.groupBy(records, ({ namespace, name }) => `${namespace}/${name}`);
      for (const target of targets) {
        const ofTarget = byName.get(`${target.namespace}/${target.name}`) ?? [];
        this.#judgeDeletionsOf(target, ofTarget);
        this.#judgeRulesOrder(target, ofTarget);
        this.#judgeValues(target, ofTarget, expected);
        this.#judgeEnd(target, ofTarget.at(-1), expected);
      }
    }
    return this.violations;
  }

  #served({
    request: { method, url, body },
    answer: { status, headers },
    environment,
    servedAt,
  }: Exchange): void {
    const [, bucket = "", ...rest] = url.pathname.split("/");
    const isPointer = rest.join("/") === "bindings.json" && url.search.includes("versionId") === false;
    if (method === "PUT" && status === 200) {
      if (!isPointer) this.#parts.add(url.pathname);
      else {
        const published = this.#putInForce(bucket, JSON.parse(body.toString()) as Pointer, servedAt);
        this.#published(published, String(headers["x-amz-version-id"]));
      }
    }
    if (method === "GET" && isPointer && environment !== undefined && (status === 200 || status === 304)) {
      this.#asked.set(environment, servedAt);
      if (!this.#firstAsked.has(environment)) this.#firstAsked.set(environment, servedAt);
    }
  }

  /** Returns the name of the relay. */
  #putInForce(bucket: string, pointer: Pointer, startedAt: number): string {
    const bindings = this.#bindings.find(({ relay }) => bucketOf(relay) === bucket);
    if (bindings === undefined) throw new TypeError(`Unknown bucket ${bucket}`);
    const { generation, parts, relay } = pointer;
    const known = this.#inForce.get(relay) ?? [];
    const before = known.at(-1)?.number ?? 0;
    if (generation !== before + 1)
      this.#report("publication", `generation ${generation} of ${relay} replaces generation ${before}`);
    const missing = parts.filter((hash) => hash !== "" && !this.#parts.has(`/${bucket}/parts/${hash}.json`));
    if (missing.length > 0)
      this.#report(
        "publication",
        `generation ${generation} of ${relay} is in force without ${missing.length} part(s)`,
      );
    known.push({ ...bindings.generationOf(pointer), number: generation, startedAt });
    this.#inForce.set(relay, known);
    this.counts.generations += 1;
    return relay;
  }

  #touched({ host, request: { method, url }, answer, environment, servedAt }: Exchange): void {
    const [, namespace, name] = /\/namespaces\/([^/]+)\/secrets(?:\/([^/?]+))?/.exec(url.pathname) ?? [];
    if (namespace === undefined) return;
    const key = `${host.name}/${namespace}/${name ?? ""}`;
    if (method === "GET") {
      if (environment === undefined) return;
      const looked = this.#looked.get(environment) ?? new Map<string, number>();
      this.#looked.set(environment, looked.set(key, servedAt));
      return;
    }
    const target = this.#targets.get(key);
    if (method === "DELETE") {
      for (const { relay } of this.#bindings) this.#rightSince.delete(`${relay} ${key}`);
      if (target === undefined) return;
      this.#deletions.set(key, (this.#deletions.get(key) ?? 0) + 1);
      if (environment !== undefined) this.#judgeDeletion(key, target, environment, servedAt);
      this.#annotations.delete(key);
      this.#goneSince.delete(key);
      return;
    }
    if (name === undefined) return;
    const { metadata } = JSON.parse(answer.body) as Answer;
    const { annotations = {}, resourceVersion = "" } = metadata;
    this.#noteFixed(key, annotations, servedAt);
    if (target === undefined) return;
    this.counts.written += 1;
    if (environment !== undefined && servedAt < (this.#world.store.silentUntil ?? 0))
      this.counts.writtenInSilence += 1;
    this.#accepted.note(host.name, resourceVersion, servedAt);
    this.#annotations.set(key, annotations);
    const isNoted = annotations[target.ownMetadata.annotations.goneSince] !== undefined;
    if (!isNoted) this.#goneSince.delete(key);
    else if (!this.#goneSince.has(key)) this.#goneSince.set(key, servedAt);
  }

  #noteFixed(key: string, annotations: Readonly<Record<string, string>>, at: number): void {
    for (const { relay } of this.#bindings) {
      const name = `${relay} ${key}`;
      const fixed = this.#fixed.get(name);
      if (fixed === undefined) continue;
      if (annotations[fixed.annotation] !== fixed.fingerprint) this.#rightSince.delete(name);
      else if (!this.#rightSince.has(name)) this.#rightSince.set(name, at);
    }
  }

  #judgeDeletion(key: string, target: ChangingTarget, environment: Environment, now: number): void {
    this.counts.deletions += 1;
    const { annotations: names, self } = target.ownMetadata;
    const looked = this.#looked.get(environment);
    const list = `${target.cluster}/${target.namespace}/`;
    const lookedAt = Math.max(looked?.get(key) ?? 0, looked?.get(list) ?? 0);
    const askedAt = this.#asked.get(environment) ?? 0;
    const goneSince = this.#goneSince.get(key);
    const generations = this.#inForce.get(self.name) ?? [];
    // Those in force at any moment between its look at the Secret and the deletion.
    const from = generations.findLastIndex(({ startedAt }) => startedAt <= lookedAt);
    const published = generations.slice(Math.max(0, from)).filter(({ number }) => number > 0);
    const isBound = published.every(({ choices }) => choices.has(target));
    const graceMs = DELETION_GRACE_MS - 2 * SKEW_MS_MAX; // the clocks of the two observers differ
    const wrong = [
      ...(isBound && published.length > 0 ? ["which the bindings in force bind"] : []),
      ...(published.length === 0 ? ["while nothing was published"] : []),
      ...(askedAt < lookedAt ? ["without the pointer after its look at the Secret"] : []),
      ...(this.#annotations.get(key)?.[names.deletionPolicy] === "delete"
        ? []
        : ["which its last binding keeps"]),
      ...(goneSince === undefined ? ["after one observation"] : []),
      ...(goneSince !== undefined && now - goneSince < graceMs ? ["before its grace period ended"] : []),
    ];
    for (const what of wrong) this.#report("deletion", `${environment.name} deleted ${key}, ${what}`);
  }

  #judgeDeletionsOf(target: ChangingTarget, records: readonly SecretRecord[]): void {
    const key = keyOfTarget(target);
    const recorded = records.filter(({ type }) => type === "DELETED").length;
    const known = this.#deletions.get(key) ?? 0;
    if (recorded > known)
      this.#report("deletion", `${key} was deleted ${recorded} times, but only ${known} deletions are known`);
  }

  /** Generations order rules as the moves of AWSCURRENT order values. */
  #judgeRulesOrder(target: ChangingTarget, records: readonly SecretRecord[]): void {
    const moves = (this.#inForce.get(target.ownMetadata.self.name) ?? []).flatMap((generation) => {
      const versionId = generation.fingerprints.get(target);
      return versionId === undefined ? [] : [{ versionId, startedAt: generation.startedAt, endedAt: 0 }];
    });
    const landings = records.flatMap((record): Landing[] => {
      const versionId = record.annotations[target.ownMetadata.annotations.bindingFingerprint];
      if (record.type === "DELETED" || versionId === undefined) return [];
      return [{ versionId, uid: record.uid, at: this.#acceptedAt(target, record).latest }];
    });
    for (const { landing, after, why } of findDisorder(moves, landings)) {
      const when = why === "older" ? `after those of generation ${after + 1}` : "before they were in force";
      this.#report("rules", `${keyOfTarget(target)}: rules ${landing.versionId} landed ${when}`);
    }
  }

  #judgeValues(target: ChangingTarget, records: readonly SecretRecord[], expected: ExpectedState): void {
    const { moves, passwords } = expected.get(target.source);
    const versions = new Map([...passwords].map(([versionId, password]) => [password, versionId]));
    const held = records.map((record): Held & { readonly record: SecretRecord } => {
      const texts = Object.values(record.data).map(textOf);
      const versionId =
        record.type === "DELETED" ? undefined : texts.map((text) => versions.get(text)).find(Boolean);
      return { record, versionId, from: this.#acceptedAt(target, record) };
    });
    const landings = held.flatMap(({ record: { uid }, versionId, from }): Landing[] =>
      versionId === undefined ? [] : [{ versionId, uid, at: from.latest }],
    );
    for (const { landing } of findDisorder(moves, landings))
      this.#report(
        "order",
        `${keyOfTarget(target)}: version ${landing.versionId.slice(0, 8)} landed out of order`,
      );
    const generations = this.#inForce.get(target.ownMetadata.self.name) ?? [];
    // By all rules that the invocation may have known. Another type needs an operator.
    const isBoundAllTheTime = ({
      knownSince,
      endedAt,
    }: Success & { readonly knownSince: number }): boolean => {
      const from = Math.max(
        0,
        generations.findLastIndex(({ startedAt }) => startedAt <= knownSince),
      );
      const possible = generations.slice(from).filter(({ startedAt }) => startedAt <= endedAt);
      const types = new Set(possible.map(({ choices }) => choices.get(target)?.type));
      return types.size === 1 && !types.has(undefined);
    };
    const successes = (this.#successes.get(target) ?? []).filter(isBoundAllTheTime);
    for (const { startedAt } of findBrokenPromises(moves, held, successes))
      this.#report(
        "promise",
        `${keyOfTarget(target)}: during a successful invocation at ${startedAt} it never held a current version`,
      );
  }

  #judgeEnd(target: ChangingTarget, last: SecretRecord | undefined, expected: ExpectedState): void {
    const latest = this.latestOf(target.ownMetadata.self.name);
    const live = last?.type === "DELETED" ? undefined : last;
    const what = latest && wrongAtTheEnd(target, latest, live, expected);
    if (what !== undefined) this.#report("settled", `${keyOfTarget(target)} ${what}`);
  }

  #acceptedAt({ cluster }: ChangingTarget, { resourceVersion }: SecretRecord) {
    return this.#accepted.when(cluster, resourceVersion);
  }

  #report(rule: Violation["rule"], what: string): void {
    this.violations.push({ rule, what });
  }
}

function wrongAtTheEnd(
  target: ChangingTarget,
  { choices, fingerprints }: Generation,
  live: SecretRecord | undefined,
  expected: ExpectedState,
): string | undefined {
  const { annotations: names } = target.ownMetadata;
  const rule = choices.get(target);
  if (rule === undefined) {
    const isLeft = live?.annotations[names.deletionPolicy] === "delete";
    return isLeft ? "is not bound any more, and still exists" : undefined;
  }
  if (live === undefined) return "is bound, and does not exist";
  if (live.annotations[names.bindingFingerprint] !== fingerprints.get(target))
    return "does not follow the last bindings";
  const source = expected.get(target.source);
  const password = source.passwords.get(expected.currentOf(source).versionId);
  if (textOf(live.data[rule.dataKey ?? "password"] ?? "") !== password)
    return "does not hold the value of its source";
  const held = Object.keys(live.data).filter((dataKey) => dataKey !== EXTRA.key);
  const wanted = keysOf(rule);
  return held.sort().join() === wanted.join()
    ? undefined
    : `has the keys ${held.join()} instead of ${wanted.join()}`;
}

const textOf = (data: string): string => Buffer.from(data, "base64").toString();

const keysOf = ({ dataKey }: Rule): string[] =>
  dataKey === undefined ? ["password", "username"] : [dataKey];

type Pointer = { readonly generation: number; readonly relay: string; readonly parts: readonly string[] };
type Answer = {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
  };
};

/** The timeout of the rotation function. */
const INVOCATION_MS_MAX = 60_000;

/** How old a response of Secrets Manager may be. */
const STALE_MS = 5_000;
