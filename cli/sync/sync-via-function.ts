import pMap from "p-map";
import type { TargetRef } from "../../shared/bindings/binding.ts";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { SecretReference } from "../../shared/source/secret-id.ts";
import type { Source } from "../../shared/source/source.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";
import { CommandError } from "../errors.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { FunctionFailed, invokeFunction } from "../live/invoke-function.ts";
import type { Session } from "../live/open-session.ts";
import type { ReportProgress } from "../terminal/progress.ts";
import { assessRows } from "./sync-from-here.ts";
import { compareObservations, observedIn, type SyncRow } from "./sync-result.ts";

export type FunctionCall = {
  readonly aws: AwsSession;
  readonly functionName: string;
  readonly budget: TimeBudget;
};

/**
 * Syncs these sources in the deployed rotation function, with its permissions and its bindings. Targets that the caller
 * can read are observed before and after; for the others, the function's report counts.
 */
export async function syncViaFunction(
  session: Session,
  groups: readonly SourceBindings[],
  call: FunctionCall & { readonly reportProgress: ReportProgress },
): Promise<SyncRow[]> {
  const { budget, reportProgress } = call;
  const before = await assessRows(session, groups, budget);
  let done = 0;
  const answers = await pMap(
    groups,
    async (group) => {
      const answer = await invokeFor(call, group.source);
      done += 1;
      reportProgress(`${done} of ${groups.length} sources`);
      return { group, answer };
    },
    { concurrency: CALLS_AT_ONCE },
  );
  const after = await assessRows(session, groups, budget);
  return answers.flatMap(({ group: { source, bindings }, answer }) => {
    const targets = new Map(bindings.map(({ target }) => [nameOfTarget(target), target]));
    // The bindings of the function can differ from these.
    for (const { target } of answer.targets) targets.set(nameOfTarget(target), target);
    return [...targets].map(([key, target]): SyncRow => {
      const reported = answer.targets.find((one) => nameOfTarget(one.target) === key);
      const [was, is] = [before.get(key), after.get(key)];
      const { code: _code, advice: _advice, outcome: _outcome, ...row } = was ?? unknownRow(target, source);
      const observed = compareObservations(was, is, reported?.versionId);
      const common = { ...row, ...(is && observedIn(is)), ...observed };
      if (reported !== undefined) return { ...common, outcome: reported.outcome, ...reported.why };
      // A function that failed can have written some targets.
      if (!observed.stale) return { ...common, outcome: isSameVersion(observed) ? "unchanged" : "written" };
      const { code, advice } = answer.fault;
      return { ...common, outcome: "failed", code, advice };
    });
  });
}

/** The same without bindings: only the function's report and the current version are known. */
export async function syncUnobservedViaFunction(
  call: FunctionCall & { readonly describe: Source["describe"] },
  source: SecretReference,
): Promise<SyncRow[]> {
  const { targets, fault } = await invokeFor(call, source);
  const state = await call.describe(source, call.budget);
  if (targets.length === 0) throw new SourceUnknownToFunction(source.id, fault);
  return targets.map(({ target, outcome, versionId, why }) => {
    const is = {
      ...unknownRow(target, source),
      ...(state.kind === "missing" && { finding: "SOURCE_MISSING" as const }),
      ...(state.kind === "current" && { currentVersionId: state.versionId as string }),
    };
    const { code: _code, advice: _advice, outcome: _outcome, ...row } = is;
    return { ...row, outcome, ...compareObservations(undefined, is, versionId), ...why };
  });
}

/** A target without a local binding, which cannot be observed. */
function unknownRow({ cluster, namespace, name }: TargetRef, source: SecretReference): TargetRow {
  const common = { source: source.id, finding: null, action: "unknown", observed: "metadata" } as const;
  return { cluster, namespace, name, ...common, code: "NOT_OBSERVED" };
}

/** The function reported no target, because its bindings do not have that source. */
export class SourceUnknownToFunction extends CommandError {
  readonly code = "NOT_BOUND_AS_DEPLOYED";
  constructor(sourceId: string, fault: Partial<Why>) {
    super(
      fault.code === NOT_BOUND.code
        ? `The deployed function has no binding of ${sourceId}. Check the name, or deploy a new binding.`
        : `${fault.code}: ${fault.advice}`,
    );
  }
}

/** The account limit of Lambda is 1,000; the limit of the function is far lower. */
const CALLS_AT_ONCE = 4;

type Why = { readonly code: string; readonly advice: string };

export type Answer = {
  readonly targets: readonly {
    readonly target: TargetRef;
    readonly outcome: SyncOutcome["kind"];
    readonly versionId?: string;
    readonly why: Partial<Why>;
  }[];
  /** The reason for a target without a report, with the codes in it. */
  readonly fault: Why & Partial<Pick<FunctionFailed, "causes">>;
};

const NOT_BOUND: Why = {
  code: "NOT_BOUND_AS_DEPLOYED",
  advice:
    "The deployed function does not have this binding. Build and deploy, or run the command without --via-lambda.",
};

/** Calls the rotation function for one source, and returns its report on the targets, or why it failed. */
export async function invokeFor(call: FunctionCall, source: SecretReference): Promise<Answer> {
  const { aws, functionName, budget } = call;
  try {
    const answer = await invokeFunction(aws, functionName, { secretId: source.id }, budget.remainingMs());
    return { targets: parseTargets(answer), fault: NOT_BOUND };
  } catch (error) {
    if (!(error instanceof RelayError) || !error.retryable) throw error;
    const causes = error instanceof FunctionFailed ? { causes: error.causes } : {};
    return { targets: [], fault: { code: error.code, advice: error.message, ...causes } };
  }
}

/** Parses a RotationReport, and drops everything else. */
function parseTargets(answer: unknown): Answer["targets"] {
  const { targets } = (answer ?? {}) as { targets?: unknown };
  if (!Array.isArray(targets)) return [];
  return targets.flatMap((each: Record<string, unknown> | null) => {
    const { target, versionId, code, advice } = each ?? {};
    const outcome = OUTCOMES.find((known) => known === each?.outcome);
    const parts = typeof target === "string" ? /^([^/]+)\/([^/]+)\/([^/]+)$/.exec(target) : null;
    if (parts === null || outcome === undefined) return [];
    const [, cluster = "", namespace = "", name = ""] = parts;
    return {
      target: { cluster, namespace, name },
      outcome,
      ...(typeof versionId === "string" && { versionId }),
      why: typeof code === "string" && typeof advice === "string" ? { code, advice } : {},
    };
  });
}

const OUTCOMES: readonly SyncOutcome["kind"][] = ["written", "unchanged", "refused", "failed"];

const isSameVersion = ({ before, after }: Pick<SyncRow, "before" | "after">): boolean =>
  before !== null &&
  after !== null &&
  "versionId" in before &&
  "versionId" in after &&
  before.versionId === after.versionId;
