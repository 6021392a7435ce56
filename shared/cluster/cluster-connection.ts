import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import { RelayError } from "../relay-error.ts";
import type { CallBudget } from "./call-budget.ts";
import { ListExpired, NotFound, Unauthorized, undefinedIfNotFound } from "./classify-response.ts";
import { type ClusterCallerOptions, clusterCaller } from "./cluster-caller.ts";
import { ClusterUnavailable, FenceConflict } from "./errors.ts";
import { type KeepMetadata, listMetadata, readMetadata } from "./list-metadata.ts";
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

/** The relay's operations on one cluster. Every call retries transient failures within the budget. */
export type ClusterConnection = {
  readSecret(secret: SecretName, budget: CallBudget): Promise<LiveSecret | undefined>;
  /** Server-side apply. */
  applySecret(body: V1Secret, how: ApplyHow, budget: CallBudget): Promise<LiveSecret>;
  /**
   * A merge patch of a Secret's metadata. Returns the new resourceVersion; throws a FenceConflict when the Secret has
   * changed or is gone.
   */
  patchMetadata(
    secret: SecretName & ObjectVersion,
    patch: { readonly metadata: object; readonly fieldManager: string },
    budget: CallBudget,
  ): Promise<ObjectVersion>;
  /** Without its values. */
  readMetadata(secret: SecretName, budget: CallBudget): Promise<LiveMetadata | undefined>;
  /** Every Secret of the namespace with the label, without its values, reduced by `keep` page by page. */
  listMetadata(
    namespace: string,
    labelSelector: string,
    budget: CallBudget,
    keep?: KeepMetadata,
  ): Promise<readonly LiveMetadata[]>;
  /** Deletes the Secret in this state only; false when it does not exist. */
  deleteSecret(secret: SecretName, only: ObjectVersion, budget: CallBudget): Promise<boolean>;
  /** A call on other objects. Returns parsed JSON; undefined for a 404. */
  callObject(call: ObjectCall, budget: CallBudget): Promise<unknown>;
};

export function connectCluster(options: ClusterCallerOptions): ClusterConnection {
  const { clusterKey } = options;
  const call = clusterCaller(options);

  const callObject = async (request: ObjectCall, budget: CallBudget): Promise<unknown> => {
    const response = call(async (api, bearer, signal) => {
      const text = await api.callObject(request, bearer, signal);
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw new ClusterUnavailable(clusterKey, "HTTP 200 without JSON");
      }
    }, budget);
    return undefinedIfNotFound(response).catch((error: unknown) => {
      throw error instanceof ListExpired ? new ClusterUnavailable(clusterKey, "HTTP 410") : error;
    });
  };

  return {
    callObject,
    readSecret: (secret, budget) =>
      undefinedIfNotFound(
        call(
          (api, bearer, signal) => parseSecret(clusterKey, api.read(secret, bearer, signal), secret),
          budget,
        ),
      ),
    applySecret: (body, how, budget) => {
      const { namespace = "", name = "", uid } = body.metadata ?? {};
      const expected = { namespace, name, ...(uid !== undefined && { uid }) };
      return call(
        (api, bearer, signal) => parseSecret(clusterKey, api.apply(body, how, bearer, signal), expected),
        budget,
      );
    },
    patchMetadata: async ({ namespace, name, uid, resourceVersion }, { metadata, fieldManager }, budget) => {
      const request = {
        method: "PATCH",
        path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`,
        query: { fieldManager },
        body: { metadata: { uid, resourceVersion, ...metadata } },
        metadataOnly: true,
      } as const;
      const patched = (await callObject(request, budget)) as
        | { metadata?: Partial<ObjectVersion> }
        | undefined;
      if (patched === undefined) throw new FenceConflict(`Secret ${namespace}/${name}`);
      const { uid: patchedUid, resourceVersion: newVersion } = patched.metadata ?? {};
      if (patchedUid !== uid || typeof newVersion !== "string" || newVersion === "")
        throw notThatSecret(clusterKey);
      return { uid, resourceVersion: newVersion };
    },
    readMetadata: (secret, budget) => readMetadata({ clusterKey, call }, secret, budget),
    listMetadata: (...asked) => listMetadata({ clusterKey, call }, ...asked),
    deleteSecret: async (secret, only, budget) => {
      const deletion = call(async (api, bearer, signal) => {
        await api.delete(secret, only, bearer, signal);
        return true;
      }, budget);
      return (await undefinedIfNotFound(deletion)) ?? false;
    },
  };
}

/** A response that is not the requested Secret counts as no response. */
async function parseSecret(
  clusterKey: string,
  response: Promise<V1Secret>,
  expected: SecretName & { uid?: string },
): Promise<LiveSecret> {
  try {
    const secret = await response;
    const live = parseLiveSecret(secret);
    const isExpected = secret.kind === "Secret" && isNamed(live, expected) && canBeFenced(live);
    if (isExpected && (expected.uid ?? live.uid) === live.uid) return live;
  } catch (error) {
    const isClassified = [RelayError, Unauthorized, NotFound, ListExpired].some(
      (kind) => error instanceof kind,
    );
    if (isClassified) throw error; // else client-node or parseLiveSecret could not parse it
  }
  throw notThatSecret(clusterKey);
}

function notThatSecret(clusterKey: string): ClusterUnavailable {
  return new ClusterUnavailable(clusterKey, "HTTP 200 without that Secret");
}
