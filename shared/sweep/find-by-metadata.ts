import type { Binding, BoundSource } from "../bindings/binding.ts";
import { nameOfSources } from "../bindings/name-of-sources.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { ClusterAnswerTooLarge, ClusterForbidden } from "../cluster/errors.ts";
import type { LiveMetadata } from "../cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import { MANAGED_SELECTOR } from "../render/ownership-marks.ts";
import { keyOfSource } from "../secret-id/key-of-source.ts";
import type { VersionId } from "../secret-id/secret-id.ts";
import type { SourceState } from "../source/source-state.ts";
import { atOnce } from "./at-once.ts";
import { diagnoseOrphan, diagnoseTarget, type KnownSource, type KnownSources } from "./diagnose.ts";
import type { Diagnosis, FindingCode } from "./finding.ts";
import type { Look, Restartable, ShardRequest, Sighting } from "./look.ts";
import { restartableOf } from "./make-up-restarts.ts";
import type { InOrder, Unchecked, Unseen } from "./report.ts";
import type { SweepItem } from "./shard.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";
import { inOrderOf } from "./take-inventory.ts";

/** What was listed of each namespace: a large one takes several pieces, and is listed once. */
export type NamespaceLists = Map<string, Promise<NamespaceList>>;

type NamespaceList = {
  readonly byName: ReadonlyMap<string, LiveMetadata>;
  readonly unseen: readonly Unseen[];
};

/** Looks at one piece of a shard without reading a value, of a source or of a Secret. */
export async function findDriftByMetadata(
  deps: SweepDependencies,
  cluster: ClusterConnection,
  request: ShardRequest,
  piece: readonly SweepItem[],
  lists: NamespaceLists,
): Promise<Look> {
  const namespaces = Map.groupBy(piece, ({ binding }) => binding.target.namespace);
  const looks = await atOnce(deps, namespaces, async ([namespace, items]) => {
    try {
      return await lookAtNamespace(deps, cluster, request, { namespace, items, lists });
    } catch (error) {
      lists.delete(namespace);
      return {
        diagnoses: [],
        unchecked: items.map(({ binding }) => uncheckedBy(binding, error)),
        unseen: [],
        restartable: [],
        inOrder: [],
        remarks: [],
      };
    }
  });
  return {
    diagnoses: looks.flatMap((look) => look.diagnoses),
    unchecked: looks.flatMap((look) => look.unchecked),
    unseen: looks.flatMap((look) => look.unseen),
    restartable: looks.flatMap((look) => look.restartable),
    inOrder: looks.flatMap((look) => look.inOrder),
    remarks: [],
  };
}

async function lookAtNamespace(
  deps: SweepDependencies,
  cluster: ClusterConnection,
  request: ShardRequest,
  { namespace, items, lists }: { namespace: string; items: readonly SweepItem[]; lists: NamespaceLists },
): Promise<Look> {
  const known = lists.get(namespace);
  const list = known ?? listNamespace(cluster, request, namespace);
  lists.set(namespace, list);
  const { byName, unseen } = await list;
  const restartable: Restartable[] = [];
  const inOrder: InOrder[] = [];
  const sightings = await atOnce(deps, items, async (item): Promise<Sighting | Unchecked | undefined> => {
    try {
      const { target } = item.binding;
      // The list holds what carries our label; one that lacks it may be missing, foreign, or tampered with.
      const live = byName.get(target.name) ?? (await cluster.readMetadata(target, request.budget));
      const seen = await sight(deps, request, item, live);
      if (seen === undefined || isHeldInOrder(seen)) restartable.push(...restartableOf(item, live));
      if (seen === undefined && request.inventory) {
        // What was not listed has been described a moment ago, and that is kept.
        const states = item.binding.sources.map((source, index) => {
          return item.listed?.[index] ?? deps.catalog.describe(source, request.budget);
        });
        inOrder.push(inOrderOf(item.binding, live, await Promise.all(states)));
      }
      return seen;
    } catch (error) {
      return uncheckedBy(item.binding, error);
    }
  });
  const isFirstPiece = known === undefined && request.judgesOrphansIn(namespace);
  const orphans = isFirstPiece ? findOrphans(request, namespace, byName.values()) : [];
  return {
    diagnoses: [...sightings.filter((seen) => seen !== undefined && "diagnosis" in seen), ...orphans],
    unchecked: sightings.filter((seen) => seen !== undefined && "advice" in seen),
    unseen: isFirstPiece ? unseen : [],
    restartable,
    inOrder,
    remarks: [],
  };
}

function findOrphans(
  { cluster, isBound }: ShardRequest,
  namespace: string,
  listed: Iterable<LiveMetadata>,
): Sighting[] {
  return [...listed].flatMap((live) => {
    const diagnosis = isBound(namespace, live.name) ? undefined : diagnoseOrphan(cluster, live);
    return diagnosis === undefined ? [] : [{ diagnosis, live }];
  });
}

/**
 * Whoever may list metadata may list values too, so many will not allow it; and a list may be larger than is taken. Then
 * the bound Secrets are read one by one, orphans stay unseen, and that is told.
 */
async function listNamespace(
  cluster: ClusterConnection,
  request: ShardRequest,
  namespace: string,
): Promise<NamespaceList> {
  try {
    const listed = await cluster.listMetadata(namespace, MANAGED_SELECTOR, request.budget);
    return { byName: new Map(listed.map((live) => [live.name, live])), unseen: [] };
  } catch (error) {
    if (!(error instanceof ClusterForbidden || error instanceof ClusterAnswerTooLarge)) throw error;
    return {
      byName: new Map(),
      unseen: [{ what: "orphans", cluster: request.cluster, namespace, code: error.code }],
    };
  }
}

async function sight(
  deps: SweepDependencies,
  request: ShardRequest,
  item: SweepItem,
  live: LiveMetadata | undefined,
): Promise<Sighting | Unchecked | undefined> {
  const { binding, listed = [] } = item;
  const look = async (
    stateOf: (source: BoundSource, index: number) => Promise<SourceState>,
  ): Promise<Sighting | Unchecked | undefined> => {
    const sources: KnownSource[] = [];
    for (const [index, source] of binding.sources.entries()) {
      const state = await stateOf(source, index);
      if (state.kind === "unreadable") return uncheckedFor(binding, source, state);
      sources.push(state);
    }
    const diagnosis = diagnoseTarget(binding, live, sources, deps.now());
    return diagnosis && sighting(diagnosis, { item, live, sources });
  };
  const describe = (source: BoundSource) => deps.catalog.describe(source, request.budget);
  if (listed.some((state) => state !== undefined)) {
    const seen = await look(async (source, index) => listed[index] ?? describe(source));
    if (seen === undefined) return undefined;
    if ("diagnosis" in seen && !NEEDS_CONFIRMATION.has(seen.diagnosis.code)) return seen;
  }
  return look(describe);
}

function uncheckedFor(
  { target }: Binding,
  source: BoundSource,
  { code, advice }: { readonly code: string; readonly advice: string },
): Unchecked {
  return { target, source: source.id, code, advice };
}

export function sighting(
  diagnosis: Diagnosis,
  seen: { item: SweepItem; live: LiveMetadata | undefined; sources: KnownSources },
): Sighting {
  const { item, live, sources } = seen;
  const versions = item.binding.sources.flatMap((source, index): [string, VersionId][] => {
    const state = sources[index];
    return state?.kind === "current" ? [[keyOfSource(source), state.versionId]] : [];
  });
  return {
    diagnosis,
    item,
    ...(live && { live }),
    versionIds: new Map(versions),
  };
}

/** The Secret holds what it should, though its version may go. */
export function isHeldInOrder(seen: Sighting | Unchecked): boolean {
  return "diagnosis" in seen && seen.diagnosis.code === "VERSION_DEPRECATED";
}

/** ListSecrets may be five minutes old: what hangs on its word is described before anything is done. */
const NEEDS_CONFIRMATION: ReadonlySet<FindingCode> = new Set([
  "SOURCE_MISSING",
  "SOURCE_SCHEDULED_FOR_DELETION",
  "STALE",
  "VERSION_DEPRECATED",
  "VERSION_MISSING",
]);

export function uncheckedBy(binding: Binding, error: unknown): Unchecked {
  const { code, message } = error instanceof RelayError ? error : UnexpectedFault.from(error);
  return { target: binding.target, source: nameOfSources(binding), code, advice: message };
}
