import pMap from "p-map";
import type { TargetRef } from "../../shared/bindings/binding.ts";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { SecretReference } from "../../shared/secret-id/secret-id.ts";
import type { SourceCatalog } from "../../shared/source/source-catalog.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { SyncOutcome } from "../../shared/sync/outcome.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { invokeFunction } from "../live/invoke-function.ts";
import type { Live } from "../live/open-live.ts";
import type { Tell } from "../terminal/progress.ts";
import { assessRows } from "./sync-from-here.ts";
import { observedIn, type SyncRow, seenRound } from "./sync-result.ts";

export type FunctionCall = {
  readonly aws: AwsSession;
  readonly functionName: string;
  readonly budget: TimeBudget;
};

/**
 * Has the deployed rotation function sync these sources: with its rights, and by the bindings that it was deployed
 * with. What this caller may read is observed before and after; the rest is what the function reports.
 */
export async function syncViaFunction(
  live: Live,
  groups: readonly SourceBindings[],
  call: FunctionCall & { readonly tell: Tell },
): Promise<SyncRow[]> {
  const { budget, tell } = call;
  const before = await assessRows(live, groups, budget);
  let done = 0;
  const answers = await pMap(
    groups,
    async (group) => {
      const answer = await invokeFor(call, group.source);
      done += 1;
      tell(`${done} of ${groups.length} sources`);
      return { group, answer };
    },
    { concurrency: CALLS_AT_ONCE },
  );
  const after = await assessRows(live, groups, budget);
  return answers.flatMap(({ group: { source, bindings }, answer }) => {
    const targets = new Map(bindings.map(({ target }) => [nameOfTarget(target), target]));
    // The function may be bound to more than these bindings say, or to less.
    for (const { target } of answer.targets) targets.set(nameOfTarget(target), target);
    return [...targets].map(([key, target]): SyncRow => {
      const told = answer.targets.find((one) => nameOfTarget(one.target) === key);
      const [was, is] = [before.get(key), after.get(key)];
      const { code: _code, advice: _advice, outcome: _outcome, ...row } = was ?? unknownRow(target, source);
      const seen = seenRound(was, is, told?.versionId);
      const common = { ...row, ...(is && observedIn(is)), ...seen };
      if (told !== undefined) return { ...common, outcome: told.outcome, ...told.why };
      // Of several targets it may have written some before it failed: what is there now shows it.
      if (!seen.stale) return { ...common, outcome: isSameVersion(seen) ? "unchanged" : "written" };
      return { ...common, outcome: "failed", ...answer.fault };
    });
  });
}

/** The same without bindings at hand: all that is known is what the function reports, and what is current. */
export async function syncUnseenViaFunction(
  call: FunctionCall & { readonly catalog: SourceCatalog },
  source: SecretReference,
): Promise<SyncRow[]> {
  const { targets, fault } = await invokeFor(call, source);
  const state = await call.catalog.describe(source, call.budget);
  if (targets.length === 0) throw new SourceUnknownToFunction(source.id, fault);
  return targets.map(({ target, outcome, versionId, why }) => {
    const is = {
      ...unknownRow(target, source),
      ...(state.kind === "missing" && { finding: "SOURCE_MISSING" as const }),
      ...(state.kind === "current" && { currentVersionId: state.versionId as string }),
    };
    const { code: _code, advice: _advice, outcome: _outcome, ...row } = is;
    return { ...row, outcome, ...seenRound(undefined, is, versionId), ...why };
  });
}

/** A target that these bindings do not name, so that nothing could be observed of it from here. */
function unknownRow({ cluster, namespace, name }: TargetRef, source: SecretReference): TargetRow {
  const common = { source: source.id, finding: null, action: "unknown", observed: "metadata" } as const;
  return { cluster, namespace, name, ...common, code: "NOT_OBSERVED" };
}

/** The function said nothing of a target: its bindings do not hold that source. */
export class SourceUnknownToFunction extends RelayError {
  override readonly name = "SourceUnknownToFunction";
  readonly code = "NOT_BOUND_AS_DEPLOYED";
  readonly retryable = false;
  constructor(sourceId: string, fault: Partial<Why>) {
    super(
      fault.code === NOT_BOUND.code
        ? `The deployed function has no binding of ${sourceId}. Check the name; deploy, if the binding is new.`
        : `${fault.code}: ${fault.advice}`,
    );
  }
}

/** Lambda's account limit is a thousand, and the function's own is far below. */
const CALLS_AT_ONCE = 4;

type Why = { readonly code: string; readonly advice: string };

type Answer = {
  readonly targets: readonly {
    readonly target: TargetRef;
    readonly outcome: SyncOutcome["kind"];
    readonly versionId?: string;
    readonly why: Partial<Why>;
  }[];
  /** Why nothing is said of a target. */
  readonly fault: Why;
};

const NOT_BOUND: Why = {
  code: "NOT_BOUND_AS_DEPLOYED",
  advice: "The deployed function does not have this binding. Build and deploy, or leave --via-lambda out.",
};

async function invokeFor(call: FunctionCall, source: SecretReference): Promise<Answer> {
  const { aws, functionName, budget } = call;
  try {
    const answer = await invokeFunction(aws, functionName, { secretId: source.id }, budget.remainingMs());
    return { targets: parseTargets(answer), fault: NOT_BOUND };
  } catch (error) {
    if (!(error instanceof RelayError) || !error.retryable) throw error;
    return { targets: [], fault: { code: error.code, advice: error.message } };
  }
}

/** What the rotation function returns (RotationReport). Anything else counts as nothing said. */
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
