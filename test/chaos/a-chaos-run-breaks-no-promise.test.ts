import { beforeAll, describe, expect, it } from "vitest";
import { type ChaosRun, runChaos } from "./run-chaos.ts";

// Two seeds of 20 virtual minutes in one process, then the second of them alone. About 10 s.

const SIZE = ["--minutes", "20", "--rotations", "150", "--bindings", "120"];
let both: ChaosRun;

beforeAll(async () => {
  both = await runChaos([...SIZE, "--seed", "11", "--seeds", "2"]);
}, 120_000);

describe("a chaos run", () => {
  it("breaks no promise", () => {
    expect(both.summary.runs.flatMap(({ violations }) => violations)).toEqual([]);
    expect(both.code).toBe(0);
  });

  it("has really done what it is for", () => {
    const { total } = both.summary;
    expect(total.rotations).toBeGreaterThan(200);
    const rare = ["rollbacks", "deleted", "eventsLost", "eventsTwice", "eventsLate", "killed", "staleReads"];
    const often = ["restarts", "outages", "tamperings", "conflicts", "deletions", "redriven", "drifts"];
    const never = [...rare, ...often].filter((name) => !(Number(total[name]) > 0));
    expect(never).toEqual([]);
    const { exchanges = 0, exchangesFailed = 0 } = total;
    expect(exchangesFailed / (exchanges + exchangesFailed)).toBeGreaterThan(0.15);
  });

  it("goes the same way again for the same seed, whatever ran before it", async () => {
    const again = await runChaos([...SIZE, "--seed", "12"]);

    expect(again.summary.runs[0]).toEqual(both.summary.runs[1]);
    expect(both.summary.runs[0]?.digest).not.toBe(both.summary.runs[1]?.digest);
  }, 60_000);

  it("tells a wrong command line from a broken promise", async () => {
    await expect(runChaos(["--seeds", "none"])).rejects.toThrow("chaos ended with 2");
    await expect(runChaos(["--plant", "a-tree"])).rejects.toThrow("chaos ended with 2");
  });
});
