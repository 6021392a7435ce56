import type { ExternalSecretsRule, TargetRef } from "../bindings/binding.ts";
import { type Discover, discoverWith } from "../external-secrets/discover.ts";
import type { SourceChange } from "../external-secrets/find-affected.ts";
import { nameMatcher } from "../external-secrets/match-name.ts";
import type { NudgeStamp } from "../external-secrets/nudge.ts";
import type { TriggerOutcome } from "../external-secrets/outcome.ts";
import { reportTrigger } from "../external-secrets/report-trigger.ts";
import {
  type ForceRequest,
  type TriggerDependencies,
  triggerCluster,
} from "../external-secrets/trigger-cluster.ts";
import type { Log } from "../runtime/log.ts";
import type { Measure } from "../runtime/metrics.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { Source } from "../source/source.ts";

export type TriggerCall = {
  /** By cluster: the clusters with `externalSecrets` in the bindings. */
  readonly rules: Readonly<Record<string, ExternalSecretsRule>>;
  readonly change: SourceChange;
  readonly stamp: NudgeStamp;
  /** Resolves to the relay's own targets of the change after they are written. */
  readonly written: Promise<readonly TargetRef[]>;
  readonly asked?: ForceRequest;
};

export type Trigger = (call: TriggerCall, budget: TimeBudget) => Promise<readonly TriggerOutcome[]>;

/** Trigger mode with the real clients. A separate file, because it is loaded lazily. */
export function triggerWith(
  deps: Pick<TriggerDependencies, "connect" | "now" | "wait"> & {
    readonly source: Pick<Source, "readTags">;
    readonly log: Log;
    readonly measure: Measure;
  },
): Trigger {
  const discovered = new Map<string, Discover>();
  const discover = (clusterKey: string): Discover => {
    const known = discovered.get(clusterKey) ?? discoverWith(deps.connect(clusterKey), clusterKey, deps.now);
    discovered.set(clusterKey, known);
    return known;
  };
  const parts: TriggerDependencies = {
    ...deps,
    discover,
    readTags: async ({ source }, budget) => {
      if (source === undefined) return "unreadable";
      // A needless refresh is better than a missed one.
      return deps.source.readTags(source, budget).catch(() => "unreadable" as const);
    },
  };
  return async ({ rules, ...call }, budget) => {
    const names = nameMatcher(() => performance.now(), yieldTurn);
    const outcomes = Object.entries(rules).map(([cluster, rule]) => {
      const written = call.written.then((targets) => targets.filter((target) => target.cluster === cluster));
      return triggerCluster(parts, { ...call, cluster, rule, written, names, budget });
    });
    const all = (await Promise.all(outcomes)).flat();
    for (const outcome of all) reportTrigger(deps.log, deps.measure, call.change.source?.id, outcome);
    return all;
  };
}

const yieldTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
