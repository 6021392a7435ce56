import pMap from "p-map";
import type { TargetRef } from "../../shared/bindings/binding.ts";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import { nameOfTarget } from "../../shared/observability/report-outcome.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { SecretReference } from "../../shared/secret-id/secret-id.ts";
import type { SourceCatalog } from "../../shared/source/source-catalog.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { AwsSession } from "../live/aws-session.ts";
import { invokeFunction } from "../live/invoke-function.ts";
import type { Live } from "../live/open-live.ts";
import { type Sight, sightBindings } from "../live/sight.ts";
import type { Tell } from "../terminal/progress.ts";
import { type Held, heldBy, type SyncResult, staleness } from "./sync-result.ts";

export type FunctionCall = {
  readonly aws: AwsSession;
  readonly functionName: string;
  readonly budget: TimeBudget;
};

/**
 * Has the deployed rotation function sync these sources: with its rights, and by the bindings that it was deployed
 * with. What can be looked at from here is looked at before and after; the rest is what the function says.
 */
export async function syncViaFunction(
  live: Live,
  groups: readonly SourceBindings[],
  call: FunctionCall & { readonly tell: Tell },
): Promise<SyncResult[]> {
  const { budget, tell } = call;
  const before = await sightBindings(live, groups, budget);
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
  const after = await sightBindings(live, groups, budget);
  return answers.flatMap(({ group: { source, bindings }, answer }) => {
    const targets = new Map(bindings.map(({ target }) => [nameOfTarget(target), target]));
    // The function may be bound to more than these bindings say, or to less.
    for (const { target } of answer.targets) targets.set(nameOfTarget(target), target);
    return [...targets.values()].map((target): SyncResult => {
      const told = answer.targets.find((one) => nameOfTarget(one.target) === nameOfTarget(target));
      const seenBefore = findSight(before, target);
      const seenAfter = findSight(after, target);
      const held: Held = seenAfter === undefined ? NOT_LOOKED_AT : heldBy(seenAfter.target);
      // What is bound as deployed only is taken for a binding of that source alone.
      const ofSource = ({ binding }: Sight) => binding.sources.some(({ id }) => id === source.id);
      const state = seenAfter?.source ?? after.find(ofSource)?.source;
      const heldBefore: Held = seenBefore === undefined ? NOT_LOOKED_AT : heldBy(seenBefore.target);
      const found = staleness(state, held, told?.versionId);
      const seen = { target, source: source.id, before: heldBefore, after: held, ...found };
      if (told !== undefined) return { ...seen, outcome: told.outcome, ...told.why };
      // Of several targets it may have written some before it failed: what is there now tells.
      if (!found.stale)
        return { ...seen, outcome: isSameVersion(heldBefore, held) ? "unchanged" : "written" };
      return { ...seen, outcome: "failed", ...answer.fault };
    });
  });
}

/** The same without bindings at hand: all that is known is what the function says, and what is current. */
export async function syncUnseenViaFunction(
  call: FunctionCall & { readonly catalog: SourceCatalog },
  source: SecretReference,
): Promise<SyncResult[]> {
  const { targets, fault } = await invokeFor(call, source);
  const state = await call.catalog.describe(source, call.budget);
  if (targets.length === 0) throw new SourceUnknownToFunction(source.id, fault);
  return targets.map(({ target, outcome, versionId, why }) => ({
    target,
    source: source.id,
    outcome,
    before: NOT_LOOKED_AT,
    after: NOT_LOOKED_AT,
    ...staleness(state, NOT_LOOKED_AT, versionId),
    ...why,
  }));
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

const NOT_LOOKED_AT = { unseen: "NOT_LOOKED_AT" } as const;

type Why = { readonly code: string; readonly advice: string };

type Answer = {
  readonly targets: readonly {
    readonly target: TargetRef;
    readonly outcome: string;
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
    const { target, outcome, versionId, code, advice } = each ?? {};
    const parts = typeof target === "string" ? /^([^/]+)\/([^/]+)\/([^/]+)$/.exec(target) : null;
    if (parts === null || typeof outcome !== "string") return [];
    const [, cluster = "", namespace = "", name = ""] = parts;
    return {
      target: { cluster, namespace, name },
      outcome,
      ...(typeof versionId === "string" && { versionId }),
      why: typeof code === "string" && typeof advice === "string" ? { code, advice } : {},
    };
  });
}

function findSight(sights: readonly Sight[], target: TargetRef): Sight | undefined {
  return sights.find(({ binding }) => nameOfTarget(binding.target) === nameOfTarget(target));
}

const isSameVersion = (one: Held, other: Held): boolean =>
  one !== null &&
  other !== null &&
  "versionId" in one &&
  "versionId" in other &&
  one.versionId === other.versionId;
