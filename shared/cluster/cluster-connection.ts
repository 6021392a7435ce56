import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import type { ClusterConfig } from "../bindings/binding.ts";
import { isRetryable, RelayError } from "../relay-error.ts";
import { type RetryPolicy, type Wait, withRetries } from "../retry/retry.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { ListExpired, NotFound, Unauthorized } from "./classify-response.ts";
import type { ClusterDirectory } from "./cluster-directory.ts";
import {
  ClusterAnswerTooLarge,
  ClusterForbidden,
  ClusterThrottled,
  ClusterTokenRefused,
  ClusterUnavailable,
  ClusterUntrusted,
  FenceConflict,
} from "./errors.ts";
import type { ClusterEndpoint } from "./https-transport.ts";
import { type LiveMetadata, type LiveSecret, parseLiveSecret } from "./live-secret.ts";
import {
  type ApplyHow,
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
  /** Server-side apply. */
  applySecret(body: V1Secret, how: ApplyHow, budget: TimeBudget): Promise<LiveSecret>;
  /**
   * A merge patch of a Secret's metadata, in that very state only; answers its new resourceVersion. Throws a
   * FenceConflict when the Secret has changed or is gone.
   */
  patchMetadata(
    secret: SecretName & ObjectVersion,
    patch: { readonly metadata: object; readonly fieldManager: string },
    budget: TimeBudget,
  ): Promise<ObjectVersion>;
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
  /** Sees every endpoint before the first call to it; what it throws ends the call. */
  readonly checkEndpoint?: (endpoint: ClusterEndpoint) => void;
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
    options.checkEndpoint?.(endpoint);
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
      () => believeRefusalThatStays(run, budget),
      // A lost fence is lost for good with this resourceVersion: whoever planned the write must read again.
      {
        ...RETRY_POLICY,
        isWorthRetrying: (error) =>
          isRetryable(error) &&
          !(error instanceof FenceConflict) &&
          !(error instanceof ClusterAnswerTooLarge),
      },
      budget,
      wait,
    );

  // With tries of its own: were they shared, the last one of a cluster in trouble could be its only refusal.
  const believeRefusalThatStays = <T>(
    run: (api: SecretsApi, bearer: string) => Promise<T>,
    budget: TimeBudget,
  ): Promise<T> =>
    withRetries(
      () => call(run),
      { ...RETRY_POLICY, isWorthRetrying: mayBeOfAServerThatStarts },
      budget,
      wait,
    );

  /** Anything but that Secret is not believed, whatever else it may be. */
  const parse = async (
    answered: Promise<V1Secret>,
    asked: SecretName & { uid?: string },
  ): Promise<LiveSecret> => {
    try {
      const answer = await answered;
      const live = parseLiveSecret(answer);
      const isTheOne = answer.kind === "Secret" && isNamed(live, asked) && canBeFenced(live);
      if (isTheOne && (asked.uid ?? live.uid) === live.uid) return live;
    } catch (error) {
      if (isClassified(error)) throw error; // else the client or our parser could not make a Secret of it
    }
    throw new ClusterUnavailable(clusterKey, "HTTP 200 without that Secret");
  };

  const readPage = (
    query: TableQuery,
    isAsAsked: (page: MetadataPage) => boolean,
    budget: TimeBudget,
  ): Promise<MetadataPage & { readonly bytes: number }> =>
    callWithRetries(async (api, bearer) => {
      const text = await api.readTable(query, bearer, budget.signal);
      const page = parseSecretsTable(text);
      const isBelieved = page?.secrets.every(canBeFenced) && isAsAsked(page);
      if (page !== undefined && isBelieved) return { ...page, bytes: text.length };
      throw new ClusterUnavailable(clusterKey, "HTTP 200 without a Table of those Secrets");
    }, budget);

  const listPages = async (
    namespace: string,
    labelSelector: string,
    budget: TimeBudget,
  ): Promise<LiveMetadata[]> => {
    const secrets: LiveMetadata[] = [];
    let [pages, bytes] = [0, 0];
    let continueToken: string | undefined;
    do {
      const isAsAsked = (page: MetadataPage): boolean =>
        page.secrets.length <= PAGE_SIZE &&
        page.secrets.every((live) => live.namespace === namespace) &&
        (page.continueToken === undefined || page.continueToken !== continueToken);
      const more = continueToken === undefined ? {} : { continueToken };
      const page = await readPage({ namespace, labelSelector, limit: PAGE_SIZE, ...more }, isAsAsked, budget);
      pages += 1;
      bytes += page.bytes;
      const isMore = page.continueToken !== undefined;
      if (bytes > LIST_BYTES_MAX || (isMore && pages >= PAGES_MAX))
        throw new ClusterAnswerTooLarge(clusterKey);
      secrets.push(...page.secrets);
      continueToken = page.continueToken;
    } while (continueToken !== undefined);
    return secrets;
  };

  const callObject = async (request: ObjectCall, budget: TimeBudget): Promise<unknown> => {
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
  };

  return {
    readMetadata: async ({ namespace, name }, budget) => {
      try {
        const isTheOne = ({ secrets }: MetadataPage) =>
          secrets.length === 1 && secrets.every((live) => isNamed(live, { namespace, name }));
        return (await readPage({ namespace, name }, isTheOne, budget)).secrets[0];
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
    callObject,
    patchMetadata: async ({ namespace, name, uid, resourceVersion }, { metadata, fieldManager }, budget) => {
      const answer = (await callObject(
        {
          method: "PATCH",
          path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`,
          query: { fieldManager },
          body: { metadata: { uid, resourceVersion, ...metadata } },
          metadataOnly: true,
        },
        budget,
      )) as { metadata?: { uid?: unknown; resourceVersion?: unknown } } | undefined;
      const { uid: uidNow, resourceVersion: versionNow } = answer?.metadata ?? {};
      if (answer === undefined) throw new FenceConflict(`Secret ${namespace}/${name}`);
      if (uidNow !== uid || typeof versionNow !== "string" || versionNow === "") {
        throw new ClusterUnavailable(clusterKey, "HTTP 200 without that Secret");
      }
      return { uid, resourceVersion: versionNow };
    },
    readSecret: async (secret, budget) => {
      try {
        return await callWithRetries(
          (api, bearer) => parse(api.read(secret, bearer, budget.signal), secret),
          budget,
        );
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },
    applySecret: (body, how, budget) =>
      callWithRetries(
        (api, bearer) => parse(api.apply(body, how, bearer, budget.signal), nameOf(body)),
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

/**
 * A kube-apiserver that has just started answers 403 to everybody until it has read the Roles: for 54 to 75 ms, measured
 * on 1.36.3 and two quiet cores, and more than a second before it is ready. So a refusal is believed when it stays. Not
 * that of a list: for most it is the rule, since the relay needs no right to list.
 */
function mayBeOfAServerThatStarts(error: unknown): boolean {
  return error instanceof ClusterForbidden && error.verb !== "list";
}

// The API server gives a patch 34 s at most (pkg/endpoints/handlers/patch.go); a healthy one takes milliseconds, and
// a Lambda that waits longer than this for one Secret has no time left for the others.
const REQUEST_TIMEOUT_MS = 10_000;

/** A row with its managedFields takes some 2 kB. */
const PAGE_SIZE = 500;

// A namespace of 50,000 Secrets has 100 pages and 100 MB; a server that goes on and on must not fill the memory.
const PAGES_MAX = 1_000;
const LIST_BYTES_MAX = 128 * 1024 * 1024;

function isNamed(live: SecretName, { namespace, name }: SecretName): boolean {
  return live.namespace === namespace && live.name === name;
}

/** No object is without a uid and a resourceVersion, and without them no fence could be built on it. */
function canBeFenced({ uid, resourceVersion }: ObjectVersion): boolean {
  return uid !== "" && resourceVersion !== "";
}

/** What an apply must come back as; the uid only where the apply was fenced with one. */
function nameOf({ metadata }: V1Secret): SecretName & { uid?: string } {
  const { namespace = "", name = "", uid } = metadata ?? {};
  return { namespace, name, ...(uid !== undefined && { uid }) };
}

function isClassified(error: unknown): boolean {
  const ours = [RelayError, Unauthorized, NotFound, ListExpired];
  return ours.some((kind) => error instanceof kind);
}

const RETRY_POLICY = { attemptsMax: 4, pauseMs: 100, pauseMsMax: 3_000 } satisfies RetryPolicy;
