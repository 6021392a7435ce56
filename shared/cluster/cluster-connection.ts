import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import type { ClusterConfig } from "../bindings/binding.ts";
import { isRetryable } from "../relay-error.ts";
import { type RetryPolicy, type Wait, withRetries } from "../retry/retry.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { ListExpired, NotFound, Unauthorized } from "./classify-response.ts";
import type { ClusterDirectory } from "./cluster-directory.ts";
import {
  ClusterThrottled,
  ClusterTokenRefused,
  ClusterUnavailable,
  ClusterUntrusted,
  FenceConflict,
} from "./errors.ts";
import type { ClusterEndpoint } from "./https-transport.ts";
import { type LiveMetadata, type LiveSecret, parseLiveSecret } from "./live-secret.ts";
import {
  createSecretsApi,
  type ObjectCall,
  type ObjectVersion,
  type SecretName,
  type SecretsApi,
  type TableQuery,
} from "./secrets-api.ts";
import { type MetadataPage, parseSecretsTable } from "./secrets-table.ts";
import type { TokenCache } from "./token-cache.ts";

/** What the relay does to Secrets of one cluster. Every call retries what may pass, within the budget. */
export type ClusterConnection = {
  readSecret(secret: SecretName, budget: TimeBudget): Promise<LiveSecret | undefined>;
  /** Server-side apply; `force` takes over fields of other managers. */
  applySecret(body: V1Secret, force: boolean, budget: TimeBudget): Promise<LiveSecret>;
  /** Without its values. */
  readMetadata(secret: SecretName, budget: TimeBudget): Promise<LiveMetadata | undefined>;
  /** Every Secret of the namespace with the label, without its values. */
  listMetadata(
    namespace: string,
    labelSelector: string,
    budget: TimeBudget,
  ): Promise<readonly LiveMetadata[]>;
  /** Deletes it in that very state only; false when it was gone already. */
  deleteSecret(secret: SecretName, only: ObjectVersion, budget: TimeBudget): Promise<boolean>;
  /** One call on objects that are no Secrets, as JSON; undefined when what the path names is not there. */
  callObject(call: ObjectCall, budget: TimeBudget): Promise<unknown>;
};

export type ClusterConnectionOptions = {
  /** The key in `clusters` of the bindings: what errors and logs call it. */
  readonly clusterKey: string;
  readonly cluster: ClusterConfig;
  readonly directory: ClusterDirectory;
  readonly tokens: TokenCache;
  readonly connectionsMax: number;
  readonly wait?: Wait;
  /** Told of every request, and of every time that the API server asked to wait. */
  readonly onRequest?: () => void;
  readonly onThrottled?: () => void;
};

export function connectCluster(options: ClusterConnectionOptions): ClusterConnection {
  const { clusterKey, cluster, directory, tokens, connectionsMax, wait } = options;
  let opened: { endpoint: ClusterEndpoint; api: SecretsApi } | undefined;

  const open = (endpoint: ClusterEndpoint): SecretsApi => {
    if (opened === undefined || !isSameEndpoint(opened.endpoint, endpoint)) {
      opened?.api.close();
      const api = createSecretsApi(clusterKey, endpoint, {
        connectionsMax,
        timeoutMs: REQUEST_TIMEOUT_MS,
        ...(options.onRequest && { onRequest: options.onRequest }),
      });
      opened = { endpoint, api };
    }
    return opened.api;
  };

  // A cluster that was replaced has another endpoint or CA: look it up anew before the next try.
  const suspectEndpointAfter = (error: unknown, endpoint: ClusterEndpoint): void => {
    const isSuspect =
      error instanceof ClusterUntrusted || (error instanceof ClusterUnavailable && error.isConnectionFault);
    if (isSuspect) directory.forget(cluster, endpoint);
  };

  const callWithToken = async <T>(run: (bearer: string) => Promise<T>): Promise<T> => {
    const bearer = await tokens.bearerFor(cluster);
    return run(bearer).catch((error: unknown) => {
      if (error instanceof Unauthorized) tokens.forget(cluster, bearer);
      throw error;
    });
  };

  const call = async <T>(run: (api: SecretsApi, bearer: string) => Promise<T>): Promise<T> => {
    const endpoint = await directory.find(cluster);
    const api = open(endpoint);
    const runOnce = () => callWithToken((bearer) => run(api, bearer));
    try {
      return await runOnce().catch((error: unknown) => {
        if (error instanceof Unauthorized) return runOnce(); // one fresh token, one more try
        throw error;
      });
    } catch (error) {
      suspectEndpointAfter(error, endpoint);
      if (error instanceof ClusterThrottled) options.onThrottled?.();
      throw error instanceof Unauthorized ? new ClusterTokenRefused(clusterKey) : error;
    }
  };

  const callWithRetries = <T>(
    run: (api: SecretsApi, bearer: string) => Promise<T>,
    budget: TimeBudget,
  ): Promise<T> =>
    withRetries(
      () => call(run),
      // A lost fence is lost for good with this resourceVersion: whoever planned the write must read again.
      {
        ...RETRY_POLICY,
        isWorthRetrying: (error) => isRetryable(error) && !(error instanceof FenceConflict),
      },
      budget,
      wait,
    );

  const parse = (answer: V1Secret): LiveSecret => {
    const live = parseLiveSecret(answer);
    if (live.uid !== "" && live.resourceVersion !== "") return live;
    throw new ClusterUnavailable(clusterKey, "HTTP 200 without a Secret"); // no fence could be built on it
  };

  const readPage = (query: TableQuery, budget: TimeBudget): Promise<MetadataPage> =>
    callWithRetries(async (api, bearer) => {
      const page = parseSecretsTable(await api.readTable(query, bearer, budget.signal));
      if (page === undefined) throw new ClusterUnavailable(clusterKey, "HTTP 200 without a Table of Secrets");
      return page;
    }, budget);

  const listPages = async (
    namespace: string,
    labelSelector: string,
    budget: TimeBudget,
  ): Promise<LiveMetadata[]> => {
    const secrets: LiveMetadata[] = [];
    let continueToken: string | undefined;
    do {
      const more = continueToken === undefined ? {} : { continueToken };
      const page = await readPage({ namespace, labelSelector, limit: PAGE_SIZE, ...more }, budget);
      secrets.push(...page.secrets);
      continueToken = page.continueToken;
    } while (continueToken !== undefined);
    return secrets;
  };

  return {
    readMetadata: async ({ namespace, name }, budget) => {
      try {
        return (await readPage({ namespace, name }, budget)).secrets[0];
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },
    listMetadata: async (namespace, labelSelector, budget) => {
      try {
        return await listPages(namespace, labelSelector, budget);
      } catch (error) {
        if (!(error instanceof ListExpired)) throw error;
      }
      try {
        return await listPages(namespace, labelSelector, budget);
      } catch (error) {
        throw error instanceof ListExpired ? new ClusterUnavailable(clusterKey, "HTTP 410") : error;
      }
    },
    deleteSecret: async (secret, only, budget) => {
      try {
        await callWithRetries((api, bearer) => api.delete(secret, only, bearer, budget.signal), budget);
        return true;
      } catch (error) {
        if (error instanceof NotFound) return false;
        throw error;
      }
    },
    callObject: async (request, budget) => {
      try {
        return await callWithRetries(async (api, bearer) => {
          const text = await api.callObject(request, bearer, budget.signal);
          try {
            return JSON.parse(text) as unknown;
          } catch {
            throw new ClusterUnavailable(clusterKey, "HTTP 200 without JSON");
          }
        }, budget);
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error instanceof ListExpired ? new ClusterUnavailable(clusterKey, "HTTP 410") : error;
      }
    },
    readSecret: async (secret, budget) => {
      try {
        return await callWithRetries(
          async (api, bearer) => parse(await api.read(secret, bearer, budget.signal)),
          budget,
        );
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },
    applySecret: (body, force, budget) =>
      callWithRetries(
        async (api, bearer) => parse(await api.apply(body, force, bearer, budget.signal)),
        budget,
      ),
  };
}

function isSameEndpoint(one: ClusterEndpoint, other: ClusterEndpoint): boolean {
  return (
    one.url === other.url &&
    one.certificateAuthorityData === other.certificateAuthorityData &&
    one.tls?.clientCertificate?.certificatePem === other.tls?.clientCertificate?.certificatePem
  );
}

// The API server gives a patch 34 s at most (pkg/endpoints/handlers/patch.go); a healthy one takes milliseconds, and
// a Lambda that waits longer than this for one Secret has no time left for the others.
const REQUEST_TIMEOUT_MS = 10_000;

/** A row with its managedFields takes some 2 kB. */
const PAGE_SIZE = 500;

const RETRY_POLICY = { attemptsMax: 4, pauseMs: 100, pauseMsMax: 3_000 } satisfies RetryPolicy;
