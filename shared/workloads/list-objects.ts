import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { RawObject } from "./workload.ts";

export type ReaderCluster = Pick<ClusterConnection, "callObject" | "readMetadata">;

/** Lists the objects at a path, at most `objectsMax`; empty if the cluster does not serve the kind. */
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
    pages += 1; // a page may be empty although more follow
  } while (continueToken && objects.length < objectsMax && pages < PAGES_MAX);
  return objects;
}

type Page = { readonly items?: readonly RawObject[]; readonly metadata?: { readonly continue?: string } };

/** A workload or Pod with its managedFields is 5 to 20 kB. */
const PAGE_SIZE = 200;
const PAGES_MAX = 100;
