import type { TimeBudget } from "../runtime/time-budget.ts";
import type { ClusterConnection } from "./cluster-connection.ts";
import { listPages } from "./list-pages.ts";

export type ListRequest<Item> = {
  readonly clusterKey: string;
  readonly path: string;
  /** Objects per page. */
  readonly limit: number;
  /** The list fails with ClusterAnswerTooLarge when it keeps more. */
  readonly keptMax: number;
  /** What to keep of an object; undefined to leave it out. */
  readonly select: (object: unknown) => Item | undefined;
};

/** Lists objects other than Secrets, reduced by `select` page by page; empty if the cluster does not serve the kind. */
export function listObjects<Item>(
  cluster: Pick<ClusterConnection, "callObject">,
  { clusterKey, path, select, ...limits }: ListRequest<Item>,
  budget: TimeBudget,
): Promise<readonly Item[]> {
  return listPages(
    clusterKey,
    async ({ limit, continueToken }) => {
      const query = { limit: String(limit), continue: continueToken };
      const page = (await cluster.callObject({ method: "GET", path, query }, budget)) as RawPage;
      const next = page?.metadata?.continue;
      return {
        items: (Array.isArray(page?.items) ? page.items : []).flatMap((object) => select(object) ?? []),
        ...(typeof next === "string" && { continueToken: next }),
      };
    },
    limits,
  );
}

type RawPage = { items?: unknown; metadata?: { continue?: unknown } | null } | null | undefined;
