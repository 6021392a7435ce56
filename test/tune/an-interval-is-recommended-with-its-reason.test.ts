import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { credentialMargin } from "../../cli/tune/credential-margin.ts";
import { loadOfNumbers } from "../../cli/tune/load.ts";
import { planIntervals } from "../../cli/tune/plan-intervals.ts";
import type { Situation } from "../../cli/tune/situation.ts";
import { HOUR, MINUTE, situation } from "./factories.ts";

const adviceFor = (changes: Partial<Situation>) => planIntervals(situation(changes)).advice;

describe("the advice", () => {
  it("is the relay, if polling for the same freshness costs more", () => {
    const { choice, pollEveryMs, sweepEveryMs, sentences } = adviceFor({});

    expect({ choice, pollEveryMs, sweepEveryMs }).toEqual({
      choice: "relay",
      pollEveryMs: 5 * MINUTE,
      sweepEveryMs: 5 * MINUTE,
    });
    expect(sentences[0]).toMatch(/Use the relay: it costs \$4\.\d\d a month, polling costs \$26\.28/);
  });

  it("leaves the choice if polling costs less than the alarms of the relay", () => {
    const { choice, sentences } = adviceFor({
      load: loadOfNumbers({ secrets: 4, namespaces: 1, targets: 4, clusters: 1 }),
    });

    expect(choice).toBe("either");
    expect(sentences[0]).toMatch(/^Both meet your limits: polling costs \$0\.18 a month/);
  });

  it("keeps two polls within the life of the credentials, for any tolerated staleness", () => {
    expect(adviceFor({ toleratedMs: 24 * HOUR }).pollEveryMs).toBe(30 * MINUTE);
    expect(adviceFor({ toleratedMs: 24 * HOUR, credentialLifeMs: 6 * HOUR }).pollEveryMs).toBe(HOUR);
    expect(adviceFor({ toleratedMs: 24 * HOUR, credentialLifeMs: 15 * MINUTE }).pollEveryMs).toBe(5 * MINUTE);
  });

  it("is not to poll if no interval in the table is short enough, with the reason", () => {
    const { choice, pollEveryMs, sentences } = adviceFor({ toleratedMs: MINUTE, eventLoss: 0 });

    expect(choice).toBe("relay");
    expect(pollEveryMs).toBeUndefined();
    expect(sentences.join(" ")).toContain("even at 1m one missed poll leaves a Secret stale for up to 2 min");
  });

  it("reports it if no interval meets the limits", () => {
    const { choice, sentences } = adviceFor({ toleratedMs: MINUTE });

    expect(choice).toBe("either");
    expect(sentences[0]).toMatch(/^No interval in the table keeps staleness below/);
    expect(sentences.join(" ")).toContain("ListSecrets can be five minutes old");
  });

  it("explains the problem of the current interval", () => {
    expect(adviceFor({ intervalMs: 45 * MINUTE }).sentences.join(" ")).toContain(
      "Your interval of 45m does not meet your limits: one missed poll leaves a Secret stale for up to 1.5 h, and less than two polls fit into the 1h",
    );
  });

  it("warns when all at once is more than the quota", () => {
    const load = loadOfNumbers({ secrets: 5_000, namespaces: 4, targets: 20_000, clusters: 1 });

    expect(adviceFor({ load }).sentences.join(" ")).toContain("200 % of the quota of GetSecretValue");
  });

  it("always covers polling and the relay, for any numbers", () => {
    fc.assert(
      fc.property(anySituation, (any) => {
        const { advice, polling, relay } = planIntervals(any);

        expect(advice.sentences.length).toBeGreaterThanOrEqual(3);
        expect(advice.sentences.join(" ")).not.toMatch(/NaN|undefined|Infinity/);
        const chosen = polling.find(({ everyMs }) => everyMs === advice.pollEveryMs);
        if (chosen !== undefined) {
          expect(chosen.afterMissedPollMs).toBeLessThanOrEqual(any.toleratedMs);
          expect(chosen.credentials).toBe("safe");
        }
        for (const row of [...polling, ...relay]) {
          expect(row.staleness.expectedMs).toBeGreaterThanOrEqual(0);
          expect(row.costs.callsAMonth).toBeGreaterThan(0);
        }
      }),
      { numRuns: 200 },
    );
  });
});

it.each([
  { intervalMs: 30 * MINUTE, margin: "safe" },
  { intervalMs: 31 * MINUTE, margin: "tight" },
  { intervalMs: HOUR, margin: "none" },
  { intervalMs: 2 * HOUR, margin: "none" },
])(
  "with credentials of an hour, polls every $intervalMs ms have the margin: $margin",
  ({ intervalMs, margin }) => {
    expect(credentialMargin(intervalMs, HOUR)).toBe(margin);
  },
);

const anyMs = fc.integer({ min: 1_000, max: 365 * 24 * HOUR });
const anyCount = (max: number) => fc.integer({ min: 1, max });
const anySituation: fc.Arbitrary<Situation> = fc.record({
  load: fc
    .record({ secrets: anyCount(500_000), namespaces: anyCount(50), clusters: anyCount(10) })
    .map((numbers) => loadOfNumbers({ ...numbers, targets: numbers.secrets * numbers.namespaces })),
  intervalMs: anyMs,
  sweepIntervalMs: anyMs,
  rotateEveryMs: anyMs,
  credentialLifeMs: anyMs,
  eventLoss: fc.double({ min: 0, max: 1, noNaN: true }),
  deliveryDelayMs: fc.integer({ min: 0, max: HOUR }),
  pollFailures: fc.double({ min: 0, max: 0.99, noNaN: true }),
  toleratedMs: anyMs,
});
