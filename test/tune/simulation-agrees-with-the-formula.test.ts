import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pollingStaleness, relayStaleness, type Staleness } from "../../cli/tune/staleness.ts";
import { type Simulated, simulatePolling, simulateRelay } from "./simulate.ts";

const anyTime = (maxMs: number) => fc.double({ min: 1_000, max: maxMs, noNaN: true });
const anyShare = (max: number) => fc.double({ min: 0, max, noNaN: true });
const DAY = 86_400_000;
const ROTATIONS = 20_000;

const anyPolling = fc.record({ intervalMs: anyTime(DAY), pollFailures: anyShare(0.9) });
const anyRelay = fc.record({
  sweepIntervalMs: anyTime(DAY),
  eventLoss: anyShare(1),
  deliveryDelayMs: fc.double({ min: 0, max: DAY, noNaN: true }),
  listDelayMs: fc.double({ min: 0, max: DAY, noNaN: true }),
});

describe("polling", () => {
  it("is stale on average as long as the closed form says", () => {
    fc.assert(
      fc.property(anyPolling, fc.integer(), (model, seed) => {
        expectMean(simulatePolling(model, { seed, rotations: ROTATIONS }), pollingStaleness(model));
      }),
    );
  });

  it("is never stale for longer than the interval when no poll fails", () => {
    fc.assert(
      fc.property(anyTime(DAY), fc.integer(), (intervalMs, seed) => {
        const model = { intervalMs, pollFailures: 0 };
        const { worstMs, meanMs } = simulatePolling(model, { seed, rotations: 1_000 });

        expect(worstMs).toBeLessThanOrEqual(pollingStaleness(model).worstMs + 0.001);
        // And is close to it: a distant bound would prove nothing.
        expect(worstMs).toBeGreaterThan(0.9 * intervalMs);
        expect(meanMs).toBeGreaterThan(0.4 * intervalMs);
      }),
    );
  });
});

describe("99 of 100 rotations", () => {
  it("are written by then when polling, and fewer before", () => {
    fc.assert(
      fc.property(anyPolling, fc.integer(), (model, seed) => {
        expectP99(simulatePolling(model, { seed, rotations: ROTATIONS }), pollingStaleness(model));
      }),
    );
  });

  it("are written by then with the relay, and fewer before", () => {
    fc.assert(
      fc.property(anyRelay, fc.integer(), (model, seed) => {
        expectP99(simulateRelay(model, { seed, rotations: ROTATIONS }), relayStaleness(model));
      }),
    );
  });
});

describe("the relay", () => {
  it("is stale on average as long as the closed form says", () => {
    fc.assert(
      fc.property(anyRelay, fc.integer(), (model, seed) => {
        expectMean(simulateRelay(model, { seed, rotations: ROTATIONS }), relayStaleness(model));
      }),
    );
  });

  it("is never stale for longer than the closed form says, and comes near it", () => {
    fc.assert(
      fc.property(anyRelay, fc.integer(), (model, seed) => {
        const { worstMs: seen } = simulateRelay(model, { seed, rotations: ROTATIONS });
        const { worstMs } = relayStaleness(model);

        expect(seen).toBeLessThanOrEqual(worstMs * 1.000_001 + 0.001);
        if (model.eventLoss > 0.05) expect(seen).toBeGreaterThan(0.9 * worstMs);
      }),
    );
  });

  it("without any event is a sweep", () => {
    const model = { sweepIntervalMs: 300_000, eventLoss: 1, deliveryDelayMs: 0, listDelayMs: 300_000 };

    expect(relayStaleness(model)).toEqual({ expectedMs: 450_000, p99Ms: 597_000, worstMs: 600_000 });
  });

  it("without any loss is as late as its events", () => {
    const model = { sweepIntervalMs: 300_000, eventLoss: 0, deliveryDelayMs: 2_000, listDelayMs: 300_000 };

    expect(relayStaleness(model)).toEqual({ expectedMs: 2_000, p99Ms: 2_000, worstMs: 2_000 });
  });
});

/** Six standard errors: one false alarm in five hundred million if each run drew new samples. */
function expectMean({ meanMs, standardErrorMs }: Simulated, { expectedMs, worstMs }: Staleness): void {
  // Where losses are so rare that none was drawn, the samples show no error at all: a few samples' worth is let in.
  const rareMs = 1 + (5 * worstMs) / ROTATIONS;
  expect(Math.abs(meanMs - expectedMs)).toBeLessThanOrEqual(6 * standardErrorMs + rareMs);
}

/** Six standard errors of a share of 0.99. */
function expectP99({ shareBy }: Simulated, { p99Ms }: Staleness): void {
  const error = 6 * Math.sqrt((0.99 * 0.01) / ROTATIONS);
  expect(shareBy(p99Ms * 1.000_001 + 0.001)).toBeGreaterThan(0.99 - error);
  expect(shareBy(p99Ms * 0.999_999 - 0.001)).toBeLessThan(0.99 + error);
}
