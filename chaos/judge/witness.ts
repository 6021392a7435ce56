import type { RotationReport } from "../../functions/rotation/settle.ts";
import type { LogCode, LogFields } from "../../shared/observability/log.ts";
import type { MetricName } from "../../shared/observability/measure.ts";
import type { Invocation, InvocationListener } from "../lambda/lambda.ts";
import type { Ledger } from "../ledger.ts";
import type { Exchange } from "../wire/wire.ts";
import type { Fleet } from "../world/fleet.ts";
import { keyOfPart, keyOfTarget, type Part, partsOf, type Target } from "../world/fleet.ts";
import type { Held, Success } from "./kept-promises.ts";
import { LeakJudge } from "./leak-judge.ts";
import type { Violation } from "./violation.ts";

/** Sees what happens while it happens, and keeps what the judges need afterwards. */
export class Witness {
  readonly violations: Violation[] = [];
  readonly leaks = new LeakJudge((violation) => this.violations.push(violation));
  /** When a state of a Secret was accepted, by cluster and resourceVersion. */
  readonly acceptedAt = new Map<string, number>();
  /** What the targets held of each of their sources. */
  readonly held = new Map<string, Held[]>();
  /** Successful invocations for one source of a target. */
  readonly successes = new Map<string, Success[]>();
  /** Deletions by the relay, by target. */
  readonly deletions = new Map<string, number>();
  readonly counts = { applies: 0, deletions: 0, conflicts: 0, sweeps: 0, drifts: 0, left: 0 };
  readonly #ledger: Ledger;
  readonly #targets: ReadonlyMap<string, Target>;
  readonly #bySource: ReadonlyMap<string, readonly { readonly target: Target; readonly part: Part }[]>;
  readonly #now: () => number;

  constructor(ledger: Ledger, fleet: Fleet, now: () => number) {
    this.#ledger = ledger;
    this.#targets = new Map(fleet.targets.map((target) => [keyOfTarget(target), target]));
    const all = fleet.targets.flatMap((target) => partsOf(target).map((part) => ({ target, part })));
    this.#bySource = Map.groupBy(all, ({ part }) => part.source);
    this.#now = now;
  }

  /** Of the wire: every write to a Secret, by whomever. */
  served = ({ host, request, answer, environment, servedAt }: Exchange): void => {
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
    this.acceptedAt.set(`${host.name} ${metadata.resourceVersion}`, servedAt);
    for (const part of partsOf(target)) {
      const versionId = notedVersion(metadata.annotations ?? {}, part);
      if (versionId !== undefined) push(this.held, keyOfPart(target, part), { versionId, at: servedAt });
    }
  };

  /** Of the rotation function. */
  rotated: InvocationListener = ({ input, attempt, startedAt, endedAt }) => {
    if (attempt.kind === "failed") this.leaks.see("an error of the rotation function", print(attempt.error));
    if (attempt.kind !== "succeeded") return;
    this.leaks.see("an answer of the rotation function", JSON.stringify(attempt.result ?? null));
    const report = attempt.result as RotationReport;
    const refused = new Set(
      report.targets.filter(({ outcome }) => outcome === "refused").map(({ target }) => target),
    );
    for (const { target, part } of this.#bySource.get(sourceOf(input)) ?? []) {
      if (refused.has(keyOfTarget(target))) continue;
      push(this.successes, keyOfPart(target, part), { startedAt, endedAt });
    }
  };

  /** Of the reconcile function. */
  reconciled: InvocationListener = ({ attempt }) => {
    if (attempt.kind === "failed") this.leaks.see("an error of the reconcile function", print(attempt.error));
    if (attempt.kind !== "succeeded") return;
    this.counts.sweeps += 1;
    this.leaks.see("a report of the reconcile function", JSON.stringify(attempt.result ?? null));
  };

  log = (code: LogCode, fields: LogFields = {}): void => {
    this.leaks.see("a log", `${code} ${JSON.stringify(fields)}`);
    if (code !== "DRIFT_FOUND") return;
    this.counts.drifts += 1;
    if (fields.action === "left") this.counts.left += 1; // for good, such as a Secret whose source is gone
    const source = this.#ledger.sources.get(fields.source ?? "");
    if (fields.finding !== "SOURCE_MISSING" || source?.deletedAt !== undefined) return;
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

  #judgeDeletion(target: Target, by: string): void {
    const key = keyOfTarget(target);
    this.deletions.set(key, (this.deletions.get(key) ?? 0) + 1);
    this.counts.deletions += 1;
    const { deletedAt } = this.#ledger.get(target.source);
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

function sourceOf(input: unknown): string {
  const { secretId, detail } = input as { secretId?: string; detail?: { name?: string } };
  return secretId ?? detail?.name ?? "";
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
