import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { printDuration } from "../../cli/terminal/format.ts";
import { parseDuration } from "../../cli/terminal/parse-duration.ts";
import { parseSituation, type TuneFlags } from "../../cli/tune/parse-situation.ts";
import { runs } from "../harness/property-runs.ts";
import { runCli } from "../harness/run-cli.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "secret-relay-tune-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("secret-relay tune", () => {
  it("prints a table for both ways, and what to do", async () => {
    const { exitCode, stdout, stderr } = await runCli(["tune", "--secrets", "200", "--interval", "20m"]);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    for (const every of ["1m", "5m", "15m", "20m \\*", "30m", "1h"]) {
      expect(stdout).toMatch(new RegExp(`^${every} +\\d`, "m"));
    }
    expect(stdout.replaceAll("\n", " ")).toContain("If you poll, poll every 5m");
  });

  it("reads the bindings if no numbers are given", async () => {
    const { exitCode, stdout } = await runCli(["tune", "--json"]);

    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).situation.load.targets).toBeGreaterThan(1);
  });

  it("prints everything as JSON: both ways, advice and sources", async () => {
    const { stdout } = await runCli(["tune", "--secrets", "200", "--json"]);
    const plan = JSON.parse(stdout);

    expect(plan).toMatchObject({ ok: true, advice: { sentences: expect.any(Array) } });
    expect(plan.polling[0]).toMatchObject({
      everyMs: 60_000,
      staleness: { expectedMs: 30_000, p99Ms: expect.any(Number), worstMs: 60_000 },
    });
    expect(plan.relay[0].costs.usd.total).toBeGreaterThan(0);
    expect(plan.sources.getSecretValueQuota).toMatchObject({ value: 10_000, seenOn: expect.any(String) });
  });

  it("names the sources of its prices and quotas", async () => {
    const { stdout } = await runCli(["tune", "--secrets", "1", "--sources"]);

    expect(stdout).toMatch(
      /USD 0\.05 for 10,000\n +aws\.amazon\.com\/secrets-manager\/pricing.*\(2026-11-25\)/,
    );
  });

  it("reports every wrong flag at once, and ends with 2", async () => {
    const { exitCode, stdout, stderr } = await runCli(
      "tune --secrets 0 --targets 3 --namespaces 3 --interval soon --event-loss 101% --tolerate 5".split(" "),
    );

    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    for (const flag of ["--secrets", "--targets", "--interval", "--event-loss", "--tolerate"]) {
      expect(stderr).toContain(flag);
    }
  });

  it("gives advice if there is nothing to calculate with", async () => {
    const { exitCode, stderr } = await runCli(["tune"], { cwd: folder });

    expect(exitCode).toBe(2);
    expect(stderr).toContain("bindings.yaml");
  });
});

describe("the flags", () => {
  it("give numbers or a list of problems that name them, for any input", () => {
    const names = ["secrets", "namespaces", "targets", "clusters", "interval", "sweepInterval"] as const;
    const more = [
      "rotateEvery",
      "credentialLife",
      "eventLoss",
      "deliveryDelay",
      "pollFailures",
      "tolerate",
    ] as const;
    const anyText = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.double().map(String),
      fc.constantFrom("0", "1e9", "5m", "0.1%", "-1", "1h30m", "1m1", "9999999999d", "٣", "100%", ""),
    );
    const anyFlags = fc.dictionary(fc.constantFrom(...names, ...more), anyText) as fc.Arbitrary<TuneFlags>;
    fc.assert(
      fc.property(anyFlags, (flags) => {
        const parsed = parseSituation(flags);
        if (parsed.kind === "wrong") {
          for (const problem of parsed.problems) expect(problem).toMatch(/^--[a-z-]+ /);
          return;
        }
        const { load, ...numbers } = parsed.situation;
        for (const number of [...Object.values(load), ...Object.values(numbers)]) {
          expect(Number.isFinite(number)).toBe(true);
          expect(number).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: runs(200) },
    );
  });

  it("accept a time in the printed format", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 * 365 * 86_400 }), (seconds) => {
        expect(parseDuration(printDuration(seconds * 1_000))).toBe(seconds * 1_000);
      }),
    );
  });

  it.each(["", "5", "m", "5 m", "-5m", "5m ", "5mm", "1h 30m", "1.5.5h", "1e3s"])(
    "take no %j for a time",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});
