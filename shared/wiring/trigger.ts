import type { ExternalSecretsRule, TargetRef } from "../bindings/binding.ts";
import { type Discover, discoverWith } from "../external-secrets/discover.ts";
import type { SourceChange } from "../external-secrets/find-concerned.ts";
import type { NudgeStamp } from "../external-secrets/nudge.ts";
import type { TriggerOutcome } from "../external-secrets/outcome.ts";
import { type Asked, type TriggerDependencies, triggerCluster } from "../external-secrets/trigger-cluster.ts";
import type { Log } from "../observability/log.ts";
import type { Measure } from "../observability/measure.ts";
import { reportTrigger } from "../observability/report-trigger.ts";
import { readTagsWith } from "../source/read-tags.ts";
import type { ClientFor } from "../source/secrets-manager-clients.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";

export type TriggerCall = {
  /** By cluster: those of the bindings that say `externalSecrets`. */
  readonly rules: Readonly<Record<string, ExternalSecretsRule>>;
  readonly change: SourceChange;
  readonly stamp: NudgeStamp;
  /** The targets that the relay itself keeps for the change, once they are written. */
  readonly written: Promise<readonly TargetRef[]>;
  readonly asked?: Asked;
};

export type Trigger = (call: TriggerCall, budget: TimeBudget) => Promise<readonly TriggerOutcome[]>;

/** Trigger mode, connected with the real clients. A file of its own, since it is loaded late. */
export function triggerWith(
  deps: Pick<TriggerDependencies, "connect" | "now" | "wait"> & {
    readonly clientFor: ClientFor;
    readonly log: Log;
    readonly measure: Measure;
  },
): Trigger {
  const readTags = readTagsWith(deps.clientFor);
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
      // A refresh too many is better than one too few.
      return readTags(source, budget).catch(() => "unreadable" as const);
    },
  };
  return async ({ rules, ...call }, budget) => {
    const outcomes = Object.entries(rules).map(([cluster, rule]) => {
      const written = call.written.then((targets) => targets.filter((target) => target.cluster === cluster));
      return triggerCluster(parts, { ...call, cluster, rule, written, budget });
    });
    const all = (await Promise.all(outcomes)).flat();
    for (const outcome of all) reportTrigger(deps.log, deps.measure, call.change.source?.id, outcome);
    return all;
  };
}
