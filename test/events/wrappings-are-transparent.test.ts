import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ParsedEvent } from "../../shared/events/parsed-event.ts";
import { parseInvocation } from "./parse-invocation.ts";
import { sample, sampleFiles } from "./samples.ts";
import { type Wrapping, wrap } from "./wrap.ts";

// Samples at a limit of size or depth exceed it when they are wrapped again.
const files = sampleFiles().filter((file) => !/too-(deep|many)/.test(file));
const anyFile = fc.constantFrom(...files);
const anyWrappings = fc.array(fc.constantFrom(...(Object.keys(wrap) as Wrapping[])), { maxLength: 4 });

describe("wrappings are transparent", () => {
  it("any wrapping of any sample gives the result of the sample itself", () => {
    fc.assert(
      fc.property(anyFile, anyWrappings, (file, wrappings) => {
        const wrapped = wrappings.reduce<unknown>((inner, name) => wrap[name](inner), sample(file));
        expect(eventsIn(wrapped)).toEqual(eventsIn(sample(file)));
      }),
    );
  });

  it("the result is per message only if the outermost wrapping is SQS", () => {
    fc.assert(
      fc.property(anyFile, anyWrappings, (file, wrappings) => {
        const wrapped = wrappings.reduce<unknown>((inner, name) => wrap[name](inner), sample(file));
        const outer = parseInvocation(wrap.sqs(wrapped, "the-message"));
        expect(outer).toEqual({
          kind: "batch",
          items: [{ messageId: "the-message", events: eventsIn(sample(file)) }],
        });
        for (const name of ["sns", "notification", "failure"] as const) {
          expect(parseInvocation(wrap[name](wrapped)).kind).toBe("events");
        }
      }),
    );
  });

  it("finds in a list of samples, as a pipe delivers it, what each sample comes to", () => {
    fc.assert(
      fc.property(fc.array(anyFile, { minLength: 1, maxLength: 5 }), fc.boolean(), (batch, asText) => {
        fc.pre(!batch.includes("rejected/not-an-object.json")); // a string in a list is a message
        const samples = batch.map((file) => (asText ? JSON.stringify(sample(file)) : sample(file)));
        expect(eventsIn(samples)).toEqual(batch.flatMap((file) => eventsIn(sample(file))));
      }),
    );
  });

  it.each([
    { it: "a queue of another Region", more: { awsRegion: "us-east-1" } },
    { it: "a queue that is a topic", more: { eventSourceARN: "arn:aws:sns:eu-west-1:111122223333:events" } },
    { it: "a queue that is not text", more: { eventSourceARN: 7 } },
  ])("does not believe a record of SQS that names $it", ({ more }) => {
    const [record] = wrap.sqs(sample("label-updated.json")).Records;
    const eventSourceARN = "arn:aws:sqs:eu-west-1:111122223333:events";
    const eventsOf = (changed: object) =>
      eventsIn({ Records: [{ ...record, awsRegion: "eu-west-1", eventSourceARN, ...changed }] });
    expect(eventsOf({})).toMatchObject([{ kind: "change" }]);
    expect(eventsOf(more)).toMatchObject([{ code: "MALFORMED_RECORD" }]);
  });

  it.each([
    {
      it: "a subscription of another topic",
      more: {},
      subscription: "arn:aws:sns:eu-west-1:111122223333:other:1",
    },
    { it: "a topic that is a queue", more: { TopicArn: "arn:aws:sqs:eu-west-1:111122223333:relay-events" } },
  ])("does not believe a record of SNS that names $it", ({ more, subscription }) => {
    const [record] = wrap.sns(sample("label-updated.json")).Records;
    const changed = {
      ...record,
      ...(subscription !== undefined && { EventSubscriptionArn: subscription }),
      Sns: { ...record?.Sns, ...more },
    };
    expect(eventsIn({ Records: [changed] })).toMatchObject([{ code: "MALFORMED_RECORD" }]);
  });

  it("keeps messages of one batch apart and in order", () => {
    fc.assert(
      fc.property(fc.array(anyFile, { minLength: 1, maxLength: 10 }), (batch) => {
        const records = batch.flatMap((file, index) => wrap.sqs(sample(file), `m${index}`).Records);
        const answer = parseInvocation({ Records: records });
        const want = batch.map((file, index) => ({ messageId: `m${index}`, events: eventsIn(sample(file)) }));
        expect(answer).toEqual({ kind: "batch", items: want });
      }),
    );
  });
});

function eventsIn(input: unknown): readonly ParsedEvent[] {
  const answer = parseInvocation(input);
  return answer.kind === "batch" ? answer.items.flatMap(({ events }) => events) : answer.events;
}
