import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import { RelayError } from "../relay-error.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import { ListExpired, NotFound, Unauthorized } from "./classify-response.ts";
import { type ClusterCaller, type ClusterCallerOptions, clusterCaller } from "./cluster-caller.ts";
import { ClusterUnavailable, FenceConflict } from "./errors.ts";
import { listMetadata, readMetadata } from "./list-metadata.ts";
import {
  canBeFenced,
  isNamed,
  type LiveMetadata,
  type LiveSecret,
  type ObjectVersion,
  parseLiveSecret,
  type SecretName,
} from "./live-secret.ts";
import type { ApplyHow, ObjectCall } from "./secrets-api.ts";

/** The relay's operations on the Secrets of one cluster. Every call retries transient failures, within the budget. */
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

export function connectCluster(options: ClusterCallerOptions): ClusterConnection {
  const cluster: Cluster = { clusterKey: options.clusterKey, call: clusterCaller(options) };
  return {
    readSecret: (secret, budget) => readSecret(cluster, secret, budget),
    applySecret: (body, how, budget) => applySecret(cluster, body, how, budget),
    patchMetadata: (secret, patch, budget) => patchMetadata(cluster, secret, patch, budget),
    readMetadata: (secret, budget) => readMetadata(cluster, secret, budget),
    listMetadata: (namespace, selector, budget) => listMetadata(cluster, namespace, selector, budget),
    deleteSecret: (secret, only, budget) => deleteSecret(cluster, secret, only, budget),
    callObject: (request, budget) => callObject(cluster, request, budget),
  };
}

type Cluster = { readonly clusterKey: string; readonly call: ClusterCaller };

async function readSecret(
  cluster: Cluster,
  secret: SecretName,
  budget: TimeBudget,
): Promise<LiveSecret | undefined> {
  try {
    return await cluster.call(
      (api, bearer, signal) => parseAnswer(cluster, api.read(secret, bearer, signal), secret),
      budget,
    );
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

function applySecret(
  cluster: Cluster,
  body: V1Secret,
  how: ApplyHow,
  budget: TimeBudget,
): Promise<LiveSecret> {
  const { namespace = "", name = "", uid } = body.metadata ?? {};
  const expected = { namespace, name, ...(uid !== undefined && { uid }) };
  return cluster.call(
    (api, bearer, signal) => parseAnswer(cluster, api.apply(body, how, bearer, signal), expected),
    budget,
  );
}

/** An answer that is not the requested Secret counts as no response. */
async function parseAnswer(
  { clusterKey }: Cluster,
  answered: Promise<V1Secret>,
  expected: SecretName & { uid?: string },
): Promise<LiveSecret> {
  try {
    const answer = await answered;
    const live = parseLiveSecret(answer);
    const isExpected = answer.kind === "Secret" && isNamed(live, expected) && canBeFenced(live);
    if (isExpected && (expected.uid ?? live.uid) === live.uid) return live;
  } catch (error) {
    if (isClassified(error)) throw error; // else the client or our parser could not make a Secret of it
  }
  throw new ClusterUnavailable(clusterKey, "HTTP 200 without that Secret");
}

function isClassified(error: unknown): boolean {
  const ours = [RelayError, Unauthorized, NotFound, ListExpired];
  return ours.some((kind) => error instanceof kind);
}

async function deleteSecret(
  { call }: Cluster,
  secret: SecretName,
  only: ObjectVersion,
  budget: TimeBudget,
): Promise<boolean> {
  try {
    await call((api, bearer, signal) => api.delete(secret, only, bearer, signal), budget);
    return true;
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw error;
  }
}

async function patchMetadata(
  cluster: Cluster,
  { namespace, name, uid, resourceVersion }: SecretName & ObjectVersion,
  { metadata, fieldManager }: { readonly metadata: object; readonly fieldManager: string },
  budget: TimeBudget,
): Promise<ObjectVersion> {
  const request = {
    method: "PATCH",
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`,
    query: { fieldManager },
    body: { metadata: { uid, resourceVersion, ...metadata } },
    metadataOnly: true,
  } as const;
  const answer = (await callObject(cluster, request, budget)) as
    | { metadata?: { uid?: unknown; resourceVersion?: unknown } }
    | undefined;
  if (answer === undefined) throw new FenceConflict(`Secret ${namespace}/${name}`);
  const { uid: uidNow, resourceVersion: versionNow } = answer.metadata ?? {};
  if (uidNow !== uid || typeof versionNow !== "string" || versionNow === "") {
    throw new ClusterUnavailable(cluster.clusterKey, "HTTP 200 without that Secret");
  }
  return { uid, resourceVersion: versionNow };
}

async function callObject(
  { clusterKey, call }: Cluster,
  request: ObjectCall,
  budget: TimeBudget,
): Promise<unknown> {
  try {
    return await call(async (api, bearer, signal) => {
      const text = await api.callObject(request, bearer, signal);
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
}
