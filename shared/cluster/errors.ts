import { RelayError } from "../relay-error.ts";
import type { Denier } from "./parse-status.ts";

/** 429 of the API server itself, or 503 with Retry-After. */
export class ClusterThrottled extends RelayError {
  override readonly name = "ClusterThrottled"; // a literal: a minified bundle renames classes
  readonly code = "CLUSTER_THROTTLED";
  readonly retryable = true;
  override readonly retryAfterMs: number;
  constructor(cluster: string, retryAfterMs: number) {
    super(`The API server of cluster ${cluster} asks the relay to wait ${retryAfterMs} ms.`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** No response, a broken one, or a 5xx. */
export class ClusterUnavailable extends RelayError {
  override readonly name = "ClusterUnavailable";
  readonly code = "CLUSTER_UNAVAILABLE";
  readonly retryable = true;
  /** No HTTP response arrived: the endpoint itself may be wrong. */
  readonly isConnectionFault: boolean;
  /** Such as `HTTP 500`, `ECONNRESET` or `timeout`; never text from the server. */
  readonly at: string;
  constructor(cluster: string, at: string, caller = "the function") {
    const isConnectionFault = !at.startsWith("HTTP");
    super(
      `The API server of cluster ${cluster} did not answer properly (${at}). ${
        isConnectionFault
          ? `Check that its endpoint is reachable from ${caller} and that the control plane is healthy.`
          : "Check that the control plane is healthy, and that no proxy answers in its place."
      }`,
    );
    this.at = at;
    this.isConnectionFault = isConnectionFault;
  }
}

/**
 * The response, or a list in total, exceeds the size limit. A retry would not help, and the cluster is not at fault: any
 * client with permission to write Secrets can make a list that large.
 */
export class ClusterAnswerTooLarge extends ClusterUnavailable {
  constructor(cluster: string) {
    super(cluster, "answer too large");
  }
}

/** The certificate of the server is not the cluster's. No request was sent. */
export class ClusterUntrusted extends RelayError {
  override readonly name = "ClusterUntrusted";
  readonly code = "CLUSTER_UNTRUSTED";
  readonly retryable = true;
  constructor(cluster: string) {
    super(
      `The certificate at the endpoint of cluster ${cluster} is not signed by the cluster's CA, so no token was sent. If endpoint and certificateAuthorityData are pinned in the bindings, update them from DescribeCluster.`,
    );
  }
}

/** 401 for a token that was minted for this call. */
export class ClusterTokenRefused extends RelayError {
  override readonly name = "ClusterTokenRefused";
  readonly code = "CLUSTER_TOKEN_REFUSED";
  readonly retryable = true;
  constructor(
    cluster: string,
    advice = `Cluster ${cluster} refused a fresh token. Check that the function's role has an access entry there (a recreated role needs a new entry), and that the cluster name in the bindings is the EKS name.`,
  ) {
    super(advice);
  }
}

/** 403: RBAC does not allow this call. */
export class ClusterForbidden extends RelayError {
  override readonly name = "ClusterForbidden";
  readonly code = "CLUSTER_FORBIDDEN";
  readonly retryable = false;
  readonly verb: string;
  /** With its kind, such as `Secret shop/db`. */
  readonly target: string;
  constructor(cluster: string, verb: string, target: string, advice = adviceForRelay(verb, target, cluster)) {
    super(advice);
    this.verb = verb;
    this.target = target;
  }
}

/** 404 on a write. */
export class NamespaceMissing extends RelayError {
  override readonly name = "NamespaceMissing";
  readonly code = "NAMESPACE_MISSING";
  readonly retryable = false;
  constructor(cluster: string, namespace: string) {
    super(`Namespace ${namespace} does not exist in cluster ${cluster}. Create it, or correct the binding.`);
  }
}

/** 403 with the cause NamespaceTerminating: nothing can be created there. */
export class NamespaceTerminating extends RelayError {
  override readonly name = "NamespaceTerminating";
  readonly code = "NAMESPACE_TERMINATING";
  readonly retryable = false;
  constructor(cluster: string, namespace: string) {
    super(
      `Namespace ${namespace} of cluster ${cluster} is being deleted, so nothing can be created there. Remove its bindings, or recreate the namespace; the next sweep then creates its Secrets.`,
    );
  }
}

/** An admission webhook or policy denied the request, with any status. */
export class AdmissionDenied extends RelayError {
  override readonly name = "AdmissionDenied";
  readonly code = "ADMISSION_DENIED";
  readonly retryable = false;
  constructor(target: string, by: Denier, status: number) {
    const binding = by.kind === "policy" && by.binding !== undefined ? `, binding ${by.binding}` : "";
    super(
      `${target} was refused by admission: ${by.name} (admission ${by.kind}${binding}, HTTP ${status}). Change what the binding writes so that it complies, or ask the owner of ${by.name} for an exception.`,
    );
  }
}

/** 500: the API server could not call an admission webhook whose failurePolicy is Fail. */
export class AdmissionWebhookFailed extends RelayError {
  override readonly name = "AdmissionWebhookFailed";
  readonly code = "ADMISSION_WEBHOOK_FAILED";
  readonly retryable = true;
  constructor(cluster: string, place: string, webhook: string) {
    super(
      `Admission webhook ${webhook} fails in cluster ${cluster}, so the API server refuses writes of ${place}. Repair the service of the webhook, or set its failurePolicy to Ignore.`,
    );
  }
}

/** 500: the API server could not convert a custom resource to the requested version. */
export class ConversionWebhookFailed extends RelayError {
  override readonly name = "ConversionWebhookFailed";
  readonly code = "CONVERSION_WEBHOOK_FAILED";
  readonly retryable = true;
  constructor(cluster: string, kind: string) {
    super(
      `The conversion webhook of ${kind} fails in cluster ${cluster}, so the API server can neither read nor write objects of that kind. Repair the service that its CustomResourceDefinition names.`,
    );
  }
}

/** 403: a ResourceQuota has no room for another object. */
export class QuotaExceeded extends RelayError {
  override readonly name = "QuotaExceeded";
  readonly code = "QUOTA_EXCEEDED";
  readonly retryable = false;
  constructor(target: string, namespace: string, quota: string | undefined) {
    super(
      `${nameOfQuota(quota)} of namespace ${namespace} is used up, so ${target} cannot be created. Raise the quota, or delete objects that are no longer needed.`,
    );
  }
}

/** 403 or 500: the usage of a new or changed ResourceQuota is not computed yet. */
export class QuotaNotReady extends RelayError {
  override readonly name = "QuotaNotReady";
  readonly code = "QUOTA_NOT_READY";
  readonly retryable = true;
  constructor(cluster: string, namespace: string, quota: string | undefined) {
    super(
      `${nameOfQuota(quota)} of namespace ${namespace} in cluster ${cluster} has no computed usage yet, so the API server creates nothing there. That takes seconds; if it lasts, check that kube-controller-manager works.`,
    );
  }
}

const nameOfQuota = (quota: string | undefined): string =>
  quota === undefined ? "A quota" : `Quota ${quota}`;

/** 409: another client wrote the Secret between the relay's read and its apply. Start again from the live read. */
export class FenceConflict extends RelayError {
  override readonly name = "FenceConflict";
  readonly code = "FENCE_CONFLICT";
  readonly retryable = true;
  constructor(target: string) {
    super(
      `Another client changed ${target} between the relay's read and its apply, several times in a row. If this continues, find that client in managedFields and stop it.`,
    );
  }
}

/** Two entries under `clusters` lead to the same API server: each would delete and rewrite the other one's Secrets. */
export class ClusterListedTwice extends RelayError {
  override readonly name = "ClusterListedTwice";
  readonly code = "CLUSTER_LISTED_TWICE";
  readonly retryable = false;
  constructor(one: string, other: string) {
    super(
      `The entries ${one} and ${other} under clusters lead to the same API server. Keep one of them, and move the targets of the other to it.`,
    );
  }
}

/** 409 of server-side apply: another field manager owns fields of the binding. */
export class FieldConflict extends RelayError {
  override readonly name = "FieldConflict";
  readonly code = "FIELD_OWNED_BY_ANOTHER";
  readonly retryable = false;
  /** Paths such as `.data.password`. */
  readonly fields: readonly string[];
  constructor(target: string, fields: readonly string[]) {
    super(
      `Another field manager owns ${joinFields(fields) || "fields"} of ${target}. Stop it from writing them, or set adopt: true on the binding to take them over.`,
    );
    this.fields = fields;
  }
}

/** 422 at `data` or `immutable`: another client has made the Secret immutable since it was read. */
export class TargetImmutable extends RelayError {
  override readonly name = "TargetImmutable";
  readonly code = "TARGET_IMMUTABLE";
  readonly retryable = false;
  constructor(target: string) {
    super(
      `${target} is immutable, so its data cannot follow the source. Delete it so that the relay recreates it, or bind the source to a new name.`,
    );
  }
}

/** 422 at `type`: Kubernetes cannot change the type of a Secret. */
export class TargetTypeDiffers extends RelayError {
  override readonly name = "TargetTypeDiffers";
  readonly code = "TARGET_TYPE_DIFFERS";
  readonly retryable = false;
  constructor(target: string) {
    super(
      `${target} has another type than its binding. Correct the type in the binding, or delete the Secret so that the relay recreates it.`,
    );
  }
}

/** 413, a field that is too long, or more than etcd takes. */
export class TargetTooLarge extends RelayError {
  override readonly name = "TargetTooLarge";
  readonly code = "TARGET_TOO_LARGE";
  readonly retryable = false;
  constructor(target: string, status: number, fields: readonly string[] = []) {
    super(
      `${target} is larger than the API server accepts (${describeRefusal(status, fields)}). Bind fewer keys or smaller values, or remove large annotations of other managers.`,
    );
  }
}

/** 400 or 422: the object is not valid. */
export class TargetInvalid extends RelayError {
  override readonly name = "TargetInvalid";
  readonly code = "TARGET_INVALID";
  readonly retryable = false;
  /** The rejected paths, such as `data[tls.crt]`. */
  readonly fields: readonly string[];
  constructor(target: string, status: number, fields: readonly string[], isSecret = true) {
    const remedy = isSecret
      ? "Compare the binding's type and keys with what that type requires."
      : "Inspect the object with kubectl: a change of the same kind by an operator would fail too.";
    super(`The API server does not accept ${target} (${describeRefusal(status, fields)}). ${remedy}`);
    this.fields = fields;
  }
}

/** Any other 4xx. */
export class ClusterRejected extends RelayError {
  override readonly name = "ClusterRejected";
  readonly code = "CLUSTER_REJECTED";
  readonly retryable = false;
  constructor(cluster: string, status: number) {
    // 406 and 415: it knows neither server-side apply nor tables.
    const check = [406, 415].includes(status)
      ? "Check that it runs Kubernetes 1.22 or later, and that no proxy stands in front of it."
      : "Check the endpoint in the bindings.";
    super(`Cluster ${cluster} rejected the call with HTTP ${status}. ${check}`);
  }
}

/** EKS has no such cluster, or it has no endpoint yet. */
export class ClusterNotFound extends RelayError {
  override readonly name = "ClusterNotFound";
  readonly code = "CLUSTER_NOT_FOUND";
  readonly retryable = false;
  constructor(clusterName: string, region: string) {
    super(
      `EKS has no cluster ${clusterName} with an endpoint in ${region}. Correct name and region in the bindings.`,
    );
  }
}

/** DescribeCluster is not allowed, and the endpoint is not pinned. */
export class ClusterLookupForbidden extends RelayError {
  override readonly name = "ClusterLookupForbidden";
  readonly code = "CLUSTER_LOOKUP_FORBIDDEN";
  readonly retryable = false;
  constructor(clusterName: string) {
    super(
      `The relay is not permitted to call eks:DescribeCluster on ${clusterName}. Grant the permission, or pin endpoint and certificateAuthorityData in the bindings.`,
    );
  }
}

/** DescribeCluster failed; a later call may succeed. */
export class ClusterLookupFailed extends RelayError {
  override readonly name = "ClusterLookupFailed";
  readonly code = "CLUSTER_LOOKUP_FAILED";
  readonly retryable = true;
  constructor(clusterName: string, at: string) {
    super(
      `EKS did not answer DescribeCluster for ${clusterName} (${at}). Pin endpoint and certificateAuthorityData in the bindings to avoid that call.`,
    );
  }
}

/** sts:AssumeRole failed. */
export class RoleNotAssumed extends RelayError {
  override readonly name = "RoleNotAssumed";
  readonly code = "ROLE_NOT_ASSUMED";
  readonly retryable = true;
  constructor(roleArn: string, at: string) {
    super(
      `Role ${roleArn} could not be assumed (${at}). Check that its trust policy names the function's role and that the function's role is permitted to sts:AssumeRole it.`,
    );
  }
}

/** No AWS credentials, or expired ones that could not be renewed. */
export class CredentialsUnavailable extends RelayError {
  override readonly name = "CredentialsUnavailable";
  readonly code = "CREDENTIALS_UNAVAILABLE";
  readonly retryable = true;
  constructor() {
    super("No usable AWS credentials were found to sign the EKS token.");
  }
}

export class EksTokenTooLarge extends RelayError {
  override readonly name = "EksTokenTooLarge";
  readonly code = "EKS_TOKEN_TOO_LARGE";
  readonly retryable = false;
  constructor(bytesMax: number) {
    super(
      `The EKS token would exceed the ${bytesMax} bytes that EKS accepts, because the session token of the credentials is too long. Remove session tags, session policies or a step of role chaining.`,
    );
  }
}

function adviceForRelay(verb: string, target: string, cluster: string): string {
  const [kind = ""] = target.split(" ");
  const remedy =
    kind === "Secret"
      ? "Grant its group the verbs get, create and patch on that name (docs/security.md)"
      : `Grant its group the permissions in ${ESO_KINDS.has(kind) ? "docs/external-secrets.md" : "docs/bindings.md"}`;
  return `The relay is not permitted to ${verb} ${target} in cluster ${cluster}. ${remedy}.`;
}

const ESO_KINDS = new Set([
  "externalsecrets",
  "pushsecrets",
  "secretstores",
  "clustersecretstores",
  "clusterexternalsecrets",
]);

const describeRefusal = (status: number, fields: readonly string[]): string =>
  `HTTP ${status}${fields.length > 0 ? `, at ${joinFields(fields)}` : ""}`;

function joinFields(fields: readonly string[]): string {
  const more = fields.length > FIELDS_LISTED_MAX ? ` and ${fields.length - FIELDS_LISTED_MAX} more` : "";
  return fields.slice(0, FIELDS_LISTED_MAX).join(", ") + more;
}

const FIELDS_LISTED_MAX = 10;
