import {
  ClusterForbidden,
  ClusterRejected,
  ClusterThrottled,
  ClusterUnavailable,
  FenceConflict,
  FieldConflict,
  NamespaceMissing,
  TargetInvalid,
} from "./errors.ts";
import type { FailedResponse } from "./https-transport.ts";

// These three never leave this folder.

/** 401: the connection mints a new token and retries once. */
export class Unauthorized extends Error {}

/** 404 on a read or a delete: the object does not exist. */
export class NotFound extends Error {}

/** 410 in the middle of a list: its continue token is too old. */
export class ListExpired extends Error {}

/** Undefined where the call ends with a 404. */
export async function undefinedIfNotFound<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

export type CallContext = {
  readonly clusterKey: string;
  readonly verb: "get" | "list" | "create" | "patch" | "delete";
  readonly namespace: string;
  /** As in the URL; `secrets` by default. */
  readonly resource?: string;
  readonly name: string;
};

/** The error for a failed response. It uses only codes, reasons and field paths: messages can quote the request body. */
export function classifyResponse(call: CallContext, response: FailedResponse): Error {
  const { resource = "secrets" } = call;
  const isSecret = resource === "secrets";
  const target = `${isSecret ? "Secret" : resource} ${call.namespace}/${call.name}`;
  const { status } = response;
  if (status === 401) return new Unauthorized();
  if (status === 410 && call.verb === "list") return new ListExpired();
  if (status === 403) return new ClusterForbidden(call.clusterKey, call.verb, target);
  if (status === 404) {
    // An apply creates a missing Secret, so here the namespace is missing.
    const isApply = call.verb === "patch" && isSecret;
    return isApply ? new NamespaceMissing(call.clusterKey, call.namespace) : new NotFound();
  }
  if (status === 409) {
    const conflicts = causesOf(response.body).filter(({ reason }) => reason === "FieldManagerConflict");
    return conflicts.length > 0 ? new FieldConflict(target, fieldsOf(conflicts)) : new FenceConflict(target);
  }
  if (status === 400 || status === 422) {
    return new TargetInvalid(target, status, fieldsOf(causesOf(response.body)));
  }
  if (status === 429 || (status === 503 && response.retryAfterMs !== undefined)) {
    return new ClusterThrottled(call.clusterKey, response.retryAfterMs ?? 1_000);
  }
  if (status >= 500) return new ClusterUnavailable(call.clusterKey, `HTTP ${status}`);
  return new ClusterRejected(call.clusterKey, status);
}

type Cause = { readonly reason?: unknown; readonly field?: unknown };

function fieldsOf(causes: readonly Cause[]): string[] {
  return causes.flatMap(({ field }) => (typeof field === "string" && FIELD_PATH.test(field) ? [field] : []));
}

function causesOf(body: string): Cause[] {
  let status: unknown;
  try {
    status = JSON.parse(body);
  } catch {
    return []; // not a Status, such as an error page of a proxy
  }
  const causes = (status as { details?: { causes?: unknown } } | null)?.details?.causes;
  if (!Array.isArray(causes)) return [];
  return causes.filter((cause): cause is Cause => typeof cause === "object" && cause !== null);
}

/** Field paths hold data keys and label names. Other strings are not logged. */
const FIELD_PATH = /^[-._a-zA-Z0-9[\]/]{1,400}$/;
