import { randomUUID } from "node:crypto";
import type { Binding } from "../bindings/binding.ts";
import type { BindingIndex } from "../bindings/binding-index.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
import { keyOfSource } from "../secret-id/key-of-source.ts";
import type { SecretHome } from "../secret-id/secret-id.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { describeOnce } from "./describe-once.ts";
import { observeSources } from "./observe-sources.ts";
import type { CallCounts, SweepMode, SweepReport } from "./report.ts";
import { listedOf, nameOfSecret, type Shard, type SweepItem, shardItemOf, splitIntoShards } from "./shard.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";
import { type ShardResult, sweepShard } from "./sweep-shard.ts";
import type { TargetRow } from "./target-row.ts";

/** Hands shards to other invocations of the function; answers how many messages they became. */
export type SendShards = (shards: readonly Shard[]) => Promise<number>;

export type SweepSettings = {
  readonly self: SecretHome;
  readonly budget: TimeBudget;
  /** More bindings than this are split over several invocations, where there is a queue for it. */
  readonly shardBindingsMax: number;
  /** From 0 to 1; see deleteWithinShare. */
  readonly deletionsShareMax: number;
  readonly deletionGraceMs: number;
  /** False where the bindings come from a local file, which may be older than what is deployed. */
  readonly mayDelete: boolean;
  /** Absent where nobody could take a shard over, as on a command line. */
  readonly sendShards?: SendShards;
};

export type SweepRequest = {
  readonly mode: SweepMode;
  /** Report what would be done, and change nothing. */
  readonly plan: boolean;
  /** Only these clusters, by their keys in the bindings; all of them otherwise. */
  readonly clusters?: readonly string[];
  /** Report what is in order, too; not of what goes through the queue. */
  readonly inventory?: boolean;
  /** Only these bindings, and no orphans; all of them otherwise. */
  readonly only?: (binding: Binding) => boolean;
};

/**
 * A whole sweep. A small one is done here, its clusters side by side; a large one is split into shards for the queue.
 * A plan is always made here, because whoever asked for it wants to read it.
 */
export async function runSweep(
  deps: SweepDependencies,
  index: BindingIndex,
  request: SweepRequest,
  settings: SweepSettings,
): Promise<SweepReport> {
  const sweep = { ...request, sweepId: randomUUID(), sweepStartedAt: deps.now() };
  const callsBefore = deps.calls();
  const items = await listItems(deps, index, request, settings);
  const { sendShards, shardBindingsMax } = settings;
  if (sendShards === undefined || request.plan || items.length <= shardBindingsMax) {
    return sweepItems(deps, index, { sweep, items, callsBefore }, settings);
  }
  const shards = splitIntoShards(items, shardBindingsMax).map((part) =>
    shardOf(sweep, part.cluster, part.items),
  );
  const shardsQueued = await sendShards(shards);
  return { ...reportOf(deps, sweep, callsBefore, []), shardsQueued };
}

/** One shard, as it came from the queue. */
export async function runShard(
  deps: SweepDependencies,
  index: BindingIndex,
  shard: Shard,
  settings: SweepSettings,
): Promise<SweepReport> {
  const bindings = bindingsByTarget(index, shard.cluster);
  // By name: one that comes a thousand times would be looked at as often, and make room for as many deletions.
  const byName = new Map(
    shard.items.map((item) => [nameOfSecret({ namespace: item.n, name: item.t }), item]),
  );
  const items = [...byName].flatMap(([name, item]): SweepItem[] => {
    const binding = bindings.get(name);
    if (binding === undefined) return []; // unbound since the sweep began
    const listed = listedOf(item, binding);
    return [{ binding, ...(listed !== undefined && { listed }) }];
  });
  return sweepItems(deps, index, { sweep: shard, items, callsBefore: deps.calls() }, settings);
}

type Sweep = Pick<Shard, "sweepId" | "mode" | "plan" | "sweepStartedAt"> &
  Pick<SweepRequest, "inventory" | "only">;

async function listItems(
  deps: SweepDependencies,
  index: BindingIndex,
  { mode, clusters, only = () => true }: SweepRequest,
  { self, budget }: SweepSettings,
): Promise<SweepItem[]> {
  const bindings = index.bindings.filter(
    (binding) => (clusters?.includes(binding.target.cluster) ?? true) && only(binding),
  );
  if (mode !== "metadata") return bindings.map((binding) => ({ binding }));
  const all = bindings.flatMap((binding) => binding.sources);
  const sources = [...new Map(all.map((source) => [keyOfSource(source), source])).values()];
  const states = await observeSources(deps.catalog, { sources, self, budget });
  return bindings.map((binding): SweepItem => {
    const listed = binding.sources.map((source) => states.get(keyOfSource(source)));
    return { binding, ...(listed.some((state) => state !== undefined) && { listed }) };
  });
}

async function sweepItems(
  shared: SweepDependencies,
  index: BindingIndex,
  work: { sweep: Sweep; items: readonly SweepItem[]; callsBefore: CallCounts },
  settings: SweepSettings,
): Promise<SweepReport> {
  const { sweep, items, callsBefore } = work;
  const deps: SweepDependencies = { ...shared, catalog: describeOnce(shared.catalog) };
  const { budget, deletionsShareMax, deletionGraceMs, mayDelete, sendShards, shardBindingsMax } = settings;
  const { mode, plan, inventory = false, only } = sweep;
  const rules = { marks: index.marks, deletionGraceMs };
  const byCluster = Map.groupBy(items, ({ binding }) => binding.target.cluster);
  const results = await Promise.all(
    [...byCluster].map(([cluster, ofCluster]) => {
      const bound = bindingsByTarget(index, cluster);
      const isBound = (namespace: string, name: string) => bound.has(nameOfSecret({ namespace, name }));
      const judged = namespacesLedBy(bound, ofCluster);
      const judgesOrphansIn = (namespace: string) => only === undefined && judged.has(namespace);
      const alsoBoundIn = (namespace: string, name: string) =>
        Object.keys(index.clusters).filter(
          (other) =>
            other !== cluster && bindingsByTarget(index, other).has(nameOfSecret({ namespace, name })),
        );
      const how = { mode, plan, inventory, budget, rules, deletionsShareMax, mayDelete };
      const names = { isBound, alsoBoundIn, judgesOrphansIn };
      return sweepShard(deps, { cluster, items: ofCluster, ...how, ...names });
    }),
  );
  const left = results.flatMap((result) => result.left);
  if (left.length === 0) return reportOf(deps, sweep, callsBefore, results);
  if (sendShards === undefined || plan) {
    const targets = left.map(outOfTime);
    return reportOf(deps, sweep, callsBefore, [...results, { ...NOTHING, targets, unknown: targets.length }]);
  }
  const shards = splitIntoShards(left, shardBindingsMax).map((part) =>
    shardOf(sweep, part.cluster, part.items),
  );
  return { ...reportOf(deps, sweep, callsBefore, results), shardsQueued: await sendShards(shards) };
}

function reportOf(
  deps: SweepDependencies,
  sweep: Sweep,
  before: CallCounts,
  results: readonly ShardResult[],
): SweepReport {
  const calls = deps.calls();
  const checked = results.reduce((sum, result) => sum + result.checked, 0);
  const unknown = results.reduce((sum, result) => sum + result.unknown, 0);
  const retriedRestarts = results.flatMap((result) => result.retriedRestarts);
  return {
    version: 1,
    sweepId: sweep.sweepId,
    mode: sweep.mode,
    plan: sweep.plan,
    startedAt: new Date(sweep.sweepStartedAt).toISOString(),
    endedAt: new Date(deps.now()).toISOString(),
    bindings: checked + unknown,
    checked,
    shardsQueued: 0,
    targets: results.flatMap((result) => result.targets),
    orphansUnknown: results.flatMap((result) => result.orphansUnknown),
    calls: {
      aws: calls.aws - before.aws,
      kubernetes: calls.kubernetes - before.kubernetes,
      throttles: calls.throttles - before.throttles,
    },
    ...(retriedRestarts.length > 0 && { retriedRestarts }),
  };
}

const NOTHING: ShardResult = {
  targets: [],
  orphansUnknown: [],
  retriedRestarts: [],
  checked: 0,
  unknown: 0,
  left: [],
};

function outOfTime({ binding }: SweepItem): TargetRow {
  return {
    ...binding.target,
    source: nameOfSources(binding),
    finding: null,
    action: "unknown",
    observed: "metadata",
    code: "SWEEP_OUT_OF_TIME",
    advice:
      "The time ran out, and no queue could take the rest. Raise SweepTimeoutSeconds, or sweep fewer clusters.",
  };
}

function shardOf(sweep: Sweep, cluster: string, items: readonly SweepItem[]): Shard {
  const { sweepId, mode, plan, sweepStartedAt } = sweep;
  return { version: 1, sweepId, mode, plan, sweepStartedAt, cluster, items: items.map(shardItemOf) };
}

function bindingsByTarget(index: BindingIndex, cluster: string): ReadonlyMap<string, Binding> {
  const known = byIndex.get(index) ?? new Map<string, ReadonlyMap<string, Binding>>();
  byIndex.set(index, known);
  const found = known.get(cluster) ?? mapTargets(index, cluster);
  known.set(cluster, found);
  return found;
}

/** Made once for an index: a hundred shards of one environment would make it a hundred times. */
const byIndex = new WeakMap<BindingIndex, Map<string, ReadonlyMap<string, Binding>>>();

function mapTargets(index: BindingIndex, cluster: string): ReadonlyMap<string, Binding> {
  return new Map(
    index.bindings
      .filter(({ target }) => target.cluster === cluster)
      .map((binding) => [nameOfSecret(binding.target), binding]),
  );
}

/** The namespaces whose first binding is among these: of the shards that share a namespace, one has it. */
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
