import type { RotationReport } from "../../functions/rotation/settle.ts";
import type { LogCode, LogFields } from "../../shared/observability/log.ts";
import type { MetricName } from "../../shared/observability/measure.ts";
import type { Invocation } from "../lambda/invocation.ts";
import type { InvocationListener } from "../lambda/lambda.ts";
import type { Ledger } from "../ledger.ts";
import { Tally } from "../tally.ts";
import { nameOf, type WireRequest } from "../wire/message.ts";
import type { StaleReplica } from "../wire/stale-replica.ts";
import type { Exchange } from "../wire/wire.ts";
import { type Fleet, keyOfPart, keyOfTarget, type Part, type Target } from "../world/fleet.ts";
import { AcceptedWrites } from "./accepted-writes.ts";
import type { Success } from "./kept-promises.ts";
import { LeakJudge } from "./leak-judge.ts";
import type { Violation } from "./violation.ts";

/** Sees what happens while it happens, and keeps what the judges need afterwards. */
export class Witness {
  readonly violations: Violation[] = [];
  readonly leaks = new LeakJudge((violation) => this.violations.push(violation));
  readonly accepted = new AcceptedWrites();
  /** Successful invocations for one source of a target. */
  readonly successes = new Map<string, Success[]>();
  /** Deletions by the relay, by target. */
  readonly deletions = new Map<string, number>();
  /** Messages that the shard queue has taken from the functions. */
  readonly shardsSent = new Set<string>();
  readonly counts = { applies: 0, deletions: 0, conflicts: 0, drifts: 0, left: 0, unanswered: 0 };
  readonly sweeps = new Tally();
  readonly findings = new Tally();
  readonly refusals = new Tally();
  readonly #ledger: Ledger;
  readonly #targets: ReadonlyMap<string, Target>;
  readonly #bystanders: ReadonlySet<string>;
  readonly #now: () => number;
  readonly #replica: StaleReplica;

  constructor(
    ledger: Ledger,
    fleet: Fleet,
    { now, replica }: { readonly now: () => number; readonly replica: StaleReplica },
  ) {
    this.#replica = replica;
    this.#ledger = ledger;
    this.#targets = new Map(fleet.targets.map((target) => [keyOfTarget(target), target]));
    this.#bystanders = new Set(fleet.bystanders.map(keyOfTarget));
    this.#now = now;
  }

  /** Of the wire: what the functions send, but for the data of a Secret and for who they say they are. */
  sending = (_host: Exchange["host"], request: WireRequest): void => {
    const { authorization: _secret, "x-amz-security-token": _token, ...headers } = request.headers;
    const said = `${request.method} ${request.url} ${JSON.stringify(headers)} ${withoutData(request)}`;
    this.leaks.see(`a request (${nameOf(request)})`, said);
  };

  /** Of the wire: every write to a Secret, by whomever. */
  served = ({ host, request, answer, environment, servedAt }: Exchange): void => {
    if (nameOf(request) === "SendMessageBatch" && environment !== undefined && answer.status === 200) {
      const { Successful = [] } = JSON.parse(answer.body) as { Successful?: { MessageId: string }[] };
      for (const { MessageId } of Successful) this.shardsSent.add(MessageId);
    }
    if (host.kind !== "cluster" || request.method === "GET") return;
    const [, namespace, name] = /\/namespaces\/([^/]+)\/secrets\/([^/?]+)/.exec(request.url.pathname) ?? [];
    if (namespace === undefined || name === undefined) return;
    const target = this.#targets.get(keyOfTarget({ cluster: host.name, namespace, name }));
    if (target === undefined) return;
    if (answer.status === 409) this.counts.conflicts += 1;
    if (answer.status >= 300) return;
    if (request.method === "DELETE") {
      if (environment !== undefined) this.#judgeDeletion(target, environment.name);
      return;
    }
    const { metadata = {} } = JSON.parse(answer.body) as SecretAnswer;
    if (environment !== undefined) this.counts.applies += 1;
    this.accepted.note(host.name, metadata.resourceVersion ?? "", servedAt);
  };

  /** Of the rotation function. */
  rotated: InvocationListener = ({ input, attempt, environment, startedAt, endedAt }) => {
    if (attempt.kind === "failed") this.leaks.see("an error of the rotation function", print(attempt.error));
    if (attempt.kind !== "succeeded") return;
    this.leaks.see("an answer of the rotation function", JSON.stringify(attempt.result ?? null));
    const report = attempt.result as RotationReport;
    const refused = new Set<string>();
    for (const { target, outcome, code = "", advice = "" } of report.targets) {
      if (outcome !== "refused") continue;
      refused.add(target);
      this.#judgeRefusal(target, code, advice);
    }
    const { source, isByHand } = readInput(input);
    // Nothing that happens to a source concerns a target that has pinned a version of it, but a person's word does.
    const isConcerned = (part: Part) => part.source === source && (isByHand || part.taken !== "pinned");
    for (const [key, target] of this.#targets) {
      if (refused.has(key) || !target.parts.some(isConcerned)) continue;
      for (const part of target.parts) {
        const behindMs = this.#replica.behindMs(environment, part.source, startedAt);
        push(this.successes, keyOfPart(target, part), { startedAt, endedAt, behindMs });
      }
    }
  };

  /** Of the reconcile function. */
  reconciled: InvocationListener = ({ input, attempt }) => {
    if (attempt.kind === "failed") this.leaks.see("an error of the reconcile function", print(attempt.error));
    if (attempt.kind !== "succeeded") return;
    const { sweep } = input as { sweep?: string };
    this.sweeps.add(sweep === undefined ? "of a shard" : `by ${sweep}`);
    this.leaks.see("a report of the reconcile function", JSON.stringify(attempt.result ?? null));
  };

  log = (code: LogCode, fields: LogFields = {}): void => {
    this.leaks.see("a log", `${code} ${JSON.stringify(fields)}`);
    if (code !== "DRIFT_FOUND") return;
    this.counts.drifts += 1;
    this.findings.add(fields.finding ?? "");
    // For good: a Secret whose source is gone, a name that somebody else has taken.
    if (fields.action === "left" || this.#bystanders.has(fields.target ?? "")) this.counts.left += 1;
    if (fields.finding !== "SOURCE_MISSING" && fields.finding !== "VERSION_MISSING") return;
    const isGone = (fields.source ?? "").split(",").some((name) => this.#isGone(name.trim()));
    if (!isGone)
      this.violations.push({
        rule: "absence",
        what: `a sweep calls ${fields.source} missing, and it is there`,
      });
  };

  measure = (name: MetricName, value: number, code = ""): void => {
    this.leaks.see("a metric", `${name} ${value} ${code}`);
  };

  /** Of a failure queue: Lambda keeps the input and the error. */
  failed({ input }: Invocation): void {
    this.leaks.see("a failure queue", JSON.stringify(input));
  }

  #isGone(source: string): boolean {
    const known = this.#ledger.sources.get(source);
    return known === undefined || known.deletedAt !== undefined;
  }

  #judgeRefusal(key: string, code: string, advice: string): void {
    this.refusals.add(code);
    const parts = this.#targets.get(key)?.parts ?? [];
    const isOfNobody = code === "TARGET_NOT_OURS" && this.#bystanders.has(key);
    const isOfAnother = code === "SOURCE_NOT_FOUND" && this.#bystanders.has(key);
    const isGone = code === "SOURCE_NOT_FOUND" && parts.some(({ source }) => this.#isGone(source));
    if (isOfNobody || isOfAnother || isGone) return;
    this.violations.push({ rule: "refusal", what: `${key} was refused with ${code}: ${advice}` });
  }

  #judgeDeletion(target: Target, by: string): void {
    const key = keyOfTarget(target);
    this.deletions.set(key, (this.deletions.get(key) ?? 0) + 1);
    this.counts.deletions += 1;
    const { deletedAt } = this.#ledger.get(target.parts[0].source);
    const isRight = target.isDeletable && deletedAt !== undefined && deletedAt <= this.#now();
    if (!isRight)
      this.violations.push({ rule: "deletion", what: `${by} deleted ${key}, whose source is there` });
  }
}

/** The version of one of its sources that a Secret says it was made from. */
export function notedVersion(
  annotations: Readonly<Record<string, string>>,
  { index }: Part,
): string | undefined {
  const several = annotations["secret-relay/source-versions"];
  return several === undefined ? annotations["secret-relay/version-id"] : several.split(" ")[index];
}

type SecretAnswer = {
  metadata?: { resourceVersion?: string; annotations?: Record<string, string> };
};

/** A Secret's data is where values belong; everything else of a request is looked at. */
function withoutData({ body }: WireRequest): string {
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
