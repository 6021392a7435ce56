import { assess, assessOrphan } from "../assess/assess.ts";
import type { FindingCode } from "../assess/catalogue.ts";
import { type AssessRules, type LiveTarget, liveTarget } from "../assess/observation.ts";
import type { BoundSource } from "../bindings/binding.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { ClusterAnswerTooLarge, ClusterForbidden } from "../cluster/errors.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { SourceState } from "../source/source-state.ts";
import { atOnce } from "./at-once.ts";
import type { OrphansUnknown } from "./report.ts";
import type { SweepItem } from "./shard.ts";
import type { Observed, ShardRequest } from "./shard-request.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";
import type { Assessed } from "./target-row.ts";

/** What was listed of each namespace: a large one takes several pieces, and is listed once. */
export type NamespaceLists = Map<string, Promise<NamespaceList>>;

type NamespaceList = {
  readonly byName: ReadonlyMap<string, LiveMetadata>;
  readonly orphansUnknown: readonly OrphansUnknown[];
};

/** Observes one piece of a shard without reading a value, of a source or of a Secret. */
export async function observeByMetadata(
  deps: SweepDependencies,
  cluster: ClusterConnection,
  request: ShardRequest,
  piece: readonly SweepItem[],
  lists: NamespaceLists,
): Promise<Observed> {
  const namespaces = Map.groupBy(piece, ({ binding }) => binding.target.namespace);
  const observed = await atOnce(deps, namespaces, ([namespace, items]) =>
    observeNamespace(deps, cluster, request, { namespace, items, lists }),
  );
  return {
    assessed: observed.flatMap(({ assessed }) => assessed),
    orphansUnknown: observed.flatMap(({ orphansUnknown }) => orphansUnknown),
  };
}

async function observeNamespace(
  deps: SweepDependencies,
  cluster: ClusterConnection,
  request: ShardRequest,
  { namespace, items, lists }: { namespace: string; items: readonly SweepItem[]; lists: NamespaceLists },
): Promise<Observed> {
  const known = lists.get(namespace);
  const listing = known ?? listNamespace(cluster, request, namespace, items.length);
  lists.set(namespace, listing);
  let list: NamespaceList;
  try {
    list = await listing;
  } catch (error) {
    lists.delete(namespace);
    const live = unknownTarget(error);
    return {
      assessed: await atOnce(deps, items, (item) => assessItem(deps, request, item, live)),
      orphansUnknown: [],
    };
  }
  const assessed = await atOnce(deps, items, async (item) => {
    const { target } = item.binding;
    // The list holds what carries the relay's label; a Secret without it may be absent, foreign, or tampered with.
    const listed = list.byName.get(target.name);
    return assessItem(
      deps,
      request,
      item,
      listed ? liveTarget(listed) : await readTarget(cluster, request, item),
    );
  });
  const isFirstPiece = known === undefined && request.judgesOrphansIn(namespace);
  if (!isFirstPiece) return { assessed, orphansUnknown: [] };
  const orphans = findOrphans(deps, request, namespace, list.byName.values());
  return { assessed: [...assessed, ...orphans], orphansUnknown: list.orphansUnknown };
}

async function readTarget(
  cluster: ClusterConnection,
  { budget }: ShardRequest,
  { binding }: SweepItem,
): Promise<LiveTarget> {
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

function findOrphans(
  { now }: SweepDependencies,
  { cluster, isBound, rules }: ShardRequest,
  namespace: string,
  listed: Iterable<LiveMetadata>,
): Assessed[] {
  return [...listed].flatMap((live) => {
    const verdict = isBound(namespace, live.name)
      ? undefined
      : assessOrphan(cluster, live, { ...rules, now: now() });
    return verdict === undefined ? [] : [{ verdict, live }];
  });
}

/**
 * Anyone who may list metadata may list values too, so many teams do not allow it; and a list may exceed the size
 * limit. Then the bound Secrets are read one by one, and orphans are unknown.
 */
async function listNamespace(
  cluster: ClusterConnection,
  request: ShardRequest,
  namespace: string,
  bound: number,
): Promise<NamespaceList> {
  // A caller that asks for a few Secrets and not for orphans reads them by name.
  if (!request.judgesOrphansIn(namespace) && bound <= READ_ONE_BY_ONE_MAX) return EMPTY;
  try {
    const { managedSelector } = request.rules.marks;
    const listed = await cluster.listMetadata(namespace, managedSelector, request.budget);
    return { byName: new Map(listed.map((live) => [live.name, live])), orphansUnknown: [] };
  } catch (error) {
    if (!(error instanceof ClusterForbidden || error instanceof ClusterAnswerTooLarge)) throw error;
    return { byName: new Map(), orphansUnknown: [{ cluster: request.cluster, namespace, code: error.code }] };
  }
}

const EMPTY: NamespaceList = { byName: new Map(), orphansUnknown: [] };

/** A page of a list holds 500. */
const READ_ONE_BY_ONE_MAX = 5;

async function assessItem(
  deps: SweepDependencies,
  { budget, rules }: ShardRequest,
  { binding, listed = [] }: SweepItem,
  live: LiveTarget,
): Promise<Assessed> {
  const describe = (source: BoundSource): Promise<SourceState> => deps.catalog.describe(source, budget);
  const assessWith = async (
    stateOf: (source: BoundSource, index: number) => SourceState | Promise<SourceState>,
  ): Promise<Assessed> => {
    const states = await Promise.all(binding.sources.map(stateOf));
    const all: AssessRules = { ...rules, now: deps.now() };
    const verdict = assess({ binding, live, sources: states }, all);
    return { verdict, binding, states, ...(live.kind === "found" && { live: live.secret }) };
  };
  if (listed.some((state) => state !== undefined)) {
    const assessed = await assessWith((source, index) => listed[index] ?? describe(source));
    const { finding } = assessed.verdict;
    if (finding === null || !NEEDS_CONFIRMATION.has(finding)) return assessed;
  }
  return assessWith(describe);
}

/** ListSecrets may be five minutes old: what depends on it is described before anything is done. */
const NEEDS_CONFIRMATION: ReadonlySet<FindingCode> = new Set([
  "SOURCE_MISSING",
  "SOURCE_WITHOUT_VALUE",
  "SOURCE_SCHEDULED_FOR_DELETION",
  "STALE",
  "VERSION_DEPRECATED",
  "VERSION_MISSING",
]);
