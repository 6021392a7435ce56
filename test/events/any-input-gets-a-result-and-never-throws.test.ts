import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IGNORED_CODES, REJECTED_CODES } from "../../shared/events/event-codes.ts";
import type { Invocation } from "../../shared/events/parse-invocation.ts";
import type { ParsedEvent } from "../../shared/events/parsed-event.ts";
import { runs } from "../harness/property-runs.ts";
import { parseInvocation } from "./parse-invocation.ts";

const KEYS = [
  ...["Records", "eventSource", "EventSource", "body", "messageId", "Sns", "Message", "TopicArn", "Type"],
  ...[
    "requestContext",
    "requestPayload",
    "detail",
    "detail-type",
    "source",
    "account",
    "region",
    "time",
    "id",
  ],
  ...[
    "resources",
    "name",
    "labelUpdated",
    "versionId",
    "secretId",
    "webhookId",
    "SecretId",
    "Step",
    "ClientRequestToken",
  ],
  ...[
    "eventName",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "arn",
    "aRN",
    "versionStage",
  ],
  ...["__proto__", "constructor", "toString", "hasOwnProperty"],
];
const WORDS = [
  ...["aws.secretsmanager", "aws.events", "aws:sqs", "aws:sns", "AWSCURRENT", "AWSPENDING", "PutSecretValue"],
  ...["Secret Label Updated", "AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"],
  ...[
    "RotationSucceeded",
    "RotationFailed",
    "CreateSecret",
    "prod/db",
    "eu-west-1",
    "111122223333",
    "__proto__",
  ],
  "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf",
];

/** JSON with the keywords of events in any wrong order, nested and stringified. */
const { anyNearMiss } = fc.letrec((tie) => ({
  leaf: fc.oneof(fc.constantFrom(...WORDS), fc.jsonValue({ maxDepth: 1 })),
  object: fc.dictionary(fc.constantFrom(...KEYS), tie("anyNearMiss"), { maxKeys: 8 }),
  text: tie("anyNearMiss").map((value) => JSON.stringify(value) ?? ""),
  anyNearMiss: fc.oneof(
    { depthSize: "medium" },
    tie("leaf"),
    tie("object"),
    tie("object"),
    tie("text"),
    fc.array(tie("anyNearMiss"), { maxLength: 3 }),
  ),
}));

describe("any input gets a result, and nothing is thrown", () => {
  it.each([
    [
      "any JavaScript value",
      fc.anything({ withNullPrototype: true, withBigInt: true, withSparseArray: true }),
    ],
    ["any JSON", fc.jsonValue()],
    ["known keywords in the wrong places", anyNearMiss],
    [
      "any string as a message",
      fc.string({ unit: "binary" }).map((body) => ({ Records: [{ eventSource: "aws:sqs", body }] })),
    ],
  ])("%s", (_what, inputs: fc.Arbitrary<unknown>) => {
    fc.assert(
      fc.property(inputs, (input) => expectAnswer(parseInvocation(input))),
      { numRuns: runs(400) },
    );
  });

  const hostile = {
    get Records(): never {
      throw new Error("a getter ran");
    },
    get "detail-type"(): never {
      throw new Error("a getter ran");
    },
  };
  const hostileDetail = Object.defineProperty(
    {},
    "labelUpdated",
    Object.getOwnPropertyDescriptor(hostile, "Records") ?? {},
  );
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  it.each([
    { what: "an object whose getters throw", input: hostile },
    {
      what: "a detail whose getters throw",
      input: { "detail-type": "Secret Label Updated", source: "aws.secretsmanager", detail: hostileDetail },
    },
    { what: "a revoked Proxy", input: revoked.proxy },
    { what: "records that are a revoked Proxy", input: { Records: revoked.proxy } },
    { what: "a record that is a revoked Proxy", input: { Records: [revoked.proxy] } },
    {
      what: "a detail that is a revoked Proxy",
      input: { "detail-type": "Secret Label Updated", source: "aws.secretsmanager", detail: revoked.proxy },
    },
    { what: "a function", input: () => "x" },
    {
      what: "JSON nested 100,000 deep",
      input: { Records: [{ eventSource: "aws:sqs", body: "[".repeat(100_000) }] },
    },
  ])("$what", ({ input }) => {
    expectAnswer(parseInvocation(input));
  });

  it("inherited properties are ignored", () => {
    const inherited = Object.create({ secretId: "prod/db" });
    expect(parseInvocation(inherited)).toMatchObject({
      events: [{ kind: "rejected", code: "UNKNOWN_SHAPE" }],
    });
    const heir = Object.create({ name: "prod/db", labelUpdated: "AWSCURRENT" });
    const event = { "detail-type": "Secret Label Updated", source: "aws.secretsmanager", detail: heir };
    expect(parseInvocation(event)).toMatchObject({ events: [{ kind: "rejected", code: "MALFORMED_EVENT" }] });
    const smuggled = JSON.parse('{"__proto__": {"secretId": "prod/db"}}');
    expect(parseInvocation(smuggled)).toMatchObject({
      events: [{ kind: "rejected", code: "UNKNOWN_SHAPE" }],
    });
  });

  it("a rejection quotes nothing of the input", () => {
    const canary = "canary-5f3a";
    const inputs = fc.oneof(
      fc.constantFrom(...KEYS).map((key) => ({ [key]: canary })),
      fc.constant({ Records: [{ eventSource: "aws:sqs", body: `{"a": ${canary}` }] }),
      fc.constant({
        "detail-type": "Secret Label Updated",
        source: "aws.secretsmanager",
        id: `${canary} !`,
        detail: { name: canary },
      }),
      fc.constant({ secretId: "prod/db", password: canary }),
    );
    fc.assert(
      fc.property(inputs, (input) => {
        const answer = parseInvocation(input);
        const isTaken = eventsOf(answer).some(({ kind }) => kind === "change" || kind === "webhook-call");
        expect(isTaken || !JSON.stringify(answer).includes(canary)).toBe(true);
      }),
    );
  });
});

function expectAnswer(answer: Invocation): void {
  const events = eventsOf(answer);
  expect(events.length).toBeGreaterThan(0);
  for (const event of events) {
    expect(["change", "webhook-call", "signal", "ignored", "rejected"]).toContain(event.kind);
    if (event.kind === "ignored") expect(IGNORED_CODES).toHaveProperty(event.code);
    if (event.kind === "rejected") expect(REJECTED_CODES).toHaveProperty(event.code);
  }
}

function eventsOf(answer: Invocation): readonly ParsedEvent[] {
  return answer.kind === "batch" ? answer.items.flatMap(({ events }) => events) : answer.events;
}
