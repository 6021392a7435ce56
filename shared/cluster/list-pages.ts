import { ListExpired } from "./classify-response.ts";
import { ClusterAnswerTooLarge, ClusterUnavailable } from "./errors.ts";

export type PageQuery = { readonly limit: number; readonly continueToken?: string };

/** The items of a page that the caller keeps. A page may be short or empty although more follow. */
export type Page<Item> = { readonly items: readonly Item[]; readonly continueToken?: string | undefined };

/**
 * Lists page by page in bounded memory: only the kept items of earlier pages are in memory. If a page exceeds the limit
 * of a response, smaller pages follow. If the continue token expires, the list starts again once.
 */
export async function listPages<Item>(
  clusterKey: string,
  readPage: (query: PageQuery) => Promise<Page<Item>>,
  { limit, keptMax }: { readonly limit: number; readonly keptMax: number },
): Promise<Item[]> {
  let size = limit;
  const readFitting = async (continueToken: string | undefined): Promise<Page<Item>> => {
    for (;;) {
      try {
        return await readPage({ limit: size, ...(continueToken !== undefined && { continueToken }) });
      } catch (error) {
        if (!(error instanceof ClusterAnswerTooLarge) || size === 1) throw error;
        size = Math.max(1, Math.floor(size / SHRINK_BY));
      }
    }
  };
  const listOnce = async (): Promise<Item[]> => {
    const kept: Item[] = [];
    let continueToken: string | undefined;
    for (let asked = size; ; asked += size) {
      const page = await readFitting(continueToken);
      for (const item of page.items) kept.push(item);
      if (!page.continueToken) return kept;
      if (page.continueToken === continueToken)
        throw new ClusterUnavailable(clusterKey, "HTTP 200 without the next page");
      if (asked >= ASKED_MAX || kept.length > keptMax) throw new ClusterAnswerTooLarge(clusterKey);
      continueToken = page.continueToken;
    }
  };
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    try {
      return await listOnce();
    } catch (error) {
      if (!isExpired(error)) throw error;
    }
  }
  throw new ClusterUnavailable(clusterKey, EXPIRED);
}

/** A call on other objects than Secrets reports it as the cluster's fault. */
function isExpired(error: unknown): boolean {
  return error instanceof ListExpired || (error instanceof ClusterUnavailable && error.at === EXPIRED);
}

const EXPIRED = "HTTP 410";

/** From 500 items, three requests reach one item. */
const SHRINK_BY = 8;

/** For a server that never ends its list; together with the pages that it may answer with nothing. */
const ASKED_MAX = 500_000;
