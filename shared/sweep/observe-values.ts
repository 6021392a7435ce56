import { assess } from "../assess/assess.ts";
import { type LiveTarget, liveTarget } from "../assess/observation.ts";
import { RelayError } from "../relay-error.ts";
import { keyOfSource } from "../source/key-of-source.ts";
import type { SourceRead } from "../source/source.ts";
import { stateOfRead } from "../source/state-of-read.ts";
import { expiryOf } from "../sync/expiry-of.ts";
import { renderCurrent } from "../sync/render-current.ts";
import { type ClusterSweep, mapConcurrently, type Observed } from "./cluster-sweep.ts";
import { reduceMetadata } from "./large-metadata.ts";
import { unknownTarget } from "./observe-metadata.ts";
import type { SweepItem } from "./shard.ts";
import type { Assessed } from "./target-row.ts";

/** Observes one piece of a shard by comparing values, which also finds drift behind forged metadata. */
export async function observeByValues(sweep: ClusterSweep, piece: readonly SweepItem[]): Promise<Observed> {
  const assessed: Assessed[] = [];
  for (let from = 0; from < piece.length; from += AT_ONCE) {
    assessed.push(...(await observeAtOnce(sweep, piece.slice(from, from + AT_ONCE))));
  }
  return { assessed, orphansUnknown: [] };
}

/**
 * One call of BatchGetSecretValue reads as many sources. Any client with permission to write a Secret can add 1 MiB of
 * data and as much metadata, so at most 20 of them are in memory together.
 */
const AT_ONCE = 20;

async function observeAtOnce(sweep: ClusterSweep, piece: readonly SweepItem[]): Promise<Assessed[]> {
  // Live Secrets first, then sources, as in the fence: a rotation in between produces drift and never hides it.
  const targets = await mapConcurrently(sweep, piece, async (item) => {
    try {
      return { item, live: liveTarget(await sweep.cluster.readSecret(item.binding.target, sweep.budget)) };
    } catch (error) {
      return { item, live: unknownTarget(error) };
    }
  });
  const readable = targets.filter(({ live }) => live.kind !== "unknown");
  const all = readable.flatMap(({ item }) => item.binding.sources);
  const sources = [...new Map(all.map((source) => [keyOfSource(source), source])).values()];
  const reads = await sweep.source.readMany(sources, sweep.budget);
  return mapConcurrently(
    sweep,
    targets,
    async ({ item, live }): Promise<Assessed> =>
      live.kind === "unknown" ? assessUnknown(sweep, item, live) : assessValues(sweep, { item, live, reads }),
  );
}

function assessUnknown({ rules, now }: ClusterSweep, { binding }: SweepItem, live: LiveTarget): Assessed {
  return { verdict: assess({ binding, live, sources: [] }, { ...rules, now: now() }), binding };
}

async function assessValues(
  sweep: ClusterSweep,
  { item, live, reads }: { item: SweepItem; live: LiveTarget; reads: ReadonlyMap<string, SourceRead> },
): Promise<Assessed> {
  const { binding } = item;
  const { budget, rules } = sweep;
  const ofBinding = binding.sources.map((source) => {
    const read = reads.get(keyOfSource(source));
    if (read === undefined) throw new TypeError("A source of the piece was not read");
    return { source, read };
  });
  const states = await Promise.all(
    ofBinding.map(({ source, read }) =>
      stateOfRead(source, read, () => sweep.source.describe(source, budget)),
    ),
  );
  const desired = await renderCurrent(
    binding,
    ofBinding.map(({ read }) => read),
    rules.ownMetadata,
  );
  const now = sweep.now();
  const verdict = assess({ binding, live, sources: states, ...(desired && { desired }) }, { ...rules, now });
  const rendered = desired instanceof RelayError ? undefined : desired;
  const { collisions } = rendered ?? {};
  return {
    verdict: collisions ? { ...verdict, details: { ...verdict.details, collisions } } : verdict,
    binding,
    states,
    ...(live.kind === "found" && { live: reduceMetadata(live.secret, rules.ownMetadata) }),
    ...(rendered && expiryOf(rendered, now)),
  };
}
