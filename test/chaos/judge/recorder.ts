import type { RotationReport } from "../../../functions/rotation/settle.ts";
import type { LogCode, LogFields } from "../../../shared/runtime/log.ts";
import type { MetricName } from "../../../shared/runtime/metrics.ts";
import { type ExpectedState, isGone, lackedValue, type Source, wasGone } from "../expected-state.ts";
import type { Invocation } from "../lambda/invocation.ts";
import type { InvocationListener } from "../lambda/lambda.ts";
import { DELETION_GRACE_MS, SKEW_MS_MAX } from "../settings.ts";
import { Tally } from "../tally.ts";
import { nameOf, type TransportRequest } from "../transport/message.ts";
import type { StaleReplica } from "../transport/stale-replica.ts";
import type { Exchange } from "../transport/transport.ts";
import { type Fleet, keyOfPart, keyOfTarget, type Part, type Target } from "../world/fleet.ts";
import { AcceptedWrites } from "./accepted-writes.ts";
import { HoldJudge } from "./hold-judge.ts";
import type { Success } from "./kept-promises.ts";
import { LeakJudge } from "./leak-judge.ts";
import type { Violation } from "./violation.ts";

type Options = {
  readonly now: () => number;
  readonly replica: StaleReplica;
  readonly validHolds: ReadonlyMap<string, number>;
  /** Whether a relay had no bindings in force at some moment between these. */
  readonly wasUnpublished: (relay: string, from: number, until: number) => boolean;
};

/** Records what happens during a run, and keeps what the judges need afterwards. */
export class Recorder {
  readonly violations: Violation[] = [];
  readonly leaks = new LeakJudge((violation) => this.violations.push(violation));
  readonly accepted = new AcceptedWrites();
  /** Successful invocations for one source of a target. */
  readonly successes = new Map<string, Success[]>();
  /** Deletions by the relay, by target. */
  readonly deletions = new Map<string, number>();
  /** Messages that the work queue has accepted from the functions. */
  readonly shardsSent = new Set<string>();
  readonly counts = { applies: 0, deletions: 0, conflicts: 0, drifts: 0, left: 0, unanswered: 0 };
  readonly sweeps = new Tally();
  readonly findings = new Tally();
  readonly refusals = new Tally();
  readonly #expected: ExpectedState;
  /** By Secret; a shared Secret has a target of each relay. */
  readonly #targets: ReadonlyMap<string, readonly Target[]>;
  readonly #holds: HoldJudge;
  /** Per Secret, after the last write. */
  readonly #states = new Map<string, SecretState>();
  readonly #handWrites = new Map<string, number>();
  readonly #bystanders: ReadonlySet<string>;
  readonly #changing: ReadonlySet<string>;
  readonly #now: () => number;
  readonly #replica: StaleReplica;
  readonly #wasUnpublished: Options["wasUnpublished"];

  constructor(expected: ExpectedState, fleet: Fleet, { now, replica, validHolds, wasUnpublished }: Options) {
    this.#wasUnpublished = wasUnpublished;
    this.#holds = new HoldJudge(validHolds, (violation) => this.violations.push(violation));
    this.#replica = replica;
    this.#expected = expected;
    this.#targets = Map.groupBy(fleet.targets, keyOfTarget);
    this.#bystanders = new Set(fleet.bystanders.map(keyOfTarget));
    this.#changing = new Set(fleet.bindings.flatMap(({ targets }) => targets.map(keyOfTarget)));
    this.#now = now;
  }

  /** Called by the transport: all that the functions send, except the data of a Secret and the caller's identity. */
  sending = (_host: Exchange["host"], request: TransportRequest): void => {
    const { authorization: _secret, "x-amz-security-token": _token, ...headers } = request.headers;
    const line = `${request.method} ${request.url} ${JSON.stringify(headers)} ${withoutData(request)}`;
    this.leaks.scan(`a request (${nameOf(request)})`, line);
  };

  /** Called by the transport: every write to a Secret, by any caller. */
  served = (exchange: Exchange): void => {
    const { host, request, answer, environment, servedAt } = exchange;
    if (nameOf(request) === "SendMessageBatch" && environment !== undefined && answer.status === 200) {
      const { Successful = [] } = JSON.parse(answer.body) as { Successful?: { MessageId: string }[] };
      for (const { MessageId } of Successful) this.shardsSent.add(MessageId);
    }
    if (host.kind !== "cluster" || request.method === "GET") return;
    const [, namespace, name] = /\/namespaces\/([^/]+)\/secrets\/([^/?]+)/.exec(request.url.pathname) ?? [];
    if (namespace === undefined || name === undefined) return;
    const key = keyOfTarget({ cluster: host.name, namespace, name });
    const targets = this.#targets.get(key);
    if (targets === undefined) return;
    if (answer.status === 409) this.counts.conflicts += 1;
    if (answer.status >= 300) return;
    const before = this.#states.get(key);
    if (environment !== undefined) this.#judgeOwner(key, environment.name, targets);
    if (environment !== undefined && before !== undefined)
      this.#holds.judge(key, environment.name, before, exchange.sentAtByItsClock);
    if (request.method === "DELETE") {
      const [target] = targets;
      if (environment !== undefined && target !== undefined) this.#judgeDeletion(target, environment.name);
      this.#states.delete(key);
      return;
    }
    const { metadata = {}, data } = JSON.parse(answer.body) as SecretAnswer;
    const { resourceVersion = "", uid = "", annotations = {} } = metadata;
    if (environment === undefined) this.#handWrites.set(key, (this.#handWrites.get(key) ?? 0) + 1);
    else {
      this.counts.applies += 1;
      const fence = (JSON.parse(request.body.toString()) as SecretAnswer).metadata?.resourceVersion;
      if (before !== undefined && data !== undefined && fence === before.resourceVersion)
        this.#judgeSharedKeys(key, environment.name, before, data);
    }
    const isSame = before?.uid === uid;
    const goneSince = Object.fromEntries(
      targets.flatMap(({ ownMetadata: { annotations: names } }) => {
        const annotated = annotations[names.goneSince];
        const known = isSame ? before.goneSince[names.goneSince] : undefined;
        return annotated === undefined ? [] : [[names.goneSince, known ?? servedAt]];
      }),
    );
    const kept = isSame ? before.data : {};
    this.#states.set(key, {
      uid,
      resourceVersion,
      annotations,
      // The response to a relay's patch of metadata has no data. To an operator's patch, that of an empty Secret has none.
      data: data ?? (environment === undefined ? {} : kept),
      goneSince,
    });
    this.#holds.observe(key, annotations, servedAt);
    this.accepted.note(host.name, resourceVersion, servedAt);
  };

  /** Called for the rotation function of a relay. */
  rotatedBy =
    (relay: string): InvocationListener =>
    (done) =>
      this.#rotated(relay, done);

  #rotated(relay: string, done: Parameters<InvocationListener>[0]): void {
    const { input, attempt, environment, startedAt, endedAt } = done;
    if (attempt.kind === "failed") this.leaks.scan("an error of the rotation function", print(attempt.error));
    if (attempt.kind !== "succeeded") return;
    this.leaks.scan("a response of the rotation function", JSON.stringify(attempt.result ?? null));
    const report = attempt.result as RotationReport;
    const refused = new Set<string>();
    for (const { target, outcome, code = "", advice = "" } of report.targets) {
      if (outcome !== "refused") continue;
      refused.add(target);
      this.#judgeRefusal(relay, target, { code, advice, startedAt, endedAt });
    }
    if (this.#wasUnpublished(relay, startedAt, endedAt)) return; // nothing was bound
    const { source, isByHand } = readInput(input);
    // A target that has pinned a version ignores what happens to its source, but not a direct call.
    const isConcerned = (part: Part) => part.source === source && (isByHand || part.taken !== "pinned");
    for (const target of [...this.#targets.values()].flat()) {
      if (target.ownMetadata.self.name !== relay) continue;
      if (refused.has(keyOfTarget(target)) || !target.parts.some(isConcerned)) continue;
      for (const part of target.parts) {
        const behindMs = this.#replica.behindMs(environment, part.source, startedAt);
        push(this.successes, keyOfPart(target, part), { startedAt, endedAt, behindMs });
      }
    }
  }

  /** Called for the reconcile function. */
  reconciled: InvocationListener = ({ input, attempt }) => {
    if (attempt.kind === "failed")
      this.leaks.scan("an error of the reconcile function", print(attempt.error));
    if (attempt.kind !== "succeeded") return;
    const { sweep } = input as { sweep?: string };
    this.sweeps.add(sweep === undefined ? "of a shard" : `by ${sweep}`);
    this.leaks.scan("a report of the reconcile function", JSON.stringify(attempt.result ?? null));
  };

  log = (code: LogCode, fields: LogFields = {}): void => {
    this.leaks.scan("a log", `${code} ${JSON.stringify(fields)}`);
    if (code !== "DRIFT_FOUND") return;
    this.counts.drifts += 1;
    this.findings.add(fields.finding ?? "");
    // Left out: findings that are only reported, a Secret whose source is gone, a name that another owner has taken.
    const isLeft = fields.action === "none" || fields.code === fields.finding;
    if (isLeft || this.#bystanders.has(fields.target ?? "")) this.counts.left += 1;
    if (fields.finding !== "SOURCE_MISSING" && fields.finding !== "VERSION_MISSING") return;
    // A shard may wait in the queue for half an hour, so any source that was ever deleted may be reported missing.
    const wasEverGone = (fields.source ?? "").split(",").some((name) => this.#wasEverGone(name.trim()));
    if (!wasEverGone)
      this.violations.push({
        rule: "absence",
        what: `a sweep reports ${fields.source} as missing, but it exists`,
      });
  };

  measure = (name: MetricName, value: number, code = ""): void => {
    this.leaks.scan("a metric", `${name} ${value} ${code}`);
  };

  /** Called for a failure queue: Lambda keeps the input and the error. */
  failed({ input }: Invocation): void {
    this.leaks.scan("a failure queue", JSON.stringify(input));
  }

  #wasEverGone(source: string): boolean {
    return (this.#expected.sources.get(source)?.gone.length ?? 1) > 0;
  }

  #judgeRefusal(relay: string, key: string, refused: Refused): void {
    const { code, advice, startedAt, endedAt } = refused;
    this.refusals.add(code);
    const ofRelay = this.#targets.get(key)?.find(({ ownMetadata }) => ownMetadata.self.name === relay);
    const sources = ofRelay?.parts.map(({ source }) => this.#expected.get(source)) ?? [];
    const isEmpty = (source: Source): boolean => lackedValue(source, startedAt - STALE_MS, endedAt);
    const isRight: Readonly<Record<string, () => boolean>> = {
      // For a source without a value, a rotation reports the most likely reason.
      SOURCE_MISSING: () => sources.some(isEmpty),
      SOURCE_WITHOUT_VALUE: () => sources.some(isEmpty),
      CONTESTED: () => (this.#handWrites.get(key) ?? 0) >= 3,
      HELD: () => this.#holds.wasHeld(key, startedAt, endedAt),
      // A publisher changes the type, and an operator must delete the Secret.
      TARGET_TYPE_DIFFERS: () => this.#changing.has(key),
    };
    if (this.#bystanders.has(key) || isRight[code]?.()) return;
    this.violations.push({ rule: "refusal", what: `${key} of ${relay} was refused with ${code}: ${advice}` });
  }

  /** No relay writes or deletes a Secret that only the other one binds. */
  #judgeOwner(key: string, by: string, targets: readonly Target[]): void {
    const relay = relayOf(by);
    if (targets.some(({ ownMetadata }) => ownMetadata.self.name === relay)) return;
    this.violations.push({
      rule: "bystander",
      what: `${by} writes ${key}, which only the other relay binds`,
    });
  }

  /** In a shared Secret a relay leaves the other relay's key unchanged. */
  #judgeSharedKeys(key: string, by: string, before: SecretState, data: SecretState["data"]): void {
    const relay = relayOf(by);
    const ofOthers = (this.#targets.get(key) ?? []).filter(
      ({ ownMetadata }) => ownMetadata.self.name !== relay,
    );
    for (const { dataKey } of ofOthers.flatMap(({ parts }) => parts)) {
      if (before.data[dataKey] === data[dataKey]) continue;
      this.violations.push({
        rule: "bystander",
        what: `${by} changes ${dataKey} of the other relay in ${key}`,
      });
    }
  }

  #judgeDeletion(target: Target, by: string): void {
    const key = keyOfTarget(target);
    this.deletions.set(key, (this.deletions.get(key) ?? 0) + 1);
    this.counts.deletions += 1;
    const source = this.#expected.get(target.parts[0].source);
    const now = this.#now();
    const annotatedAt = this.#states.get(key)?.goneSince[target.ownMetadata.annotations.goneSince];
    // The relay checks again just before it deletes; the source may be recreated in between.
    const wasGoneThen = isGone(source) || wasGone(source, now - DELETE_REPEAT_MS, now);
    // The clocks of the two observers may be this far apart.
    const graceMs = DELETION_GRACE_MS - 2 * SKEW_MS_MAX;
    const wrong = [
      ...(target.isDeletable ? [] : ["which its binding keeps"]),
      ...(wasGoneThen ? [] : ["whose source exists"]),
      ...(annotatedAt === undefined ? ["after one observation"] : []),
      ...(annotatedAt !== undefined && now - annotatedAt < graceMs ? ["before its grace period ended"] : []),
    ];
    for (const what of wrong)
      this.violations.push({ rule: "deletion", what: `${by} deleted ${key}, ${what}` });
  }
}

/** The version that a Secret's annotations name for one of its sources. */
export function annotatedVersion(
  annotations: Readonly<Record<string, string>>,
  { ownMetadata: { annotations: names } }: Target,
  { index }: Part,
): string | undefined {
  const several = annotations[names.sourceVersions];
  return several === undefined ? annotations[names.versionId] : several.split(" ")[index];
}

/** Functions are named `<relay>/rotation` and `<relay>/reconcile`. */
const relayOf = (environment: string): string => environment.split("/")[0] ?? "";

type Refused = {
  readonly code: string;
  readonly advice: string;
  readonly startedAt: number;
  readonly endedAt: number;
};

/** How old a response of Secrets Manager may be, including the list. */
const STALE_MS = 5_000;

/** How long a delete request may be repeated. */
const DELETE_REPEAT_MS = 60_000;

type SecretAnswer = {
  metadata?: { resourceVersion?: string; uid?: string; annotations?: Record<string, string> };
  data?: Record<string, string>;
};

type SecretState = {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
  /** When each relay wrote its annotation that the source is gone. */
  readonly goneSince: Readonly<Record<string, number>>;
};

/** A Secret's data is the only place for values; all other parts of a request are searched. */
function withoutData({ body }: TransportRequest): string {
  const text = body.toString();
  if (!text.includes('"data"')) return text;
  const { data: _data, ...rest } = JSON.parse(text) as { data?: unknown };
  return JSON.stringify(rest);
}

function readInput(input: unknown): { readonly source: string; readonly isByHand: boolean } {
  const { secretId, detail } = input as { secretId?: string; detail?: { name?: string } };
  return { source: secretId ?? detail?.name ?? "", isByHand: secretId !== undefined };
}

function print(error: unknown): string {
  return error instanceof Error
    ? `${error.name} ${error.message} ${error.stack} ${String(error.cause)}`
    : String(error);
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
