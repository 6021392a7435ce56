import type { CompiledBindings } from "../bindings/binding.ts";
import { type BindingIndex, indexPerLocation } from "../bindings/binding-index.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { limitFailures } from "../cluster/limit-failures.ts";
import type { CallCounter } from "../runtime/call-counter.ts";
import type { Log } from "../runtime/log.ts";
import type { Measure } from "../runtime/metrics.ts";
import type { Wait } from "../runtime/retry.ts";
import type { AwsLocation } from "../source/secret-id.ts";
import type { ReadCurrent, RotationSource } from "../source/source.ts";
import type { FollowUp } from "../workloads/follow-up.ts";
import type { Trigger } from "./trigger.ts";
import { warmUp } from "./warm-up.ts";

/** What the functions, the command line and the tests each bring: the ways to AWS and to the clusters. */
export type RelayOptions<S extends RotationSource> = {
  readonly source: S;
  readonly connect: (clusterKey: string) => ClusterConnection;
  /** Concurrent requests to one cluster. */
  readonly targetsAtOnce: number;
  readonly counter: CallCounter;
  readonly now: () => number;
  readonly wait: Wait;
  readonly log?: Log;
  readonly measure?: Measure;
};

/** The parts of a relay. A sweep needs all of `Source`. */
export type Relay<S extends RotationSource = RotationSource> = {
  readonly bindings: CompiledBindings;
  /** The bindings for a caller in that account and Region. */
  readonly bindingsFor: (self: AwsLocation) => BindingIndex;
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
export function openRelay<S extends RotationSource>(
  bindings: CompiledBindings,
  options: RelayOptions<S>,
): Relay<S> {
  const { source, counter, targetsAtOnce, now, wait } = options;
  const { log = () => {}, measure = () => {} } = options;
  const connect = limitedConnections(options);
  let trigger: Promise<Trigger> | undefined;
  return {
    bindings,
    bindingsFor: indexPerLocation(bindings),
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
      return followUp({ connect, now, wait, log, measure }, settled, budget);
    },
    trigger: async (call, budget) => {
      trigger ??= import("./trigger.ts").then(({ triggerWith }) =>
        triggerWith({ connect, now, wait, source, log, measure }),
      );
      return (await trigger)(call, budget);
    },
    warmUp: () => warmUp(bindings.clusters, connect, source),
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
