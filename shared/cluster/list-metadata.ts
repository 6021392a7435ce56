import type { CallBudget } from "./call-budget.ts";
import { undefinedIfNotFound } from "./classify-response.ts";
import type { ClusterCaller } from "./cluster-caller.ts";
import { ClusterUnavailable } from "./errors.ts";
import { listPages } from "./list-pages.ts";
import { canBeFenced, isNamed, type LiveMetadata, type SecretName } from "./live-secret.ts";
import type { TableQuery } from "./secrets-api.ts";
import { parseSecretsTable } from "./secrets-table.ts";

type Cluster = { readonly clusterKey: string; readonly call: ClusterCaller };

/** The part of a Secret's metadata that a caller of a list needs; undefined to leave the Secret out. */
export type KeepMetadata = (live: LiveMetadata) => LiveMetadata | undefined;

/** The metadata of one Secret; undefined when it does not exist. */
export async function readMetadata(
  cluster: Cluster,
  { namespace, name }: SecretName,
  budget: CallBudget,
): Promise<LiveMetadata | undefined> {
  const isExpected = (live: LiveMetadata) => isNamed(live, { namespace, name });
  const query = { namespace, name };
  const page = await undefinedIfNotFound(
    readTable(cluster, { query, isExpected, countMin: 1, countMax: 1 }, (live) => live, budget),
  );
  return page?.items[0];
}

/** The metadata of the Secrets of a namespace with the label, reduced by `keep`. */
export function listMetadata(
  cluster: Cluster,
  namespace: string,
  labelSelector: string,
  budget: CallBudget,
  keep: KeepMetadata = (live) => live,
): Promise<readonly LiveMetadata[]> {
  const isExpected = (live: LiveMetadata): boolean => live.namespace === namespace;
  return listPages(
    cluster.clusterKey,
    (page) => {
      const query = { namespace, labelSelector, ...page };
      return readTable(cluster, { query, isExpected, countMin: 0, countMax: PAGE_SIZE }, keep, budget);
    },
    { limit: PAGE_SIZE, keptMax: KEPT_MAX },
  );
}

type Expected = {
  readonly query: TableQuery;
  readonly isExpected: (live: LiveMetadata) => boolean;
  readonly countMin: number;
  readonly countMax: number;
};

/** A page that is not a Table of exactly the requested Secrets counts as no response. */
function readTable(
  { clusterKey, call }: Cluster,
  { query, isExpected, countMin, countMax }: Expected,
  keep: KeepMetadata,
  budget: CallBudget,
) {
  return call(async (api, bearer, signal) => {
    const page = parseSecretsTable(await api.readTable(query, bearer, signal), (live) => {
      return canBeFenced(live) && isExpected(live) ? { kept: keep(live) } : undefined;
    });
    if (page !== undefined && page.count >= countMin && page.count <= countMax) return page;
    throw new ClusterUnavailable(clusterKey, "HTTP 200 without a Table of those Secrets");
  }, budget);
}

/** A row with its managedFields takes about 2 kB. */
const PAGE_SIZE = 500;

/** Bindings of one cluster, and Secrets whose binding is gone. */
const KEPT_MAX = 200_000;
