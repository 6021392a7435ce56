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
  do {
    const query = { limit: String(PAGE_SIZE), ...(continueToken && { continue: continueToken }) };
    const page = (await cluster.callObject({ method: "GET", path, query }, budget)) as Page | undefined;
    objects.push(...(page?.items ?? []));
    continueToken = page?.metadata?.continue;
  } while (continueToken && objects.length < objectsMax);
  return objects;
}

type Page = { readonly items?: readonly RawObject[]; readonly metadata?: { readonly continue?: string } };

/** A workload or Pod takes 5 to 20 kB with its ledger. */
const PAGE_SIZE = 200;
