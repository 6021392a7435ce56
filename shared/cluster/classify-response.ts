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

/** 401 once: the connection mints a new token and tries again; it never leaves this folder. */
export class Unauthorized extends Error {}

/** 404 on a read or a delete: the Secret is not there; it never leaves this folder. */
export class NotFound extends Error {}

/** 410 in the middle of a list: its continue token is too old; it never leaves this folder. */
export class ListExpired extends Error {}

export type CallContext = {
  readonly clusterKey: string;
  readonly verb: "get" | "list" | "create" | "patch" | "delete";
  readonly namespace: string;
  /** As in the URL; `secrets` unless it is said. */
  readonly resource?: string;
  readonly name: string;
};

/**
 * What a failed answer means. Of the Status body only codes, reasons and field paths are used: its messages can hold
 * what was sent.
 */
export function classifyResponse(call: CallContext, response: FailedResponse): Error {
  const { resource = "secrets" } = call;
  const isSecret = resource === "secrets";
  const target = `${isSecret ? "Secret" : resource} ${call.namespace}/${call.name}`;
  const { status } = response;
  if (status === 401) return new Unauthorized();
  if (status === 410 && call.verb === "list") return new ListExpired();
  if (status === 403) return new ClusterForbidden(call.clusterKey, call.verb, target);
  if (status === 404) {
    // Only the apply of a Secret makes what is not there, so only for it is the namespace missing.
    return call.verb !== "patch" || !isSecret
      ? new NotFound()
      : new NamespaceMissing(call.clusterKey, call.namespace);
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
    return []; // a proxy's page, not a Status
  }
  const causes = (status as { details?: { causes?: unknown } } | null)?.details?.causes;
  if (!Array.isArray(causes)) return [];
  return causes.filter((cause): cause is Cause => typeof cause === "object" && cause !== null);
}

/** Field paths hold data keys and label names; anything longer or stranger is not a path that we want in a log. */
const FIELD_PATH = /^[-._a-zA-Z0-9[\]/]{1,400}$/;
