import { randomUUID } from "node:crypto";
import type { Binding, TargetRef } from "../bindings/binding.ts";
import type { BindingIndex } from "../bindings/binding-index.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { CallCounts } from "../runtime/call-counter.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { keyOfSource } from "../source/key-of-source.ts";
import type { AwsLocation } from "../source/secret-id.ts";
import type { ClusterSweep, SweepDependencies } from "./cluster-sweep.ts";
import { describeOnce } from "./describe-once.ts";
import type { SweepMode, SweepReport } from "./report.ts";
import { listedOf, nameOfSecret, type Shard, type SweepItem, shardItemOf, splitIntoShards } from "./shard.ts";
import { type ShardResult, sweepShard } from "./sweep-shard.ts";
import type { TargetRow } from "./target-row.ts";

/** Sends shards to other invocations of the function. Returns the number of queue messages. */
export type SendShards = (shards: readonly Shard[]) => Promise<number>;

export type SweepSettings = {
  readonly self: AwsLocation;
  readonly budget: TimeBudget;
  /** With a queue, a sweep of more bindings is split into shards. */
  readonly shardBindingsMax: number;
  readonly deletionsShareMax: number;
  readonly deletionGraceMs: number;
  readonly mayDelete: boolean;
  /** Absent on the command line, which has no queue. */
  readonly sendShards?: SendShards;
};

export type Sweeper = SweepDependencies &
  SweepSettings & {
    readonly index: BindingIndex;
    /** All bindings, if the index has only those that a publication changed. */
    readonly readAll?: () => Promise<BindingIndex>;
    /** Of published bindings. */
    readonly generation?: number;
  };

export type SweepRequest = {
  readonly mode: SweepMode;
  /** Report only, and change nothing. */
  readonly plan: boolean;
  /** Only these clusters, by their keys in the bindings; all of them otherwise. */
  readonly clusters?: readonly string[];
  /** Report targets in order too, except those in the queue. */
  readonly inventory?: boolean;
  /** Check the Pods for all bindings, and not only for those with `checkPods`. */
  readonly checksAllPods?: boolean;
  /** Only these bindings, and no orphans; all of them otherwise. */
  readonly only?: (binding: Binding) => boolean;
  /** The bindings of the index are those that publications changed since this generation; no other orphans. */
  readonly since?: number;
  /** Targets that a publication unbound. */
  readonly unbound?: readonly TargetRef[];
  /** The bindings whose shards are queued first. */
  readonly isFirst?: (binding: Binding) => boolean;
};

/**
 * A whole sweep. A small one runs here, with its clusters in parallel; a large one is split into shards for the queue.
 * A plan always runs here, because its caller reads the report.
 */
export async function runSweep(sweeper: Sweeper, request: SweepRequest): Promise<SweepReport> {
  const { sendShards, shardBindingsMax, now, calls } = sweeper;
  const sweep: Sweep = { ...request, sweepId: randomUUID(), sweepStartedAt: now(), callsBefore: calls() };
  const items = await listItems(sweeper, request);
  if (sendShards === undefined || request.plan || items.length <= shardBindingsMax) {
    return sweepItems(sweeper, sweep, items);
  }
  const { isFirst = () => false } = request;
  const { true: first = [], false: others = [] } = Object.groupBy(
    items,
    ({ binding }) => `${isFirst(binding)}`,
  );
  const shards = [first, others].flatMap((part) => shardsOf(sweep, part, shardBindingsMax));
  const shardsQueued = await sendShards(shards);
  return { ...reportOf(sweeper, sweep, []), shardsQueued };
}

/** One shard from the queue. */
export async function runShard(sweeper: Sweeper, shard: Shard): Promise<SweepReport> {
  const bindings = bindingsByTarget(sweeper.index, shard.cluster);
  // A repeated target counts once, also for the allowed number of deletions.
  const byName = new Map(
    shard.items.map((item) => [nameOfSecret({ namespace: item.n, name: item.t }), item]),
  );
  const items = [...byName].flatMap(([name, item]): SweepItem[] => {
    const binding = bindings.get(name);
    if (binding === undefined) return []; // unbound since the sweep started
    const listed = listedOf(item, binding);
    return [{ binding, ...(listed !== undefined && { listed }) }];
  });
  return sweepItems(sweeper, { ...shard, callsBefore: sweeper.calls() }, items);
}

type Sweep = Pick<Shard, "sweepId" | "mode" | "plan" | "sweepStartedAt" | "since"> &
  Pick<SweepRequest, "inventory" | "checksAllPods" | "only" | "unbound"> & {
    readonly callsBefore: CallCounts;
  };

async function listItems(
  { index, source, self, budget }: Sweeper,
  { mode, clusters, only = () => true }: SweepRequest,
): Promise<SweepItem[]> {
  const bindings = index.bindings.filter(
    (binding) => (clusters?.includes(binding.target.cluster) ?? true) && only(binding),
  );
  if (mode !== "metadata") return bindings.map((binding) => ({ binding }));
  const all = bindings.flatMap((binding) => binding.sources);
  const sources = [...new Map(all.map((each) => [keyOfSource(each), each])).values()];
  const states = await source.listStates({ sources, self, budget });
  return bindings.map((binding): SweepItem => {
    const listed = binding.sources.map((each) => states.get(keyOfSource(each)));
    return { binding, ...(listed.some((state) => state !== undefined) && { listed }) };
  });
}

async function sweepItems(sweeper: Sweeper, sweep: Sweep, items: readonly SweepItem[]): Promise<SweepReport> {
  const { sendShards, shardBindingsMax } = sweeper;
  const shared = { ...sweeper, source: describeOnce(sweeper.source) };
  const byCluster = Map.groupBy(items, ({ binding }) => binding.target.cluster);
  const unbound = (sweep.unbound ?? []).map(({ cluster }) => cluster);
  const results = await Promise.all(
    [...new Set([...byCluster.keys(), ...unbound])].map((clusterKey) =>
      sweepShard(clusterSweepOf(shared, sweep, clusterKey, byCluster.get(clusterKey) ?? [])),
    ),
  );
  const left = results.flatMap((result) => result.left);
  if (left.length === 0) return reportOf(sweeper, sweep, results);
  if (sendShards === undefined || sweep.plan) {
    const empty = { orphansUnknown: [], checked: 0, left: [] };
    const outOfTime = { ...empty, targets: left.map(rowOutOfTime), unknown: left.length };
    return reportOf(sweeper, sweep, [...results, outOfTime]);
  }
  const shardsQueued = await sendShards(shardsOf(sweep, left, shardBindingsMax));
  return { ...reportOf(sweeper, sweep, results), shardsQueued };
}

function clusterSweepOf(
  sweeper: Sweeper,
  { mode, plan, inventory = false, checksAllPods = false, only, since, unbound = [] }: Sweep,
  clusterKey: string,
  items: readonly SweepItem[],
): Omit<ClusterSweep, "cluster"> {
  const { index, readAll = async () => index, deletionGraceMs } = sweeper;
  const bound = bindingsByTarget(index, clusterKey);
  const namespaces = namespacesLedBy(bound, items);
  const others = Object.keys(index.clusters).filter((other) => other !== clusterKey);
  return {
    ...sweeper,
    clusterKey,
    items,
    mode,
    plan,
    inventory,
    checksAllPods,
    rules: { ownMetadata: index.ownMetadata, deletionGraceMs },
    isBound: (namespace, name) => bound.has(nameOfSecret({ namespace, name })),
    unbound: unbound.filter(({ cluster }) => cluster === clusterKey),
    alsoBoundIn: async (namespace, name) => {
      const all = await readAll();
      return others.filter((other) => bindingsByTarget(all, other).has(nameOfSecret({ namespace, name })));
    },
    judgesOrphansIn: (namespace) => only === undefined && since === undefined && namespaces.has(namespace),
  };
}

function reportOf(
  { now, calls, generation }: Sweeper,
  sweep: Sweep,
  results: readonly ShardResult[],
): SweepReport {
  const [after, before] = [calls(), sweep.callsBefore];
  const checked = results.reduce((sum, result) => sum + result.checked, 0);
  const unknown = results.reduce((sum, result) => sum + result.unknown, 0);
  const { sweepId, mode, plan, since } = sweep;
  return {
    ...{ version: 1, sweepId, mode, plan },
    ...(generation !== undefined && { generation }),
    ...(since !== undefined && { since }),
    startedAt: new Date(sweep.sweepStartedAt).toISOString(),
    endedAt: new Date(now()).toISOString(),
    bindings: checked + unknown,
    checked,
    shardsQueued: 0,
    targets: results.flatMap((result) => result.targets),
    orphansUnknown: results.flatMap((result) => result.orphansUnknown),
    calls: {
      aws: after.aws - before.aws,
      kubernetes: after.kubernetes - before.kubernetes,
      throttles: after.throttles - before.throttles,
    },
  };
}

function rowOutOfTime({ binding }: SweepItem): TargetRow {
  return {
    ...binding.target,
    source: nameOfSources(binding),
    finding: null,
    action: "unknown",
    observed: "metadata",
    code: "SWEEP_OUT_OF_TIME",
    advice:
      "The sweep ran out of time before this Secret, and had no queue for the remaining ones. Raise SweepTimeoutSeconds, or sweep fewer clusters.",
  };
}

function shardsOf(sweep: Sweep, items: readonly SweepItem[], sizeMax: number): Shard[] {
  const { sweepId, mode, plan, sweepStartedAt, since } = sweep;
  return splitIntoShards(items, sizeMax).map((part) => ({
    version: 1,
    ...{ sweepId, mode, plan, sweepStartedAt },
    ...(since !== undefined && { since }),
    cluster: part.cluster,
    items: part.items.map(shardItemOf),
  }));
}

export function findBinding(index: BindingIndex, target: TargetRef): Binding | undefined {
  return bindingsByTarget(index, target.cluster).get(nameOfSecret(target));
}

function bindingsByTarget(index: BindingIndex, cluster: string): ReadonlyMap<string, Binding> {
  const known = byIndex.get(index) ?? new Map<string, ReadonlyMap<string, Binding>>();
  byIndex.set(index, known);
  const found = known.get(cluster) ?? mapTargets(index, cluster);
  known.set(cluster, found);
  return found;
}

/** Cached by index: an execution environment may sweep a hundred shards. */
const byIndex = new WeakMap<BindingIndex, Map<string, ReadonlyMap<string, Binding>>>();

function mapTargets(index: BindingIndex, cluster: string): ReadonlyMap<string, Binding> {
  return new Map(
    index.bindings
      .filter(({ target }) => target.cluster === cluster)
      .map((binding) => [nameOfSecret(binding.target), binding]),
  );
}

/** The namespaces whose first binding is among these items, which is true for exactly one shard per namespace. */
function namespacesLedBy(
  bound: ReadonlyMap<string, Binding>,
  items: readonly SweepItem[],
): ReadonlySet<string> {
  const leaders = leadersOf(bound);
  return new Set(
    items.flatMap(({ binding: { target } }) =>
      leaders.get(target.namespace) === target.name ? [target.namespace] : [],
    ),
  );
}

/** The first binding of each namespace, by name. */
function leadersOf(bound: ReadonlyMap<string, Binding>): ReadonlyMap<string, string> {
  const known = byBound.get(bound);
  if (known !== undefined) return known;
  const leaders = new Map<string, string>();
  for (const { target } of bound.values()) {
    if (!leaders.has(target.namespace)) leaders.set(target.namespace, target.name);
  }
  byBound.set(bound, leaders);
  return leaders;
}

const byBound = new WeakMap<ReadonlyMap<string, Binding>, ReadonlyMap<string, string>>();
