import type { TimeBudget } from "../runtime/time-budget.ts";
import { ListExpired, undefinedIfNotFound } from "./classify-response.ts";
import type { ClusterCaller } from "./cluster-caller.ts";
import { ClusterAnswerTooLarge, ClusterUnavailable } from "./errors.ts";
import { canBeFenced, isNamed, type LiveMetadata, type SecretName } from "./live-secret.ts";
import type { TableQuery } from "./secrets-api.ts";
import { type MetadataPage, parseSecretsTable } from "./secrets-table.ts";

type Cluster = { readonly clusterKey: string; readonly call: ClusterCaller };

/** The metadata of one Secret; undefined when it does not exist. */
export async function readMetadata(
  cluster: Cluster,
  { namespace, name }: SecretName,
  budget: TimeBudget,
): Promise<LiveMetadata | undefined> {
  const isExpected = ({ secrets }: MetadataPage) =>
    secrets.length === 1 && secrets.every((live) => isNamed(live, { namespace, name }));
  const page = await undefinedIfNotFound(readPage(cluster, { namespace, name }, isExpected, budget));
  return page?.secrets[0];
}

/** The metadata of every Secret of a namespace with the label. If the continue token expires, it lists once more. */
export async function listMetadata(
  cluster: Cluster,
  namespace: string,
  labelSelector: string,
  budget: TimeBudget,
): Promise<readonly LiveMetadata[]> {
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    try {
      return await listPages(cluster, namespace, labelSelector, budget);
    } catch (error) {
      if (!(error instanceof ListExpired)) throw error;
    }
  }
  throw new ClusterUnavailable(cluster.clusterKey, "HTTP 410");
}

async function listPages(
  cluster: Cluster,
  namespace: string,
  labelSelector: string,
  budget: TimeBudget,
): Promise<LiveMetadata[]> {
  const secrets: LiveMetadata[] = [];
  let [pages, bytes] = [0, 0];
  let continueToken: string | undefined;
  do {
    const isExpected = (page: MetadataPage): boolean =>
      page.secrets.length <= PAGE_SIZE &&
      page.secrets.every((live) => live.namespace === namespace) &&
      (page.continueToken === undefined || page.continueToken !== continueToken);
    const more = continueToken === undefined ? {} : { continueToken };
    const query = { namespace, labelSelector, limit: PAGE_SIZE, ...more };
    const page = await readPage(cluster, query, isExpected, budget);
    pages += 1;
    bytes += page.bytes;
    continueToken = page.continueToken;
    if (bytes > LIST_BYTES_MAX || (continueToken !== undefined && pages >= PAGES_MAX)) {
      throw new ClusterAnswerTooLarge(cluster.clusterKey);
    }
    secrets.push(...page.secrets);
  } while (continueToken !== undefined);
  return secrets;
}

/** A page that is not a Table of exactly the requested Secrets counts as no response. */
function readPage(
  { clusterKey, call }: Cluster,
  query: TableQuery,
  isExpected: (page: MetadataPage) => boolean,
  budget: TimeBudget,
): Promise<MetadataPage & { readonly bytes: number }> {
  return call(async (api, bearer, signal) => {
    const text = await api.readTable(query, bearer, signal);
    const page = parseSecretsTable(text);
    if (page?.secrets.every(canBeFenced) && isExpected(page)) return { ...page, bytes: text.length };
    throw new ClusterUnavailable(clusterKey, "HTTP 200 without a Table of those Secrets");
  }, budget);
}

/** A row with its managedFields takes about 2 kB. */
const PAGE_SIZE = 500;

// A namespace of 50,000 Secrets has 100 pages and 100 MB. A server that never ends its list must not fill the memory.
const PAGES_MAX = 1_000;
const LIST_BYTES_MAX = 128 * 1024 * 1024;
