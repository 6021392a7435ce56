import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import type { RawObject } from "./workload.ts";

/** What is needed of a cluster to look after readers. */
export type ReaderCluster = Pick<ClusterConnection, "callObject" | "readMetadata">;

/** Every object of a kind in a namespace, page by page, at most `objectsMax`; none when there is no such kind. */
export async function listObjects(
  cluster: ReaderCluster,
  path: string,
  budget: TimeBudget,
  objectsMax: number,
): Promise<RawObject[]> {
  const objects: RawObject[] = [];
  let continueToken: string | undefined;
  let pages = 0;
  do {
    const query = { limit: String(PAGE_SIZE), ...(continueToken && { continue: continueToken }) };
    const page = (await cluster.callObject({ method: "GET", path, query }, budget)) as Page | undefined;
    if (Array.isArray(page?.items)) objects.push(...page.items.slice(0, objectsMax - objects.length));
    continueToken = page?.metadata?.continue;
    pages += 1; // of which each may be empty, and still there is more
  } while (continueToken && objects.length < objectsMax && pages < PAGES_MAX);
  return objects;
}

type Page = { readonly items?: readonly RawObject[]; readonly metadata?: { readonly continue?: string } };

/** A workload or Pod takes 5 to 20 kB with its ledger. */
const PAGE_SIZE = 200;
const PAGES_MAX = 100;
