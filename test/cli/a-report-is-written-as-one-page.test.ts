import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../harness/run-cli.ts";
import { finding, MADE_AT, REFUSED, sweepReport } from "../report/factories.ts";

let cwd: string;
const now = () => MADE_AT;

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "secret-relay-report-"));
  mkdirSync(join(cwd, "reports"));
  const write = (name: string, report: object) => writeFileSync(join(cwd, name), JSON.stringify(report));
  write("report.json", sweepReport({ bindings: 3, checked: 3, targets: [finding("db", REFUSED)] }));
  write("reports/1.json", sweepReport({ sweepId: "one", bindings: 3, checked: 3 }));
  write(
    "reports/2.json",
    sweepReport({ sweepId: "two", startedAt: "2026-11-24T06:05:00.000Z", bindings: 4, checked: 4 }),
  );
  writeFileSync(join(cwd, "reports", "notes.txt"), "no report");
  writeFileSync(join(cwd, "other.json"), '{"password":"hunter2"}');
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe("secret-relay report", () => {
  it("writes the page, and prints a summary in one line", async () => {
    const { exitCode, stdout, stderr } = await runCli(["report", "--from", "report.json"], { cwd, now });

    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toBe("report.html: 3 binding(s), 1 refused\n");
    expect(readFileSync(join(cwd, "report.html"), "utf8")).toMatch(/^<!doctype html>[\s\S]*TARGET_IMMUTABLE/);
  });

  it("takes a folder of reports as a history", async () => {
    const { stdout } = await runCli(["report", "--from", "reports", "--out", "fleet.html", "--json"], {
      cwd,
      now,
    });

    expect(JSON.parse(stdout)).toMatchObject({ ok: true, out: "fleet.html", sweeps: 2, bindings: 4 });
  });

  it("prints the page with --out -", async () => {
    const { stdout } = await runCli(["report", "--from", "report.json", "--out", "-"], { cwd, now });

    expect(stdout).toMatch(/^<!doctype html>[\s\S]*<\/html>\n+$/);
  });

  it.each([
    ["no input", [], "No data was given"],
    ["a missing file", ["--from", "none.json"], "none.json does not exist"],
    ["a file that is not a report", ["--from", "other.json"], "other.json holds no report"],
    ["a missing output folder", ["--from", "report.json", "-o", "no/a.html"], "cannot be written"],
    ["two outputs on stdout", ["--from", "report.json", "-o", "-", "--json"], "Choose one"],
  ])("ends with 2 for %s, and says what to do", async (_, words, message) => {
    const { exitCode, stderr } = await runCli(["report", ...words], { cwd, now });

    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("hunter2");
  });
});
