import { describe, expect, it } from "vitest";
import { parseInvocation, SAMPLED_AT } from "./parse-invocation.ts";
import { sample, sampleFiles } from "./samples.ts";
import { wrap } from "./wrap.ts";

type Fields = Record<string, unknown>;

/** A sample with some fields of its envelope, its detail or its request replaced. */
function altered(file: string, { envelope = {}, detail = {}, request }: Record<string, Fields>): unknown {
  const event = sample(file) as Fields & { detail: Fields & { requestParameters: Fields } };
  const requestParameters = { ...event.detail.requestParameters, ...request };
  return {
    ...event,
    ...envelope,
    detail: { ...event.detail, ...(request && { requestParameters }), ...detail },
  };
}

function changeIn(event: unknown): unknown {
  const answer = parseInvocation(event);
  const [only] = answer.kind === "events" ? answer.events : [];
  return only?.kind === "change" ? only.change : only;
}

const versionId = "8f0e6f0a-2d55-4c4e-9c1b-5d9f6a1b2c3d";

describe("a version is a hint only if the call certainly made it current", () => {
  it.each([{ description: "The orders database" }, { kmsKeyId: "alias/orders" }])(
    "drops the token of an update that may have set only %j",
    (request) => {
      expect(changeIn(altered("update-secret.json", { request }))).not.toHaveProperty("versionId");
    },
  );

  it.each([
    { versionStages: ["AWSCURRENT"] },
    { versionStages: ["BLUE", "AWSCURRENT"] },
    { versionStages: [] },
    {},
  ])("keeps the token of a value stored with %j", (request) => {
    expect(changeIn(altered("put-secret-value.json", { request }))).toMatchObject({ versionId });
  });

  it("ignores a value stored under AWSPENDING only", () => {
    const event = altered("put-secret-value.json", { request: { versionStages: ["AWSPENDING"] } });
    expect(changeIn(event)).toMatchObject({ kind: "ignored", code: "OTHER_LABEL" });
  });

  it.each([
    { versionStages: ["BLUE", "AWSPENDING"], labels: ["BLUE"] },
    { versionStages: ["BLUE", "AWSPREVIOUS"], labels: ["BLUE", "AWSPREVIOUS"] },
    { versionStages: ["BLUE", 7], labels: ["BLUE"] },
    { versionStages: ["BLUE", "AWSCURRENT"], labels: undefined },
  ])("a value stored under $versionStages affects the labels $labels", ({ versionStages, labels }) => {
    const change = changeIn(altered("put-secret-value.json", { request: { versionStages } }));
    expect((change as { labels?: unknown }).labels).toEqual(labels);
    expect(change).toMatchObject({ versionId });
  });

  it.each([{ versionId: "a b" }, { versionId: 7 }, { versionId: "x".repeat(65) }])(
    "accepts a native event without its version if that is %j",
    (detail) => {
      const change = changeIn(altered("label-updated.json", { detail }));
      expect(change).toMatchObject({ reason: "label-updated" });
      expect(change).not.toHaveProperty("versionId");
    },
  );
});

describe("the time of an event is its own, or none", () => {
  it("prefers the time of the call to the time of the envelope", () => {
    const event = altered("put-secret-value.json", { envelope: { time: "2026-11-20T09:20:00Z" } });
    expect(changeIn(event)).toMatchObject({ occurredAt: Date.UTC(2026, 10, 20, 9, 15, 42) });
  });

  it.each(["Nov 20, 2026 9:15:42 AM", "2026-11-20", "2026-13-40T09:15:42Z", "", 1795166142, null])(
    "reads no time from %j",
    (time) => {
      const change = changeIn(altered("label-updated.json", { envelope: { time } }));
      expect(change).toMatchObject({ reason: "label-updated" });
      expect(change).not.toHaveProperty("occurredAt");
    },
  );
});

describe("a time in the future is ignored", () => {
  const sooner = (ms: number) => SAMPLED_AT - ms;
  const timed = sampleFiles().filter((file) =>
    /"occurredAt"/.test(JSON.stringify(parseInvocation(sample(file)))),
  );

  it.each(timed)("in %s, and the rest of the event is kept", (file) => {
    const believed = JSON.stringify(parseInvocation(sample(file), sooner(300_000)));
    const tooLate = JSON.stringify(parseInvocation(sample(file), sooner(300_001)));

    expect(believed).toBe(JSON.stringify(parseInvocation(sample(file))));
    expect(tooLate).toBe(believed.replaceAll(/"occurredAt":[0-9]+,?/g, "").replaceAll(",}", "}"));
    expect(tooLate).not.toBe(believed);
  });

  it.each([
    {
      it: "the envelope",
      event: altered("label-updated.json", { envelope: { time: "2099-01-01T00:00:00Z" } }),
    },
    {
      it: "the call",
      event: altered("put-secret-value.json", { detail: { eventTime: "2099-01-01T00:00:00Z" } }),
    },
  ])("in $it, with any wrapping", ({ event }) => {
    for (const input of [event, ...Object.values(wrap).map((around) => around(event))]) {
      const answer = JSON.stringify(parseInvocation(input));
      expect(answer).toContain('"kind":"change"');
      expect(answer).not.toContain("occurredAt");
    }
  });

  it("but a time in the past is kept: a failure queue stores events for days", () => {
    const answer = parseInvocation(sample("label-updated.json"), SAMPLED_AT + 14 * 86_400_000);
    expect(answer).toMatchObject({ events: [{ change: { occurredAt: SAMPLED_AT } }] });
  });
});

describe("an event id is logged only if it is well-formed", () => {
  it.each(["", "line\nbreak", "x".repeat(65), 7, null])("omits %j", (id) => {
    expect(changeIn(altered("label-updated.json", { envelope: { id } }))).not.toHaveProperty("eventId");
  });
});

describe("a call failed if it has an errorCode", () => {
  it.each([{ errorCode: null }, { errorMessage: "Just a remark" }])(
    "counts a call with %j as a success",
    (detail) => {
      expect(changeIn(altered("put-secret-value.json", { detail }))).toMatchObject({
        reason: "put-secret-value",
      });
    },
  );

  it("accepts an event without eventSource, as in published samples", () => {
    const event = altered("put-secret-value.json", { detail: { eventSource: undefined } });
    expect(changeIn(event)).toMatchObject({ reason: "put-secret-value" });
  });
});
