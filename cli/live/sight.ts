import pMap from "p-map";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../../shared/relay-error.ts";
import type { SourceState } from "../../shared/source/source-state.ts";
import { observeSources } from "../../shared/sweep/observe-sources.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "./open-live.ts";

/** One binding as it is now: its source and its target, both without a value. */
export type Sight = {
  readonly binding: Binding;
  readonly source: SourceState;
  readonly target: TargetSight;
};

export type TargetSight =
  | { readonly kind: "there"; readonly live: LiveMetadata }
  | { readonly kind: "absent" }
  /** We could not look, which says nothing about the target. */
  | { readonly kind: "unseen"; readonly code: string; readonly advice: string };

/** Looks at each binding by metadata alone. What cannot be looked at is told, and holds up nothing. */
export async function sightBindings(
  live: Live,
  groups: readonly SourceBindings[],
  budget: TimeBudget,
): Promise<Sight[]> {
  const sources = groups.map(({ source }) => source);
  const listed = await observeSources(live.catalog, { sources, self: live.aws.home, budget });
  const sights = await pMap(
    groups,
    async ({ source, bindings }) => {
      const state = listed.get(source.id) ?? (await live.catalog.describe(source, budget));
      return Promise.all(
        bindings.map(async (binding): Promise<Sight> => {
          return { binding, source: state, target: await sightTarget(live, binding, budget) };
        }),
      );
    },
    { concurrency: live.targetsAtOnce },
  );
  return sights.flat();
}

async function sightTarget(live: Live, { target }: Binding, budget: TimeBudget): Promise<TargetSight> {
  try {
    const found = await live.connect(target.cluster).readMetadata(target, budget);
    return found === undefined ? { kind: "absent" } : { kind: "there", live: found };
  } catch (error) {
    const { code, message } = error instanceof RelayError ? error : UnexpectedFault.from(error);
    return { kind: "unseen", code, advice: message };
  }
}
