import type { ClusterConfig } from "../bindings/binding.ts";
import { isRetryable } from "../relay-error.ts";
import { type RetryPolicy, type Wait, withRetries } from "../runtime/retry.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { budgetForRetries, type CallBudget } from "./call-budget.ts";
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
  /** The key in `clusters` of the bindings; shown in errors and logs. */
  readonly clusterKey: string;
  readonly cluster: ClusterConfig;
  readonly directory: ClusterDirectory;
  readonly tokens: TokenCache;
  readonly connectionsMax: number;
  /** Called with the endpoint before each call, which fails when this throws. */
  readonly checkEndpoint?: (endpoint: ClusterEndpoint) => void;
  readonly wait?: Wait;
  readonly onRequest?: () => void;
  /** The API server answered 429. */
  readonly onThrottled?: () => void;
};

type Run<T> = (api: SecretsApi, bearer: string, signal: AbortSignal) => Promise<T>;

/** Calls the API server with its endpoint and a token, and retries within the budget. */
export type ClusterCaller = <T>(run: Run<T>, budget: CallBudget) => Promise<T>;

export function clusterCaller(options: ClusterCallerOptions): ClusterCaller {
  const { cluster, directory, tokens, wait } = options;
  const apiFor = reuseApi(options);

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
    const api = apiFor(endpoint);
    const send = () => callWithToken((bearer) => run(api, bearer, signal));
    try {
      return await send().catch((error: unknown) => {
        if (error instanceof Unauthorized) return send(); // retry once, with a fresh token
        throw error;
      });
    } catch (error) {
      if (mayHaveMoved(error)) directory.forget(cluster, endpoint);
      if (error instanceof ClusterThrottled) options.onThrottled?.();
      throw error instanceof Unauthorized ? new ClusterTokenRefused(options.clusterKey) : error;
    }
  };

  // Two separate counts of attempts. With one count, an API server in trouble could use up the attempts and return its
  // first 403 in the last one.
  const retryRefusal = { ...RETRY_POLICY, isWorthRetrying: mayBeStartingServer };
  const retryTransient = { ...RETRY_POLICY, isWorthRetrying: isTransient };
  return (run, budget) => {
    const callUntilRefusalStays = () => withRetries(() => callOnce(run, budget), retryRefusal, budget, wait);
    return withRetries(callUntilRefusalStays, retryTransient, budgetForRetries(budget), wait);
  };
}

/** Keeps the connections to one endpoint, and replaces them when the endpoint changes. */
function reuseApi({
  clusterKey,
  connectionsMax,
  onRequest,
}: ClusterCallerOptions): (endpoint: ClusterEndpoint) => SecretsApi {
  const options = { connectionsMax, timeoutMs: REQUEST_TIMEOUT_MS, ...(onRequest && { onRequest }) };
  let opened: { endpoint: ClusterEndpoint; api: SecretsApi } | undefined;
  return (endpoint) => {
    if (opened === undefined || !isSameEndpoint(opened.endpoint, endpoint)) {
      opened?.api.close();
      opened = { endpoint, api: createSecretsApi(clusterKey, endpoint, options) };
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

/** A replaced cluster has another endpoint or CA, so the next attempt looks it up again. */
function mayHaveMoved(error: unknown): boolean {
  return (
    error instanceof ClusterUntrusted || (error instanceof ClusterUnavailable && error.isConnectionFault)
  );
}

/** A fence conflict is not: the caller must read again, because the same resourceVersion can never succeed. */
function isTransient(error: unknown): boolean {
  return isRetryable(error) && !(error instanceof FenceConflict) && !(error instanceof ClusterAnswerTooLarge);
}

/**
 * A kube-apiserver that has just started answers every request with 403 until it has read the Roles: for 54 to 75 ms
 * (measured on 1.36.3, two quiet cores), more than a second before it is ready. So a 403 is retried. The 403 of a list
 * is not: most installations have no permission to list.
 */
function mayBeStartingServer(error: unknown): boolean {
  return error instanceof ClusterForbidden && error.verb !== "list";
}

// The API server allows a patch 34 s (pkg/endpoints/handlers/patch.go), but a healthy one needs milliseconds. With a
// longer timeout, one Secret could use up the Lambda's time.
const REQUEST_TIMEOUT_MS = 10_000;

const RETRY_POLICY = { attemptsMax: 4, pauseMs: 100, pauseMsMax: 3_000 } satisfies RetryPolicy;
