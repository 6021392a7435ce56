import { describe, expect, it } from "vitest";
import { runBounded, TookTooLong } from "../../shared/bindings/expressions/run-bounded.ts";

const LIMIT_MS = 40;

describe("a time limit", () => {
  it("returns the result", () => {
    expect(runBounded(() => "made", LIMIT_MS)).toBe("made");
  });

  it("stops a function that uses more processor time", () => {
    expect(() =>
      runBounded(() => {
        for (;;);
      }, LIMIT_MS),
    ).toThrow(TookTooLong);
  });

  it("runs a function again that had to wait for a processor", () => {
    let runs = 0;
    const waitOnce = () => {
      runs += 1;
      if (runs === 1) wait(LIMIT_MS * 100);
      return "made";
    };

    expect(runBounded(waitOnce, LIMIT_MS)).toBe("made");
    expect(runs).toBe(2);
  });

  it("ends although a function uses no processor time", () => {
    let runs = 0;
    const waitAlways = () => {
      runs += 1;
      wait(LIMIT_MS * 100);
    };

    expect(() => runBounded(waitAlways, LIMIT_MS)).toThrow(TookTooLong);
    expect(runs).toBe(4);
  });

  it("passes on an error of the function", () => {
    const fail = () => {
      throw new RangeError("of the function");
    };
    expect(() => runBounded(fail, LIMIT_MS)).toThrow(RangeError);
  });
});

/** Waits without using a processor. */
function wait(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
