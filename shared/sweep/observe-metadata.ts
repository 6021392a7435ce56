import { assess, assessOrphan } from "../assess/assess.ts";
import type { FindingCode } from "../assess/catalogue.ts";
import { type LiveTarget, liveTarget } from "../assess/observation.ts";
import type { BoundSource } from "../bindings/binding.ts";
import { ClusterAnswerTooLarge, ClusterForbidden } from "../cluster/errors.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { SourceState } from "../source/source-state.ts";
import { type ClusterSweep, mapConcurrently, type Observed } from "./cluster-sweep.ts";
import { isLarge, reduceMetadata } from "./large-metadata.ts";
import type { OrphansUnknown } from "./report.ts";
import type { SweepItem } from "./shard.ts";
import type { Assessed } from "./target-row.ts";

/** By namespace: a large namespace has several pieces, but is listed once. */
export type NamespaceLists = Map<string, Promise<NamespaceList>>;

type NamespaceList = {
  readonly byName: ReadonlyMap<string, LiveMetadata>;
  /** The names of unbound Secrets that are read one by one, such as those with large metadata. */
  readonly largeUnbound: ReadonlySet<string>;
  readonly orphansUnknown: readonly OrphansUnknown[];
};

/** Observes one piece of a shard without reading values of sources or Secrets. */
export async function observeByMetadata(
  sweep: ClusterSweep,
  piece: readonly SweepItem[],
  lists: NamespaceLists,
): Promise<Observed> {
  const namespaces = Map.groupBy(piece, ({ binding }) => binding.target.namespace);
  const observed = await mapConcurrently(sweep, namespaces, ([namespace, items]) =>
    observeNamespace(sweep, { namespace, items, lists }),
  );
  return {
    assessed: observed.flatMap(({ assessed }) => assessed),
    orphansUnknown: observed.flatMap(({ orphansUnknown }) => orphansUnknown),
  };
}

/** Observes Secrets that a publication unbound, without a list of their namespaces. */
export async function observeUnbound(
  sweep: ClusterSweep,
  unbound: NonNullable<ClusterSweep["unbound"]>,
): Promise<Observed> {
  const namespaces = Map.groupBy(unbound, ({ namespace }) => namespace);
  const observed = await mapConcurrently(sweep, namespaces, ([namespace, secrets]) =>
    findOrphans(sweep, namespace, { ...EMPTY, largeUnbound: new Set(secrets.map(({ name }) => name)) }),
  );
  return {
    assessed: observed.flatMap(({ assessed }) => assessed),
    orphansUnknown: observed.flatMap(({ orphansUnknown }) => orphansUnknown),
  };
}

async function observeNamespace(
  sweep: ClusterSweep,
  { namespace, items, lists }: { namespace: string; items: readonly SweepItem[]; lists: NamespaceLists },
): Promise<Observed> {
  const known = lists.get(namespace);
  const listing = known ?? listNamespace(sweep, namespace, items.length);
  lists.set(namespace, listing);
  let list: NamespaceList;
  try {
    list = await listing;
  } catch (error) {
    lists.delete(namespace);
    const live = unknownTarget(error);
    return {
      assessed: await mapConcurrently(sweep, items, (item) => assessItem(sweep, item, live)),
      orphansUnknown: [],
    };
  }
  const assessed = await mapConcurrently(sweep, items, async (item) => {
    const { target } = item.binding;
    // A Secret that is not in the list of labelled Secrets may be absent, foreign, edited, or large.
    const secret = list.byName.get(target.name);
    return assessItem(sweep, item, secret ? liveTarget(secret) : await readTarget(sweep, item));
  });
  const isFirstPiece = known === undefined && sweep.judgesOrphansIn(namespace);
  if (!isFirstPiece) return { assessed, orphansUnknown: [] };
  const orphans = await findOrphans(sweep, namespace, list);
  return {
    assessed: [...assessed, ...orphans.assessed],
    orphansUnknown: [...list.orphansUnknown, ...orphans.orphansUnknown],
  };
}

async function readTarget({ cluster, budget }: ClusterSweep, { binding }: SweepItem): Promise<LiveTarget> {
  try {
    return liveTarget(await cluster.readMetadata(binding.target, budget));
  } catch (error) {
    return unknownTarget(error);
  }
}

export function unknownTarget(error: unknown): LiveTarget {
  const { code, message, retryable } = error instanceof RelayError ? error : UnexpectedFault.from(error);
  return { kind: "unknown", code, advice: message, retryable };
}

async function findOrphans(
  sweep: ClusterSweep,
  namespace: string,
  { byName, largeUnbound }: NamespaceList,
): Promise<Observed> {
  const { clusterKey, cluster, budget, isBound, rules, now } = sweep;
  const assessUnbound = (live: LiveMetadata): Assessed[] => {
    const verdict = assessOrphan(clusterKey, live, { ...rules, now: now() });
    return verdict === undefined ? [] : [{ verdict, live: reduceIfLarge(live, sweep) }];
  };
  const small = [...byName.values()].filter(({ name }) => !isBound(namespace, name)).flatMap(assessUnbound);
  const orphansUnknown: OrphansUnknown[] = [];
  const large = await mapConcurrently(sweep, largeUnbound, async (name) => {
    try {
      const live = await cluster.readMetadata({ namespace, name }, budget);
      return live === undefined ? [] : assessUnbound(live);
    } catch (error) {
      const { code } = error instanceof RelayError ? error : UnexpectedFault.from(error);
      if (orphansUnknown.length === 0) orphansUnknown.push({ cluster: clusterKey, namespace, code });
      return [];
    }
  });
  return { assessed: [...small, ...large.flat()], orphansUnknown };
}

/** After the verdict, so that the metadata of one piece stays small however large that of each Secret is. */
function reduceIfLarge(live: LiveMetadata, { rules }: ClusterSweep): LiveMetadata {
  return isLarge(live) ? reduceMetadata(live, rules.ownMetadata) : live;
}

/**
 * Kubernetes cannot permit lists of metadata without lists of values, so many teams permit neither. Without the
 * permission, or when the list exceeds the size limit, the bound Secrets are read one by one and orphans are unknown.
 */
async function listNamespace(sweep: ClusterSweep, namespace: string, bound: number): Promise<NamespaceList> {
  // A few Secrets without orphans are read by name.
  if (!sweep.judgesOrphansIn(namespace) && bound <= READ_ONE_BY_ONE_MAX) return EMPTY;
  try {
    const { managedSelector } = sweep.rules.ownMetadata;
    const largeUnbound = new Set<string>();
    const keep = (live: LiveMetadata): LiveMetadata | undefined => {
      if (!isLarge(live)) return live;
      if (!sweep.isBound(namespace, live.name)) largeUnbound.add(live.name);
      return undefined;
    };
    const secrets = await sweep.cluster.listMetadata(namespace, managedSelector, sweep.budget, keep);
    const byName = new Map(secrets.map((live) => [live.name, live]));
    return { byName, largeUnbound, orphansUnknown: [] };
  } catch (error) {
    if (!(error instanceof ClusterForbidden || error instanceof ClusterAnswerTooLarge)) throw error;
    return { ...EMPTY, orphansUnknown: [{ cluster: sweep.clusterKey, namespace, code: error.code }] };
  }
}

const EMPTY: NamespaceList = { byName: new Map(), largeUnbound: new Set(), orphansUnknown: [] };

/** Beyond that, one list with pages of 500 is cheaper. */
const READ_ONE_BY_ONE_MAX = 5;

async function assessItem(
  sweep: ClusterSweep,
  { binding, listed = [] }: SweepItem,
  live: LiveTarget,
): Promise<Assessed> {
  const { source, now, budget, rules } = sweep;
  const describeSource = (bound: BoundSource): Promise<SourceState> => source.describe(bound, budget);
  const assessWith = (states: readonly SourceState[]): Assessed => {
    const verdict = assess({ binding, live, sources: states }, { ...rules, now: now() });
    return {
      verdict,
      binding,
      states,
      ...(live.kind === "found" && { live: reduceIfLarge(live.secret, sweep) }),
    };
  };
  if (listed.some(isKnown)) {
    const states = listed.every(isKnown)
      ? listed
      : await Promise.all(binding.sources.map((source, index) => listed[index] ?? describeSource(source)));
    const assessed = assessWith(states);
    const { finding } = assessed.verdict;
    if (finding === null || !NEEDS_CONFIRMATION.has(finding)) return assessed;
  }
  return assessWith(await Promise.all(binding.sources.map(describeSource)));
}

const isKnown = (state: SourceState | undefined): state is SourceState => state !== undefined;

/** ListSecrets may lag five minutes: DescribeSecret confirms these findings before the sweep acts. */
const NEEDS_CONFIRMATION: ReadonlySet<FindingCode> = new Set([
  "SOURCE_MISSING",
  "SOURCE_WITHOUT_VALUE",
  "SOURCE_SCHEDULED_FOR_DELETION",
  "STALE",
  "VERSION_DEPRECATED",
  "VERSION_MISSING",
]);
