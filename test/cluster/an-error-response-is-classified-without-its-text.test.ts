import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CallContext,
  classifyResponse,
  NotFound,
  Unauthorized,
} from "../../shared/cluster/classify-response.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { CANARY } from "./factories.ts";

const call = (verb: CallContext["verb"]): CallContext => ({
  clusterKey: "main",
  verb,
  namespace: "app",
  name: "db",
});

/** A Status as the API server sends it, with a secret in every free text field. */
const status = (code: number, causes: readonly unknown[] = [], reason = "Conflict"): string =>
  JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    message: `Operation cannot be fulfilled: ${CANARY}`,
    reason,
    code,
    details: { name: CANARY, kind: "secrets", causes },
  });

const fieldManagerConflict = (field: string) => ({
  reason: "FieldManagerConflict",
  message: `conflict with "${CANARY}" using v1`,
  field,
});

type Row = {
  it: string;
  verb?: CallContext["verb"];
  response: { status: number; body?: string; retryAfterMs?: number };
  want: Record<string, unknown>;
};

const rows: Row[] = [
  {
    it: "403 is forbidden, for an operator to permit",
    response: { status: 403, body: status(403) },
    want: { code: "CLUSTER_FORBIDDEN", retryable: false },
  },
  {
    it: "404 on a write is a missing namespace",
    verb: "patch",
    response: { status: 404, body: status(404) },
    want: { code: "NAMESPACE_MISSING", retryable: false },
  },
  {
    it: "409 without causes is a fence conflict",
    verb: "patch",
    response: { status: 409, body: status(409) },
    want: { code: "FENCE_CONFLICT", retryable: true },
  },
  {
    it: "409 of a Secret that another client just created is a fence conflict",
    verb: "patch",
    response: { status: 409, body: status(409, [], "AlreadyExists") },
    want: { code: "FENCE_CONFLICT" },
  },
  {
    it: "409 with a body that is not a Status is a fence conflict",
    verb: "patch",
    response: { status: 409, body: `<html>${CANARY}` },
    want: { code: "FENCE_CONFLICT" },
  },
  {
    it: "409 of field managers names every field",
    verb: "patch",
    response: {
      status: 409,
      body: status(409, [fieldManagerConflict(".data.password"), fieldManagerConflict(".data.tls.crt")]),
    },
    want: { code: "FIELD_OWNED_BY_ANOTHER", retryable: false, fields: [".data.password", ".data.tls.crt"] },
  },
  {
    it: "409 of field managers does not repeat a field that is not a plain path",
    verb: "patch",
    response: { status: 409, body: status(409, [fieldManagerConflict(`.metadata.x[uid="${CANARY}"]`)]) },
    want: { code: "FIELD_OWNED_BY_ANOTHER", fields: [] },
  },
  {
    it: "400 is an invalid target",
    verb: "patch",
    response: { status: 400, body: status(400, [], "BadRequest") },
    want: { code: "TARGET_INVALID", retryable: false, fields: [] },
  },
  {
    it: "422 is an invalid target and names the fields",
    verb: "patch",
    response: {
      status: 422,
      body: status(
        422,
        [{ reason: "FieldValueRequired", message: CANARY, field: "data[tls.crt]" }],
        "Invalid",
      ),
    },
    want: { code: "TARGET_INVALID", retryable: false, fields: ["data[tls.crt]"] },
  },
  {
    it: "422 does not repeat a field that is not a path",
    verb: "patch",
    response: {
      status: 422,
      body: status(422, [{ reason: "FieldValueInvalid", field: `data: "${CANARY}"` }, null, 7, { field: 3 }]),
    },
    want: { code: "TARGET_INVALID", fields: [] },
  },
  {
    it: "429 waits as long as asked",
    response: { status: 429, retryAfterMs: 7_000 },
    want: { code: "CLUSTER_THROTTLED", retryable: true, retryAfterMs: 7_000 },
  },
  {
    it: "429 without Retry-After waits a second",
    response: { status: 429 },
    want: { code: "CLUSTER_THROTTLED", retryAfterMs: 1_000 },
  },
  {
    it: "503 with Retry-After waits as long as asked",
    response: { status: 503, retryAfterMs: 1_000 },
    want: { code: "CLUSTER_THROTTLED", retryAfterMs: 1_000 },
  },
  {
    it: "503 without Retry-After is unavailable",
    response: { status: 503 },
    want: { code: "CLUSTER_UNAVAILABLE", retryable: true, isConnectionFault: false },
  },
  {
    it: "500 is unavailable",
    response: { status: 500, body: CANARY },
    want: { code: "CLUSTER_UNAVAILABLE", retryable: true, isConnectionFault: false },
  },
  {
    it: "504 is unavailable",
    response: { status: 504 },
    want: { code: "CLUSTER_UNAVAILABLE", retryable: true },
  },
  {
    it: "a redirect is rejected",
    response: { status: 301, body: CANARY },
    want: { code: "CLUSTER_REJECTED", retryable: false },
  },
  { it: "405 is rejected", response: { status: 405 }, want: { code: "CLUSTER_REJECTED", retryable: false } },
];

describe("an error response is classified by code", () => {
  it.each(rows)("$it", ({ verb = "get", response, want }) => {
    const error = classifyResponse(call(verb), { body: "", ...response });
    expect(error).toMatchObject(want);
    expect(inspect(error, { showHidden: true, depth: null })).not.toContain(CANARY);
  });

  it("401 and the 404 of a read are not RelayErrors", () => {
    expect(classifyResponse(call("get"), { status: 401, body: CANARY })).toBeInstanceOf(Unauthorized);
    expect(classifyResponse(call("get"), { status: 404, body: CANARY })).toBeInstanceOf(NotFound);
  });

  it("names cluster and Secret, so that an operator can act", () => {
    const { message } = classifyResponse(call("patch"), { status: 403, body: "" });
    expect(message).toContain("app/db");
    expect(message).toContain("main");
  });
});

describe("no text of an error response leaks", () => {
  const anyStatusCode = fc.integer({ min: 300, max: 599 });
  const nasty = fc.constantFrom(`"${CANARY}"`, `${CANARY} `, ` ${CANARY}`, `{${CANARY}}`, `${CANARY}\n`);
  const anyCause = fc.record({ reason: nasty, message: nasty, field: nasty }, { requiredKeys: [] });
  const anyBody = fc.oneof(
    nasty,
    fc.json().map((json) => `${json}${CANARY}`),
    fc
      .record({
        message: nasty,
        reason: nasty,
        details: fc.record({ causes: fc.array(fc.option(anyCause)) }),
      })
      .map((body) => JSON.stringify(body)),
    fc.json(),
  );

  it("for any status and body", () => {
    fc.assert(
      fc.property(
        anyStatusCode,
        anyBody,
        fc.constantFrom("get" as const, "patch" as const),
        (code, body, verb) => {
          const error = classifyResponse(call(verb), { status: code, body });

          expect(
            error instanceof RelayError || error instanceof Unauthorized || error instanceof NotFound,
          ).toBe(true);
          expect(inspect(error, { showHidden: true, depth: null })).not.toContain(CANARY);
        },
      ),
    );
  });
});
