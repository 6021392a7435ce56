import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CallContext, classifyResponse } from "../../shared/cluster/classify-response.ts";
import type { RelayError } from "../../shared/relay-error.ts";
import { CANARY } from "./factories.ts";

const APPLY: CallContext = { clusterKey: "main", verb: "patch", namespace: "shop", name: "db" };
const RESTART: CallContext = { ...APPLY, resource: "deployments" };
const EVENT: CallContext = { ...APPLY, verb: "create", resource: "events" };
const TRIGGER: CallContext = { ...APPLY, resource: "externalsecrets" };
const FORBIDDEN = 'secrets "db" is forbidden: ';

type Answer = {
  status: number;
  message: string;
  reason?: string;
  causes?: readonly object[];
  retryAfterMs?: number;
};

const classify = ({ status, message, reason, causes, retryAfterMs }: Answer, call = APPLY): RelayError =>
  classifyResponse(call, {
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    body: JSON.stringify({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      reason,
      details: { name: "db", kind: "secrets", causes },
      code: status,
    }),
  }) as RelayError;

type Row = Answer & { it: string; call?: CallContext; code: string; retryable: boolean; says: string };

const ROWS: readonly Row[] = [
  ...[400, 401, 403, 404, 409, 410, 422, 429, 500, 503].map((status) => ({
    it: `a webhook that denies with ${status}`,
    status,
    retryAfterMs: 3_000,
    message: `admission webhook "validate.kyverno.svc-fail" denied the request: resource ${CANARY} violates`,
    code: "ADMISSION_DENIED",
    retryable: false,
    says: "refused by admission: validate.kyverno.svc-fail (",
  })),
  {
    it: "a webhook that denies without a reason",
    status: 400,
    message: 'admission webhook "validation.gatekeeper.sh" denied the request without explanation',
    code: "ADMISSION_DENIED",
    retryable: false,
    says: "refused by admission: validation.gatekeeper.sh (",
  },
  ...[
    { status: 422, reason: "Invalid" },
    { status: 403, reason: "Forbidden" },
    { status: 413, reason: "RequestEntityTooLarge" },
    { status: 401, reason: "Unauthorized" },
  ].map(({ status, reason }) => ({
    it: `a policy that denies with ${status}`,
    status,
    reason,
    message: `${FORBIDDEN}ValidatingAdmissionPolicy 'team-labels' with binding 'team-labels-shop' denied request: ${CANARY}`,
    causes: [{ message: `ValidatingAdmissionPolicy 'team-labels' denied request: ${CANARY}` }],
    code: "ADMISSION_DENIED",
    retryable: false,
    says: "refused by admission: team-labels (admission policy, binding team-labels-shop",
  })),
  {
    it: "a policy without a binding",
    status: 422,
    message: `${FORBIDDEN}ValidatingAdmissionPolicy 'team-labels' denied request: failed to configure policy: ${CANARY}`,
    code: "ADMISSION_DENIED",
    retryable: false,
    says: "refused by admission: team-labels (admission policy, HTTP 422)",
  },
  {
    it: "a mutating policy that fails",
    status: 403,
    message: `policy 'defaults' with binding 'defaults' denied request: ${CANARY}`,
    code: "ADMISSION_DENIED",
    retryable: false,
    says: "refused by admission: defaults (",
  },
  {
    it: "a webhook that fails",
    status: 500,
    reason: "InternalError",
    message: `Internal error occurred: failed calling webhook "checks.example.com": failed to call webhook: Post "https://${CANARY}"`,
    causes: [{ message: `failed calling webhook "checks.example.com": ${CANARY}` }],
    code: "ADMISSION_WEBHOOK_FAILED",
    retryable: true,
    says: "webhook checks.example.com fails",
  },
  {
    it: "a webhook that fails for a restart",
    call: RESTART,
    status: 500,
    message:
      'Internal error occurred: failed calling webhook "checks.example.com"; no further details available',
    code: "ADMISSION_WEBHOOK_FAILED",
    retryable: true,
    says: "deployments in namespace shop",
  },
  {
    it: "a conversion webhook that fails",
    call: TRIGGER,
    status: 500,
    message: `conversion webhook for external-secrets.io/v1beta1, Kind=ExternalSecret failed: Post "${CANARY}"`,
    code: "CONVERSION_WEBHOOK_FAILED",
    retryable: true,
    says: "conversion webhook of ExternalSecret fails",
  },
  {
    it: "a used-up quota",
    status: 403,
    reason: "Forbidden",
    message: `${FORBIDDEN}exceeded quota: team-shop, requested: count/secrets=1, used: count/secrets=10, limited: count/secrets=10`,
    code: "QUOTA_EXCEEDED",
    retryable: false,
    says: "Quota team-shop of namespace shop",
  },
  {
    it: "a used-up quota of Events",
    call: EVENT,
    status: 403,
    message:
      'events.events.k8s.io "db.1" is forbidden: exceeded quota: team-shop, requested: count/events.events.k8s.io=1',
    code: "QUOTA_EXCEEDED",
    retryable: false,
    says: "Quota team-shop of namespace shop",
  },
  {
    it: "a quota that is required and absent",
    status: 403,
    message: `${FORBIDDEN}insufficient quota to consume: count/secrets`,
    code: "QUOTA_EXCEEDED",
    retryable: false,
    says: "A quota of namespace shop",
  },
  {
    it: "a quota without a computed usage",
    status: 403,
    message: `${FORBIDDEN}status unknown for quota: team-shop, resources: count/secrets`,
    code: "QUOTA_NOT_READY",
    retryable: true,
    says: "Quota team-shop of namespace shop",
  },
  {
    it: "a quota that is computed too slowly",
    status: 500,
    message: "Internal error occurred: resource quota evaluation timed out",
    code: "QUOTA_NOT_READY",
    retryable: true,
    says: "A quota of namespace shop",
  },
  ...[APPLY, EVENT].map((call) => ({
    it: `a namespace that is being deleted, for ${call.resource ?? "secrets"}`,
    call,
    status: 403,
    reason: "Forbidden",
    message: `${FORBIDDEN}unable to create new content in namespace shop because it is being terminated`,
    causes: [{ reason: "NamespaceTerminating", message: CANARY, field: "metadata.namespace" }],
    code: "NAMESPACE_TERMINATING",
    retryable: false,
    says: "Namespace shop of cluster main is being deleted",
  })),
  {
    it: "an API server that starts",
    status: 403,
    message: `${FORBIDDEN}not yet ready to handle request`,
    code: "CLUSTER_UNAVAILABLE",
    retryable: true,
    says: "HTTP 403, starting",
  },
  {
    it: "RBAC",
    status: 403,
    reason: "Forbidden",
    message: `${FORBIDDEN}User "relay" cannot patch resource "secrets" in API group "" in the namespace "shop"`,
    code: "CLUSTER_FORBIDDEN",
    retryable: false,
    says: "Grant its group the verbs",
  },
  {
    it: "data of a Secret that became immutable",
    status: 422,
    message: `Secret "db" is invalid: data: Forbidden: ${CANARY}`,
    causes: [{ reason: "FieldValueForbidden", message: CANARY, field: "data" }],
    code: "TARGET_IMMUTABLE",
    retryable: false,
    says: "is immutable",
  },
  {
    it: "another type",
    status: 422,
    message: `Secret "db" is invalid: type: Invalid value: "Opaque": field is immutable ${CANARY}`,
    causes: [{ reason: "FieldValueInvalid", message: CANARY, field: "type" }],
    code: "TARGET_TYPE_DIFFERS",
    retryable: false,
    says: "another type than its binding",
  },
  {
    it: "a field that is too long",
    status: 422,
    message: `Secret "db" is invalid: metadata.annotations: Too long ${CANARY}`,
    causes: [{ reason: "FieldValueTooLong", message: CANARY, field: "metadata.annotations" }],
    code: "TARGET_TOO_LARGE",
    retryable: false,
    says: "HTTP 422, at metadata.annotations",
  },
  {
    it: "a request that is too large",
    status: 413,
    reason: "RequestEntityTooLarge",
    message: "Request entity too large: limit is 3145728",
    code: "TARGET_TOO_LARGE",
    retryable: false,
    says: "HTTP 413",
  },
  {
    it: "an object that is too large for etcd",
    status: 500,
    message: "etcdserver: request is too large",
    code: "TARGET_TOO_LARGE",
    retryable: false,
    says: "HTTP 500",
  },
  {
    it: "an invalid field of a workload",
    call: RESTART,
    status: 422,
    message: CANARY,
    causes: [{ reason: "FieldValueInvalid", message: CANARY, field: "spec.replicas" }],
    code: "TARGET_INVALID",
    retryable: false,
    says: "Inspect the object with kubectl",
  },
  {
    it: "an unknown media type",
    status: 415,
    reason: "UnsupportedMediaType",
    message: "the body of the request was in an unknown format",
    code: "CLUSTER_REJECTED",
    retryable: false,
    says: "Kubernetes 1.22 or later",
  },
  {
    it: "an overloaded API server",
    status: 429,
    reason: "TooManyRequests",
    message: "Too many requests, please try again later.",
    code: "CLUSTER_THROTTLED",
    retryable: true,
    retryAfterMs: 3_000,
    says: "asks the relay to wait 3000 ms",
  },
];

describe("a refusal is classified and named:", () => {
  it.each(ROWS)("$it", ({ call = APPLY, code, retryable, says, it: _, ...answer }) => {
    const error = classify(answer, call);

    expect({ code: error.code, retryable: error.retryable }).toEqual({ code, retryable });
    expect(error.message).toContain(says);
    expect(inspect(error, { showHidden: true, depth: null })).not.toContain(CANARY);
  });
});

describe("a name in a refusal", () => {
  const FORMS = [
    (name: string) => `admission webhook "${name}" denied the request: no`,
    (name: string) =>
      `${FORBIDDEN}ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: no`,
    (name: string) => `Internal error occurred: failed calling webhook "${name}": no`,
    (name: string) => `conversion webhook for a/v1, Kind=${name} failed: no`,
    (name: string) => `${FORBIDDEN}exceeded quota: ${name}, requested: count/secrets=1`,
    (name: string) => `${FORBIDDEN}status unknown for quota: ${name}, resources: count/secrets`,
  ];

  it("that is not a DNS name does not appear", () => {
    const notDns = fc.string({ minLength: 1, unit: fc.constantFrom("$", "/", "=", "+", "_", "é", "\n") });
    fc.assert(
      fc.property(
        fc.constantFrom(...FORMS),
        notDns,
        fc.integer({ min: 400, max: 599 }),
        (form, part, status) => {
          const error = classify({ status, message: form(`${part}${CANARY}${part}`) });
          expect(inspect(error, { showHidden: true, depth: null })).not.toContain(CANARY);
        },
      ),
    );
  });

  it("counts only at the beginning of the message, where the API server puts it", () => {
    const message = `Secret "db" is invalid: data: ${FORMS.map((form) => form(CANARY)).join(" ")}`;
    expect(classify({ status: 422, message })).toMatchObject({ code: "TARGET_INVALID" });
    expect(classify({ status: 500, message })).toMatchObject({ code: "CLUSTER_UNAVAILABLE" });
    expect(classify({ status: 403, message })).toMatchObject({ code: "CLUSTER_FORBIDDEN" });
  });

  it("of a webhook cannot be imitated by the words of another one", () => {
    const message =
      'admission webhook "outer" denied the request: admission webhook "inner" denied the request: no';
    expect(classify({ status: 403, message }).message).toContain("refused by admission: outer (");
  });
});
