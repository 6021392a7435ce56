import { describe, expect, it } from "vitest";
import {
  IGNORED_CODES,
  type IgnoredCode,
  REJECTED_CODES,
  type RejectedCode,
} from "../../shared/events/event-codes.ts";
import {
  ignored,
  type ParsedEvent,
  type RotationSignal,
  rejected,
  type WebhookId,
} from "../../shared/events/parsed-event.ts";
import type { SecretChange } from "../../shared/events/secret-change.ts";
import type { SecretReference, VersionId } from "../../shared/source/secret-id.ts";
import { parseInvocation } from "./parse-invocation.ts";
import { sample, sampleFiles } from "./samples.ts";
import { wrap } from "./wrap.ts";

const location = { partition: "aws", region: "eu-west-1", accountId: "111122223333" };
const versionId = "8f0e6f0a-2d55-4c4e-9c1b-5d9f6a1b2c3d" as VersionId;
const eventId = "6c1f1d5e-33a1-4b0e-9a55-2f6f0c7d8e90";
const stamp = { occurredAt: Date.UTC(2026, 10, 20, 9, 15, 42), eventId };
const id = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";
const byFullArn: SecretReference = { id, names: ["prod/db"], location, suffix: "AbCdEf" };
const byArn: SecretReference = { id, names: ["prod/db", "prod/db-AbCdEf"], location };
const byName: SecretReference = { id: "prod/db", names: ["prod/db"], location };

type Row = { it: string; file: string; want: ParsedEvent };

const changes: Row[] = [
  {
    it: "reads the ARN of a native event from resources",
    file: "label-updated.json",
    want: change("label-updated", byFullArn, { versionId }),
  },
  {
    it: "distinguishes the suffix from a name that ends like one",
    file: "label-updated-name-ends-like-a-suffix.json",
    want: change(
      "label-updated",
      { ...byFullArn, id: `${id}-GhIjKl`, names: ["prod/db-AbCdEf"], suffix: "GhIjKl" },
      { versionId },
    ),
  },
  {
    it: "accepts the names that AWS services assign, with ! and /",
    file: "label-updated-managed-by-a-service.json",
    want: change(
      "label-updated",
      {
        id: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:events!connection/orders/4d3c2b1a-Zz9yX8",
        names: ["events!connection/orders/4d3c2b1a"],
        location,
        suffix: "Zz9yX8",
      },
      { versionId },
    ),
  },
  {
    it: "accepts the ARN of another partition",
    file: "label-updated-china.json",
    want: change(
      "label-updated",
      {
        id: "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:prod/db-AbCdEf",
        names: ["prod/db"],
        location: { ...location, partition: "aws-cn", region: "cn-north-1" },
        suffix: "AbCdEf",
      },
      { versionId },
    ),
  },
  {
    it: "assigns the location of the event to a bare name, including the partition",
    file: "label-updated-govcloud-without-resources.json",
    want: change(
      "label-updated",
      { ...byName, location: { ...location, partition: "aws-us-gov", region: "us-gov-west-1" } },
      { versionId },
    ),
  },
  {
    it: "accepts a custom label, and reports which it is",
    file: "label-updated-custom-label.json",
    want: change("label-updated", byFullArn, { labels: ["BLUE"], versionId }),
  },
  {
    it: "accepts a replayed event like any other",
    file: "label-updated-replayed.json",
    want: change("label-updated", byFullArn, { versionId }),
  },
  {
    it: "prefers the ARN from AWS to the name from the caller",
    file: "put-secret-value.json",
    want: change("put-secret-value", byFullArn, { versionId }),
  },
  {
    it: "accepts a successful call whose response is null",
    file: "put-secret-value-without-response.json",
    want: change("put-secret-value", byName, { versionId }),
  },
  {
    it: "accepts a partial ARN as the caller sent it",
    file: "put-secret-value-by-partial-arn.json",
    want: change("put-secret-value", { ...byName, id: id.slice(0, -7) }, { versionId }),
  },
  {
    it: "keeps the account of a source in another account",
    file: "put-secret-value-of-another-account.json",
    want: change(
      "put-secret-value",
      {
        id: "arn:aws:secretsmanager:eu-west-1:444455556666:secret:shared/db-QwErTy",
        names: ["shared/db"],
        location: { ...location, accountId: "444455556666" },
        suffix: "QwErTy",
      },
      { versionId },
    ),
  },
  {
    it: "accepts UpdateSecret, and reads the version from its token",
    file: "update-secret.json",
    want: change("update-secret", byFullArn, { versionId }),
  },
  {
    it: "expects no version if an update may have left the value unchanged",
    file: "update-secret-maybe-metadata-only.json",
    want: change("update-secret", byFullArn),
  },
  {
    it: "reads the version to which AWSCURRENT moves",
    file: "update-secret-version-stage.json",
    want: change("update-secret-version-stage", byFullArn, { versionId }),
  },
  {
    it: "accepts CreateSecret, which has name in place of secretId",
    file: "create-secret.json",
    want: change("create-secret", byFullArn, { versionId }),
  },
  { it: "accepts RestoreSecret", file: "restore-secret.json", want: change("restore-secret", byFullArn) },
  {
    it: "accepts DeleteSecret with the old spelling aRN",
    file: "delete-secret.json",
    want: change("delete-secret", byFullArn),
  },
  {
    it: "reads the ARN of a finished rotation from additionalEventData",
    file: "rotation-succeeded.json",
    want: change("rotation-succeeded", byArn),
  },
  {
    it: "reads the ARN of a managed rotation from serviceEventDetails",
    file: "rotation-succeeded-managed-by-rds.json",
    want: change("rotation-succeeded", {
      id: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!cluster-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0-AbCdEf",
      names: [
        "rds!cluster-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "rds!cluster-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0-AbCdEf",
      ],
      location,
    }),
  },
  { it: "signals a failed rotation", file: "rotation-failed.json", want: signal("rotation-failed") },
  {
    it: "signals an abandoned rotation",
    file: "rotation-abandoned.json",
    want: signal("rotation-abandoned"),
  },
  {
    it: "accepts a direct call, with a name in the account and Region of the relay",
    file: "direct-call.json",
    want: { kind: "change", change: { source: { id: "prod/db", names: ["prod/db"] }, reason: "direct" } },
  },
  {
    it: "accepts the version of a direct call",
    file: "direct-call-with-version.json",
    want: { kind: "change", change: { source: byArn, reason: "direct", versionId } },
  },
  {
    it: "accepts a direct call with a webhook id",
    file: "direct-call-by-webhook-id.json",
    want: { kind: "webhook-call", webhookId: "shop-database" as WebhookId },
  },
  { it: "unwraps SNS", file: "sns.json", want: change("label-updated", byFullArn, { versionId }) },
  {
    it: "unwraps the record of a failure queue",
    file: "failure-record.json",
    want: change("label-updated", byFullArn, { versionId }),
  },
];

const nothingToDo: Row[] = [
  ignoring("a call that was refused", "failed-call", "FAILED_CALL"),
  ignoring("a value put under AWSPENDING", "put-secret-value-pending", "OTHER_LABEL"),
  ignoring("the move of AWSPENDING", "update-secret-version-stage-pending", "OTHER_LABEL"),
  ignoring("a read", "read-only-call", "READ_ONLY_CALL"),
  ignoring("a read of many", "read-only-call-of-many", "READ_ONLY_CALL"),
  ignoring("an unknown read-only call", "read-only-call-unknown", "READ_ONLY_CALL"),
  ignoring("a tag", "tag-resource", "METADATA_ONLY_CALL"),
  ignoring("the call that starts a rotation", "rotate-secret", "ROTATION_ONLY_STARTED"),
  ignoring("the start of a rotation", "rotation-started", "ROTATION_ONLY_STARTED"),
  ignoring(
    "a test rotation, whose event name ends like a real one",
    "test-rotation-succeeded",
    "TEST_ROTATION",
  ),
  ignoring("a replication", "replication-succeeded", "REPLICATION"),
  ignoring("a version's deletion", "start-secret-version-delete", "VERSION_DELETION"),
];

const refused: Row[] = [
  rejecting("the input of a rotation function", "rotation-function-input", "ROTATION_FUNCTION_INPUT", null),
  rejecting("EventBridge Scheduler", "scheduler", "SCHEDULED_EVENT"),
  rejecting("a scheduled rule", "scheduled-rule", "SCHEDULED_EVENT"),
  rejecting("an event from another source", "foreign-event", "FOREIGN_SOURCE"),
  rejecting("a call to another service", "foreign-call", "FOREIGN_SOURCE"),
  rejecting("a record of another service", "foreign-record", "FOREIGN_SOURCE", null),
  rejecting("an undocumented detail-type", "unknown-detail-type", "UNKNOWN_DETAIL_TYPE"),
  rejecting("an unknown call", "unknown-call", "UNKNOWN_EVENT_NAME"),
  rejecting("an unknown service event", "unknown-service-event", "UNKNOWN_EVENT_NAME"),
  rejecting("an event whose detail is a string", "no-detail", "MALFORMED_EVENT"),
  rejecting("a native event without a label", "no-label", "MALFORMED_EVENT"),
  rejecting("a call without a source", "no-id", "NO_ID"),
  rejecting("a name outside ASCII", "unicode-name", "MALFORMED_ID"),
  rejecting("a bare name without an account", "name-without-location", "UNKNOWN_HOME"),
  rejecting("a bare name with two accounts", "name-with-two-homes", "UNKNOWN_HOME"),
  rejecting("a name that contradicts the ARN", "contradicting-ids", "CONTRADICTING_IDS"),
  rejecting("an ARN that differs only in its suffix", "contradicting-arns", "CONTRADICTING_IDS"),
  rejecting("a direct call with an extra field", "direct-call-unknown-field", "UNKNOWN_FIELD", null),
  rejecting("a direct call for another service's ARN", "direct-call-malformed-id", "MALFORMED_ID", null),
  rejecting(
    "a direct call with a list as version",
    "direct-call-malformed-version",
    "MALFORMED_VERSION_ID",
    null,
  ),
  rejecting(
    "a webhook id that is invalid in bindings",
    "direct-call-malformed-webhook-id",
    "MALFORMED_WEBHOOK_ID",
    null,
  ),
  rejecting("a direct call by a secret's id and a webhook's", "direct-call-two-ids", "AMBIGUOUS_SHAPE", null),
  rejecting("a call whose ARN is in another partition", "contradicting-partition", "CONTRADICTING_LOCATION"),
  rejecting("a native event whose resource is no secret", "resource-is-no-secret", "MALFORMED_ID"),
  rejecting("a string", "not-an-object", "NOT_AN_OBJECT", null),
  rejecting("an object of no known shape", "unknown-shape", "UNKNOWN_SHAPE", null),
  rejecting("an object of two shapes", "ambiguous-shape", "AMBIGUOUS_SHAPE", null),
  rejecting("an empty list of records", "no-records", "NO_RECORDS", null),
  rejecting("a record without a source", "malformed-record", "MALFORMED_RECORD", null),
  rejecting("an event wrapped nine times", "too-deep", "TOO_DEEP", null),
  rejecting("more records than Lambda sends", "too-many-records", "TOO_MANY_RECORDS", null),
];

const first = "059f36b4-87a3-44ab-83d2-661975830a7d";
const second = "2e1424d4-f796-459a-8184-9c92662be6da";
const labelUpdated = change("label-updated", byFullArn, { versionId });
const batches: { it: string; file: string; want: readonly { messageId: string; events: ParsedEvent[] }[] }[] =
  [
    {
      it: "returns the result of each SQS message under its own id",
      file: "sqs.json",
      want: [
        { messageId: first, events: [labelUpdated] },
        { messageId: second, events: [change("restore-secret", byFullArn)] },
      ],
    },
    {
      it: "answers each message of SQS that a pipe delivers under its own id",
      file: "pipe-of-sqs.json",
      want: [
        { messageId: first, events: [labelUpdated] },
        { messageId: second, events: [change("restore-secret", byFullArn)] },
      ],
    },
    {
      it: "looks into SNS in SQS",
      file: "sns-in-sqs.json",
      want: [{ messageId: first, events: [labelUpdated] }],
    },
    {
      it: "unwraps a redriven failure record",
      file: "failure-record-in-sqs.json",
      want: [{ messageId: first, events: [labelUpdated] }],
    },
    {
      it: "unwraps a redriven failure record of SNS",
      file: "failure-record-of-sns-in-sqs.json",
      want: [{ messageId: first, events: [labelUpdated] }],
    },
    {
      it: "rejects a message that is not JSON",
      file: "rejected/sqs-body-not-json.json",
      want: [{ messageId: first, events: [rejected("BODY_NOT_JSON")] }],
    },
    {
      it: "accepts the valid messages beside an invalid one",
      file: "rejected/sqs-one-bad-message.json",
      want: [
        { messageId: first, events: [labelUpdated] },
        { messageId: second, events: [rejected("UNKNOWN_SHAPE")] },
      ],
    },
  ];

describe("every sample event has its expected result", () => {
  it.each([...changes, ...nothingToDo, ...refused])("$it ($file)", ({ file, want }) => {
    expect(parseInvocation(sample(file))).toEqual({ kind: "events", events: [want] });
  });

  it.each(batches)("$it ($file)", ({ file, want }) => {
    expect(parseInvocation(sample(file))).toEqual({ kind: "batch", items: want });
  });

  it("takes every event that a pipe has taken out of its messages (pipe-of-events.json)", () => {
    const want = [labelUpdated, change("restore-secret", byFullArn)];
    expect(parseInvocation(sample("pipe-of-events.json"))).toEqual(events(...want));
  });

  it("covers every file in events/, and no other", () => {
    const covered = [
      ...[...changes, ...nothingToDo, ...refused, ...batches].map(({ file }) => file),
      "pipe-of-events.json",
    ];
    expect(covered.sort()).toEqual(sampleFiles());
  });

  it("has a sample for every code except the one whose sample would exceed 1 MiB", () => {
    const seen = [
      ...nothingToDo,
      ...refused,
      ...batches.flatMap(({ want }) => want.flatMap(({ events }) => events)),
    ];
    const codes = seen.flatMap((row) => codeOf("want" in row ? row.want : row));
    const all = [...Object.keys(IGNORED_CODES), ...Object.keys(REJECTED_CODES)];
    expect(all.filter((code) => !codes.includes(code))).toEqual(["TOO_LARGE"]);
    expect(parseInvocation(wrap.sns("x".repeat(1_048_576)))).toEqual(events(rejected("TOO_LARGE")));
  });
});

describe("only the input of a rotation function must fail", () => {
  it("has the only code that must fail, bare or wrapped, with advice", () => {
    const entries = Object.entries(REJECTED_CODES);
    const failing = entries.filter(([code]) => rejected(code as RejectedCode).mustFail).map(([code]) => code);
    expect(failing).toEqual(["ROTATION_FUNCTION_INPUT"]);
    const input = sample("rejected/rotation-function-input.json");
    for (const wrapped of [input, wrap.sns(input), wrap.failure(input)]) {
      expect(parseInvocation(wrapped)).toMatchObject({
        events: [{ mustFail: true, advice: expect.stringContaining("secretId") }],
      });
    }
  });

  it.each([
    { Step: "createSecret", SecretId: id },
    { Step: "createSecret", ClientRequestToken: versionId, secretId: "prod/db" },
    { Step: 7, SecretId: null, Records: [] },
    { Step: "createSecret", SecretId: id, Records: [{ eventSource: "aws:sqs", messageId: "m", body: "{}" }] },
  ])("is recognized by its fields, with any others beside them: %j", (input) => {
    expect(parseInvocation(input)).toEqual(events(rejected("ROTATION_FUNCTION_INPUT")));
  });
});

describe("limits apply in a batch too", () => {
  it("rejects a message with over 100 events, and accepts one with 100", () => {
    const hold = (count: number) => ({
      Records: Array(count).fill(wrap.sqs(sample("label-updated.json")).Records[0]),
    });
    const [few, many] = [parseInvocation(wrap.sqs(hold(100))), parseInvocation(wrap.sqs(hold(101)))];
    expect(few).toMatchObject({ items: [{ events: { length: 100 } }] });
    expect(many).toMatchObject({ items: [{ events: [{ code: "TOO_MANY_RECORDS" }] }] });
  });

  it("accepts the largest batch that SQS can send, and rejects a larger one", () => {
    const [record] = wrap.sqs({ secretId: "prod/db" }).Records;
    expect(parseInvocation({ Records: Array(10_000).fill(record) })).toMatchObject({
      items: { length: 10_000 },
    });
    expect(parseInvocation({ Records: Array(10_001).fill(record) })).toEqual(
      events(rejected("TOO_MANY_RECORDS")),
    );
  });

  it("assigns an empty id to a message without one, so that reporting it fails the batch", () => {
    const record = { eventSource: "aws:sqs", body: "{}" };
    expect(parseInvocation({ Records: [record] })).toMatchObject({ items: [{ messageId: "" }] });
  });

  it("takes the largest batch of a pipe, and rejects what only looks like one", () => {
    const direct = { secretId: "prod/db" };
    expect(parseInvocation(Array(10_000).fill(direct))).toMatchObject({ events: { length: 10_000 } });
    expect(parseInvocation(Array(10_001).fill(direct))).toEqual(events(rejected("TOO_MANY_RECORDS")));
    expect(parseInvocation([])).toEqual(events(rejected("NO_RECORDS")));
  });

  it("does not multiply lists that hold themselves", () => {
    const knot: Record<string, unknown> = { requestContext: {} };
    knot.requestPayload = knot;
    expect(parseInvocation(knot)).toEqual(events(rejected("TOO_DEEP")));
    const text = JSON.stringify({ Records: Array(100).fill({ eventSource: "aws:sqs", body: "{}" }) });
    const fan = { Records: Array(100).fill({ eventSource: "aws:sqs", messageId: "m", body: text }) };
    expect(parseInvocation(wrap.failure(fan))).toEqual(events(rejected("TOO_MANY_RECORDS")));
  });
});

function change(
  reason: SecretChange["reason"],
  source: SecretReference,
  hint: Pick<SecretChange, "labels" | "versionId"> = {},
): ParsedEvent {
  return { kind: "change", change: { source, reason, ...hint, ...stamp } };
}

function signal(name: RotationSignal["signal"]): ParsedEvent {
  return { kind: "signal", signal: name, source: byArn, ...stamp };
}

function ignoring(what: string, file: string, code: IgnoredCode): Row {
  return { it: `ignores ${what}`, file: `ignored/${file}.json`, want: ignored(code, eventId) };
}

function rejecting(what: string, file: string, code: RejectedCode, id: string | null = eventId): Row {
  return { it: `rejects ${what}`, file: `rejected/${file}.json`, want: rejected(code, id ?? undefined) };
}

function events(...parsed: ParsedEvent[]) {
  return { kind: "events", events: parsed };
}

function codeOf(event: ParsedEvent): string[] {
  return "code" in event ? [event.code] : [];
}
