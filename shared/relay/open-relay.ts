import type { Rules } from "../bindings/published/rules.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { limitFailures } from "../cluster/limit-failures.ts";
import type { CallCounter } from "../runtime/call-counter.ts";
import type { Log } from "../runtime/log.ts";
import type { Measure } from "../runtime/metrics.ts";
import type { Wait } from "../runtime/retry.ts";
import type { ReadCurrent, RotationSource } from "../source/source.ts";
import type { FollowUp } from "../workloads/follow-up.ts";
import { ROLLOUT_DEADLINE_MS } from "../workloads/rollout-deadline.ts";
import type { SendFollowUp } from "./send-follow-up.ts";
import type { Trigger } from "./trigger.ts";
import { warmUp } from "./warm-up.ts";

/** What the functions, the command line and the tests each bring: the ways to AWS and to the clusters. */
export type RelayOptions<S extends RotationSource> = {
  readonly source: S;
  readonly connect: (clusterKey: string) => ClusterConnection;
  /** Concurrent requests to one cluster. */
  readonly targetsAtOnce: number;
  /** After this time a rollout that has not completed is stuck. */
  readonly rolloutDeadlineMs?: number;
  /** Absent on the command line, which has no queue. */
  readonly sendFollowUp?: SendFollowUp;
  readonly counter: CallCounter;
  readonly now: () => number;
  readonly wait: Wait;
  readonly log?: Log;
  readonly measure?: Measure;
};

/** The parts of a relay, for the rules of one generation. A sweep needs all of `Source`. */
export type Relay<S extends RotationSource = RotationSource> = {
  readonly rules: Rules;
  readonly checkRules: Rules["check"];
  readonly source: S;
  readonly readCurrent: ReadCurrent;
  readonly connect: (clusterKey: string) => ClusterConnection;
  readonly targetsAtOnce: number;
  readonly calls: CallCounter["counts"];
  readonly now: () => number;
  readonly wait: Wait;
  /** Restarts and nudges the readers of a target, where its binding says so. */
  readonly followUp: FollowUp;
  /** Makes ESO refresh the objects that read a changed source, in clusters with trigger mode. */
  readonly trigger: Trigger;
  /** Opens connections during init, so that the first event does not wait for them. */
  readonly warmUp: () => Promise<void>;
  readonly log: Log;
  readonly measure: Measure;
};

/** The one place that puts the parts together. */
export function openRelay<S extends RotationSource>(rules: Rules, options: RelayOptions<S>): Relay<S> {
  const { source, counter, targetsAtOnce, now, wait } = options;
  const { log = () => {}, measure = () => {}, rolloutDeadlineMs = ROLLOUT_DEADLINE_MS } = options;
  const { sendFollowUp } = options;
  const connect = limitedConnections(options);
  let trigger: Promise<Trigger> | undefined;
  return {
    rules,
    checkRules: rules.check,
    source,
    readCurrent: source.readCurrent,
    connect,
    targetsAtOnce,
    calls: counter.counts,
    now,
    wait,
    // Loaded only when a binding needs it, which keeps other cold starts short.
    followUp: async (settled, budget) => {
      const { followUp } = await import("./follow-up.ts");
      const deps = { connect, now, wait, log, measure, rolloutDeadlineMs };
      return followUp({ ...deps, ...(sendFollowUp && { sendFollowUp }) }, settled, budget);
    },
    trigger: async (call, budget) => {
      trigger ??= import("./trigger.ts").then(({ triggerWith }) =>
        triggerWith({ connect, now, wait, source, log, measure }),
      );
      return (await trigger)(call, budget);
    },
    warmUp: () => warmUp(rules.clusters, connect, source),
    log,
    measure,
  };
}

function limitedConnections({
  connect,
  targetsAtOnce,
}: Pick<RelayOptions<RotationSource>, "connect" | "targetsAtOnce">): Relay["connect"] {
  const limited = new Map<string, ClusterConnection>();
  return (clusterKey) => {
    const known = limited.get(clusterKey) ?? limitFailures(connect(clusterKey), { atOnce: targetsAtOnce });
    limited.set(clusterKey, known);
    return known;
  };
}
