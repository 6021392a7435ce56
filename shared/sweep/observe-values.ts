import { assess } from "../assess/assess.ts";
import { liveTarget } from "../assess/observation.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { LiveSecret } from "../cluster/live-secret.ts";
import { RelayError } from "../relay-error.ts";
import { keyOfSource } from "../secret-id/key-of-source.ts";
import type { SourceRead } from "../source/read-many.ts";
import { stateOfRead } from "../source/state-of-read.ts";
import { expiryOf } from "../sync/expiry-of.ts";
import { renderCurrent } from "../sync/render-current.ts";
import { atOnce } from "./at-once.ts";
import { unknownTarget } from "./observe-metadata.ts";
import type { SweepItem } from "./shard.ts";
import type { Observed, ShardRequest } from "./shard-request.ts";
import type { SweepDependencies } from "./sweep-dependencies.ts";
import type { Assessed } from "./target-row.ts";

/** Observes one piece of a shard by comparing values: it also finds what forged metadata hides. */
export async function observeByValues(
  deps: SweepDependencies,
  cluster: ClusterConnection,
  request: ShardRequest,
  piece: readonly SweepItem[],
): Promise<Observed> {
  // The live Secrets first, then the sources, as in the fence: a rotation in between makes drift, never hides it.
  const lives = await atOnce(deps, piece, async (item) => {
    try {
      return { item, live: liveTarget(await cluster.readSecret(item.binding.target, request.budget)) };
    } catch (error) {
      return { item, live: unknownTarget(error) };
    }
  });
  const readable = lives.filter(({ live }) => live.kind !== "unknown");
  const all = readable.flatMap(({ item }) => item.binding.sources);
  const sources = [...new Map(all.map((source) => [keyOfSource(source), source])).values()];
  const reads = await deps.readMany(sources, request.budget);
  const assessed = await atOnce(
    deps,
    lives,
    async ({ item, live }): Promise<Assessed> =>
      live.kind === "unknown"
        ? { verdict: assessUnknown(deps, request, item, live), binding: item.binding }
        : assessValues(deps, request, { item, live, reads }),
  );
  return { assessed, orphansUnknown: [] };
}

function assessUnknown(
  { now }: SweepDependencies,
  { rules }: ShardRequest,
  { binding }: SweepItem,
  live: Parameters<typeof assess>[0]["live"],
) {
  return assess({ binding, live, sources: [] }, { ...rules, now: now() });
}

async function assessValues(
  deps: SweepDependencies,
  { budget, rules }: ShardRequest,
  {
    item: { binding },
    live,
    reads,
  }: {
    readonly item: SweepItem;
    readonly live: Parameters<typeof assess>[0]["live"];
    readonly reads: ReadonlyMap<string, SourceRead>;
  },
): Promise<Assessed> {
  const ofBinding = binding.sources.map((source) => {
    const read = reads.get(keyOfSource(source));
    if (read === undefined) throw new TypeError("A source of the piece was not read");
    return { source, read };
  });
  const states = await Promise.all(
    ofBinding.map(({ source, read }) =>
      stateOfRead(source, read, () => deps.catalog.describe(source, budget)),
    ),
  );
  const desired = await renderCurrent(
    binding,
    ofBinding.map(({ read }) => read),
    rules.marks,
  );
  const now = deps.now();
  const verdict = assess({ binding, live, sources: states, ...(desired && { desired }) }, { ...rules, now });
  const made = desired === undefined || desired instanceof RelayError ? undefined : desired;
  const { collisions } = made ?? {};
  return {
    verdict: collisions ? { ...verdict, details: { ...verdict.details, collisions } } : verdict,
    binding,
    states,
    ...(live.kind === "found" && { live: live.secret as LiveSecret }),
    ...(made && expiryOf(made, now)),
  };
}
