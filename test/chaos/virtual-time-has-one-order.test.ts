import fc from "fast-check";
import { expect, it } from "vitest";
import { Random } from "./random.ts";
import { type Timer, TimerQueue } from "./time/timer-queue.ts";
import { virtualTime } from "./time/virtual-time.ts";

const timerAt = (at: number, order: number, isCleared: boolean): Timer => ({
  at,
  order,
  isCleared,
  fire: () => {},
});

it("timers fire by time, then in the order in which they were set, and cleared ones never", () => {
  const anyTimer = fc.record({ at: fc.integer({ min: 0, max: 20 }), isCleared: fc.boolean() });
  fc.assert(
    fc.property(fc.array(anyTimer, { maxLength: 200 }), (given) => {
      const queue = new TimerQueue();
      const timers = given.map(({ at, isCleared }, order) => timerAt(at, order, isCleared));
      for (const timer of timers) queue.add(timer);

      const taken: Timer[] = [];
      for (let next = queue.next(); next !== undefined; next = queue.next()) taken.push(next);

      const expected = timers.filter(({ isCleared }) => !isCleared);
      expect(taken).toEqual(expected.sort((one, other) => one.at - other.at || one.order - other.order));
    }),
  );
});

it("a seed draws equal numbers for equal purposes, and different ones otherwise", () => {
  const draw = (seed: number, purpose: string) =>
    Array.from(
      { length: 5 },
      (
        (random) => () =>
          random.next()
      )(new Random(seed, purpose)),
    );

  expect(draw(1, "faults")).toEqual(draw(1, "faults"));
  expect(draw(1, "faults")).not.toEqual(draw(1, "events"));
  expect(draw(1, "faults")).not.toEqual(draw(2, "faults"));
  expect(new Random(1).uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
});

it("every clock of the process stands still while work is done, and jumps to the next timer", async () => {
  const time = virtualTime(Date.parse("2026-01-01T00:00:00Z"));
  const seen: { readonly date: number; readonly monotonic: number }[] = [];
  const look = (): void => void seen.push({ date: Date.now(), monotonic: performance.now() });

  await time.run(async () => {
    look();
    while (seen.length < 3) await new Promise((resolve) => setTimeout(() => resolve(look()), 1_500));
  });

  const start = Date.parse("2026-01-01T00:00:00Z");
  expect(seen).toEqual([0, 1_500, 3_000].map((at) => ({ date: start + at, monotonic: at })));
  expect(performance.now()).not.toBe(3_000);
});

it("nothing may depend on the garbage collector, so AbortSignal.any throws", async () => {
  const time = virtualTime(0);
  const combine = async () => AbortSignal.any([AbortSignal.timeout(1_000)]);

  await expect(time.run(combine)).rejects.toThrow("Use firstAbortOf");
  await expect(combine()).resolves.toBeInstanceOf(AbortSignal);
});
