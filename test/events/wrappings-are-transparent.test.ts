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

  it("messages of one batch stay separate and in order", () => {
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
