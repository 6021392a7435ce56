import pMap from "p-map";
import type { SweepDependencies } from "./sweep-dependencies.ts";

/** Runs at most as many at once as the cluster is asked for at once. */
export function mapConcurrently<T, R>(
  deps: SweepDependencies,
  items: Iterable<T>,
  run: (item: T) => Promise<R>,
): Promise<R[]> {
  return pMap(items, run, { concurrency: deps.targetsAtOnce });
}
