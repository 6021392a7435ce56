import pLimit from "p-limit";
import { type CallBudget, withoutRetries } from "../cluster/call-budget.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import {
  ClusterAnswerTooLarge,
  ClusterRejected,
  ClusterThrottled,
  ClusterUnavailable,
} from "../cluster/errors.ts";
import { guardCalls } from "../cluster/guard-calls.ts";
import { RelayError } from "../relay-error.ts";
import type { Wait } from "../runtime/retry.ts";

/**
 * A connection for a shard that calls a cluster that is down a few times, not once per Secret.
 *
 * After several faults in a row the breaker is open. Then a few calls try the cluster again, one at a time, without
 * retries of transient failures, and from as many namespaces as possible. The first response that shows a working
 * cluster closes the breaker. All other calls fail with the last fault, so that their targets are reported as unknown.
 */
export function circuitBreaker(
  cluster: ClusterConnection,
  { wait, now = () => performance.now() }: { readonly wait: Wait; readonly now?: () => number },
): ClusterConnection {
  let open: { readonly tries: Map<string, number>; count: number; ms: number } | undefined;
  let lastFault: RelayError | undefined;
  const faults = new Set<string>();
  const oneAtATime = pLimit(1);

  const record = (error: unknown, namespace: string, isWrite: boolean): void => {
    if (showsHealth(error)) close();
    if (!isClusterFault(error, isWrite)) return;
    lastFault = error;
    faults.add(isOfNamespace(error) ? `namespace ${namespace}` : `call ${faults.size}`);
    if (faults.size >= FAULTS_MAX) open ??= { tries: new Map(), count: 0, ms: 0 };
  };
  const close = (): void => {
    faults.clear();
    open = undefined;
  };

  return guardCalls(cluster, async ({ namespace, isWrite }, budget, run) => {
    const attempt = async (own: CallBudget) => {
      try {
        const result = await run(own);
        close();
        return result;
      } catch (error) {
        record(error, namespace, isWrite);
        throw error;
      }
    };
    const tryAgain = async () => {
      if (open === undefined || lastFault === undefined) return undefined;
      const triesHere = open.tries.get(namespace) ?? 0;
      if (triesHere >= TRIES_PER_NAMESPACE || open.count >= TRIES_MAX || open.ms >= TRIES_MS_MAX)
        throw lastFault;
      open.tries.set(namespace, triesHere + 1);
      const startedAt = now();
      const pauseMs = Math.max(PAUSES_MS[open.count] ?? 0, lastFault.retryAfterMs ?? 0);
      open.count += 1;
      const opened = open;
      if (pauseMs >= budget.remainingMs()) throw lastFault;
      try {
        await wait(pauseMs, budget.signal);
        return { result: await attempt(withoutRetries(budget)) };
      } finally {
        opened.ms += now() - startedAt;
      }
    };
    const tried = open && (await oneAtATime(tryAgain));
    return tried === undefined ? attempt(budget) : tried.result;
  });
}

// A call fails after four attempts. If every fifth request fails at random, three calls in a row fail once in 2 * 10^8.
const FAULTS_MAX = 3;

const TRIES_MAX = 10;
const TRIES_PER_NAMESPACE = 3;
const TRIES_MS_MAX = 30_000;

/** Before each of the first tries: an API server that restarts needs some seconds. */
const PAUSES_MS = [250, 500, 1_000, 2_000, 4_000];

/**
 * Whether a failed call says something about the cluster. A failed write often does not: one admission webhook makes each
 * write of a namespace fail with a 5xx, a 429 or a timeout. The cluster has answered the read before each write.
 */
function isClusterFault(error: unknown, isWrite: boolean): error is RelayError {
  if (!(error instanceof RelayError) || !isKnownClusterFault(error.code)) return false;
  if (!isWrite) return true;
  if (error instanceof ClusterUnavailable) return error.isConnectionFault && error.at !== "timeout";
  return !(error instanceof ClusterThrottled || error instanceof ClusterRejected);
}

/** A Secret that cannot be decrypted makes reads of its namespace fail, so that counts once per namespace. */
const isOfNamespace = (error: RelayError): boolean =>
  error instanceof ClusterUnavailable && error.at === "HTTP 500";

/** A refusal shows that the cluster works. So does a list that is too large, which any client may cause. */
const showsHealth = (error: unknown): boolean =>
  error instanceof ClusterAnswerTooLarge || (error instanceof RelayError && !isKnownClusterFault(error.code));

/** Whether the code may concern a whole cluster. */
export function isKnownClusterFault(code: string): boolean {
  return CLUSTER_FAULTS.has(code);
}

const CLUSTER_FAULTS: ReadonlySet<string> = new Set([
  "CLUSTER_LISTED_TWICE",
  "CLUSTER_LOOKUP_FAILED",
  "CLUSTER_LOOKUP_FORBIDDEN",
  "CLUSTER_NOT_FOUND",
  "CLUSTER_REJECTED",
  "CLUSTER_THROTTLED",
  "CLUSTER_TOKEN_REFUSED",
  "CLUSTER_UNAVAILABLE",
  "CLUSTER_UNTRUSTED",
  "CREDENTIALS_UNAVAILABLE",
  "EKS_TOKEN_TOO_LARGE",
  "ROLE_NOT_ASSUMED",
]);
