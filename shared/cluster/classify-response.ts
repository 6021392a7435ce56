import {
  AdmissionDenied,
  AdmissionWebhookFailed,
  ClusterForbidden,
  ClusterRejected,
  ClusterThrottled,
  ClusterUnavailable,
  ConversionWebhookFailed,
  FenceConflict,
  FieldConflict,
  NamespaceMissing,
  NamespaceTerminating,
  QuotaExceeded,
  QuotaNotReady,
  TargetImmutable,
  TargetInvalid,
  TargetTooLarge,
  TargetTypeDiffers,
} from "./errors.ts";
import type { FailedResponse } from "./https-transport.ts";
import { type Cause, parseStatus, type Said } from "./parse-status.ts";

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

/** The error for a failed response. It uses only codes, reasons, field paths and the names in fixed forms. */
export function classifyResponse(call: CallContext, response: FailedResponse): Error {
  const { causes, said } = parseStatus(response.body);
  // First, because a webhook may deny with any status, such as 401, 409 or 429.
  return (said && classifySaid(call, said, response.status)) ?? classifyStatus(call, response, causes);
}

function classifySaid(call: CallContext, said: Said, status: number): Error {
  const { clusterKey, namespace } = call;
  const target = targetOf(call);
  switch (said.kind) {
    case "denied":
      return new AdmissionDenied(target, said.by, status);
    case "webhook-failed":
      return new AdmissionWebhookFailed(clusterKey, placeOf(call), said.webhook);
    case "conversion-failed":
      return new ConversionWebhookFailed(clusterKey, said.type);
    case "quota-exceeded":
      return new QuotaExceeded(target, namespace, said.quota);
    case "quota-unknown":
      return new QuotaNotReady(clusterKey, namespace, said.quota);
    case "starting":
      return new ClusterUnavailable(clusterKey, `HTTP ${status}, starting`);
    case "too-large":
      return new TargetTooLarge(target, status);
  }
}

function classifyStatus(call: CallContext, response: FailedResponse, causes: readonly Cause[]): Error {
  const { clusterKey, verb, namespace } = call;
  const target = targetOf(call);
  const { status } = response;
  if (status === 401) return new Unauthorized();
  if (status === 410 && verb === "list") return new ListExpired();
  if (status === 403) {
    return causes.some(({ reason }) => reason === "NamespaceTerminating")
      ? new NamespaceTerminating(clusterKey, namespace)
      : new ClusterForbidden(clusterKey, verb, target);
  }
  if (status === 404) {
    // An apply creates a missing Secret, so here the namespace is missing.
    const isApply = verb === "patch" && isSecret(call);
    return isApply ? new NamespaceMissing(clusterKey, namespace) : new NotFound();
  }
  if (status === 409) {
    const conflicts = causes.filter(({ reason }) => reason === "FieldManagerConflict");
    return conflicts.length > 0 ? new FieldConflict(target, fieldsOf(conflicts)) : new FenceConflict(target);
  }
  if (status === 400 || status === 422) return classifyInvalid(call, status, causes);
  if (status === 413) return new TargetTooLarge(target, status);
  if (status === 429 || (status === 503 && response.retryAfterMs !== undefined)) {
    return new ClusterThrottled(clusterKey, response.retryAfterMs ?? 1_000);
  }
  if (status >= 500) return new ClusterUnavailable(clusterKey, `HTTP ${status}`);
  return new ClusterRejected(clusterKey, status);
}

function classifyInvalid(call: CallContext, status: number, causes: readonly Cause[]): Error {
  const target = targetOf(call);
  const has = (wanted: string, fields?: readonly string[]) =>
    causes.some(({ reason, field }) => reason === wanted && (fields?.includes(String(field)) ?? true));
  if (has("FieldValueTooLong")) return new TargetTooLarge(target, status, fieldsOf(causes));
  if (isSecret(call) && has("FieldValueForbidden", ["data", "stringData", "immutable"])) {
    return new TargetImmutable(target);
  }
  if (isSecret(call) && has("FieldValueInvalid", ["type"])) return new TargetTypeDiffers(target);
  return new TargetInvalid(target, status, fieldsOf(causes), isSecret(call));
}

const isSecret = ({ resource = "secrets" }: CallContext): boolean => resource === "secrets";

const targetOf = (call: CallContext): string =>
  `${isSecret(call) ? "Secret" : call.resource} ${call.namespace}/${call.name}`;

/** One error may stand for all writes there. */
const placeOf = ({ resource = "secrets", namespace }: CallContext): string =>
  namespace === "" ? resource : `${resource} in namespace ${namespace}`;

function fieldsOf(causes: readonly Cause[]): string[] {
  return causes.flatMap(({ field }) => (typeof field === "string" && FIELD_PATH.test(field) ? [field] : []));
}

/** Field paths hold data keys and label names. Other strings are not logged. */
const FIELD_PATH = /^[-._a-zA-Z0-9[\]/]{1,400}$/;
