import type { ClusterConfig } from "../bindings/binding.ts";
import { isRetryable } from "../relay-error.ts";
import { type RetryPolicy, type Wait, withRetries } from "../runtime/retry.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { Unauthorized } from "./classify-response.ts";
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
import { createSecretsApi, type SecretsApi } from "./secrets-api.ts";
import type { TokenCache } from "./token-cache.ts";

export type ClusterCallerOptions = {
  /** The key in `clusters` of the bindings: errors and logs use it. */
  readonly clusterKey: string;
  readonly cluster: ClusterConfig;
  readonly directory: ClusterDirectory;
  readonly tokens: TokenCache;
  readonly connectionsMax: number;
  /** Sees every endpoint before the first call to it; what it throws ends the call. */
  readonly checkEndpoint?: (endpoint: ClusterEndpoint) => void;
  readonly wait?: Wait;
  readonly onRequest?: () => void;
  /** The API server answered 429. */
  readonly onThrottled?: () => void;
};

type Run<T> = (api: SecretsApi, bearer: string, signal: AbortSignal) => Promise<T>;

/** Runs a call against the API server, with its endpoint and a token, and retries within the budget. */
export type ClusterCaller = <T>(run: Run<T>, budget: TimeBudget) => Promise<T>;

export function clusterCaller(options: ClusterCallerOptions): ClusterCaller {
  const { cluster, directory, tokens, wait } = options;
  const open = keepApi(options);

  const callWithToken = async <T>(run: (bearer: string) => Promise<T>): Promise<T> => {
    const bearer = await tokens.bearerFor(cluster);
    return run(bearer).catch((error: unknown) => {
      if (error instanceof Unauthorized) tokens.forget(cluster, bearer);
      throw error;
    });
  };

  const callOnce = async <T>(run: Run<T>, { signal }: TimeBudget): Promise<T> => {
    const endpoint = await directory.find(cluster);
    options.checkEndpoint?.(endpoint);
    const api = open(endpoint);
    const send = () => callWithToken((bearer) => run(api, bearer, signal));
    try {
      return await send().catch((error: unknown) => {
        if (error instanceof Unauthorized) return send(); // once more, with a fresh token
        throw error;
      });
    } catch (error) {
      if (mayHaveMoved(error)) directory.forget(cluster, endpoint);
      if (error instanceof ClusterThrottled) options.onThrottled?.();
      throw error instanceof Unauthorized ? new ClusterTokenRefused(options.clusterKey) : error;
    }
  };

  // The two policies count their attempts apart. With one count, the last attempt against an API server in trouble could
  // be its only refusal.
  const callUntilRefusalStays = <T>(run: Run<T>, budget: TimeBudget): Promise<T> =>
    withRetries(
      () => callOnce(run, budget),
      { ...RETRY_POLICY, isWorthRetrying: mayBeStartingServer },
      budget,
      wait,
    );

  return (run, budget) =>
    withRetries(
      () => callUntilRefusalStays(run, budget),
      { ...RETRY_POLICY, isWorthRetrying: mayPass },
      budget,
      wait,
    );
}

/** Keeps the connections to one endpoint, and replaces them when the cluster has another. */
function keepApi({
  clusterKey,
  connectionsMax,
  onRequest,
}: ClusterCallerOptions): (endpoint: ClusterEndpoint) => SecretsApi {
  let opened: { endpoint: ClusterEndpoint; api: SecretsApi } | undefined;
  return (endpoint) => {
    if (opened === undefined || !isSameEndpoint(opened.endpoint, endpoint)) {
      opened?.api.close();
      const limits = { connectionsMax, timeoutMs: REQUEST_TIMEOUT_MS };
      opened = {
        endpoint,
        api: createSecretsApi(clusterKey, endpoint, { ...limits, ...(onRequest && { onRequest }) }),
      };
    }
    return opened.api;
  };
}

function isSameEndpoint(one: ClusterEndpoint, other: ClusterEndpoint): boolean {
  return (
    one.url === other.url &&
    one.certificateAuthorityData === other.certificateAuthorityData &&
    one.tls?.clientCertificate?.certificatePem === other.tls?.clientCertificate?.certificatePem
  );
}

/** A cluster that was replaced has another endpoint or CA: it is looked up again before the next attempt. */
function mayHaveMoved(error: unknown): boolean {
  return (
    error instanceof ClusterUntrusted || (error instanceof ClusterUnavailable && error.isConnectionFault)
  );
}

/** After a fence conflict the same resourceVersion can never succeed: the caller must read again. */
function mayPass(error: unknown): boolean {
  return isRetryable(error) && !(error instanceof FenceConflict) && !(error instanceof ClusterAnswerTooLarge);
}

/**
 * A kube-apiserver that has just started answers 403 to everyone until it has read the Roles: for 54 to 75 ms, measured
 * on 1.36.3 and two quiet cores, and more than a second before it is ready. So the relay believes a refusal that stays.
 * It does not retry the refusal of a list: most installations have no permission to list.
 */
function mayBeStartingServer(error: unknown): boolean {
  return error instanceof ClusterForbidden && error.verb !== "list";
}

// The API server allows a patch at most 34 s (pkg/endpoints/handlers/patch.go). A healthy one needs milliseconds, and a
// Lambda that waits longer for one Secret has no time left for the others.
const REQUEST_TIMEOUT_MS = 10_000;

const RETRY_POLICY = { attemptsMax: 4, pauseMs: 100, pauseMsMax: 3_000 } satisfies RetryPolicy;
