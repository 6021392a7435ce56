import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withIntervals } from "../../scripts/generate-intervals-docs.ts";
import { withMigrationTables } from "../../scripts/generate-migration-docs.ts";
import { performanceTables, updatePage } from "../../scripts/generate-performance-docs.ts";
import { withFixedCosts, withReference } from "../../scripts/generate-reference.ts";
import { commands } from "../../scripts/reference/commands.ts";
import { FINDINGS, REFUSALS } from "../../shared/assess/catalogue.ts";
import { monitoring, template } from "../template/template.ts";
import { type Page, pageOf, ROOT } from "./markdown.ts";

const architecture = pageOf("docs/internals/architecture.md").text;
const runbook = pageOf("docs/runbook.md");
const alarms = [template, monitoring].flatMap(({ Resources }) =>
  Object.entries(Resources).flatMap(([id, { Type }]) => (Type === "AWS::CloudWatch::Alarm" ? [id] : [])),
);

it("the intervals match the code of tune; `node scripts/generate-intervals-docs.ts` updates them", () => {
  const { text } = pageOf("docs/operate.md");

  expect(text).toBe(withIntervals(text));
});

it("the tables of import-eso match the code and its tests; `node scripts/generate-migration-docs.ts` updates them", () => {
  const { text } = pageOf("docs/migrate-from-eso.md");

  expect(text).toBe(withMigrationTables(text));
});

it("the fixed costs match the templates; `node scripts/generate-reference.ts` updates them", () => {
  const { text } = pageOf("docs/deploy.md");

  expect(text).toBe(withFixedCosts(text));
});

describe("docs/reference.md", () => {
  const { text } = pageOf("docs/reference.md");

  it("matches the code and the template; `npx node scripts/generate-reference.ts` updates it", () => {
    expect(text).toBe(withReference(text));
  });

  it("has every command, parameter, finding and refusal", () => {
    const names = [
      ...commands().map(({ path }) => path.join(" ")),
      ...Object.keys(template.Parameters),
      ...Object.keys(monitoring.Parameters),
      ...Object.keys(FINDINGS),
      ...Object.keys(REFUSALS),
    ];

    expect(names.length).toBeGreaterThan(100);
    expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it("has every code of the command line in its table, and no other", () => {
    const sources = globSync("cli/**/*.ts", { cwd: ROOT }).map((path) =>
      readFileSync(join(ROOT, path), "utf8"),
    );
    const codes = sources.flatMap((source) =>
      [...source.matchAll(/readonly code = "([A-Z_]+)"/g)].map(([, code]) => code),
    );
    const rows = rowsBetween(pageOf("docs/reference.md"), "codes of the command line");

    expect(rows.flatMap(([cell]) => cell?.match(/[A-Z_]{4,}/g) ?? []).sort()).toEqual(
      [...new Set(codes)].sort(),
    );
  });
});

describe("docs/internals/architecture.md", () => {
  it("has every folder of shared/ in its table", () => {
    const folders = globSync("shared/*/", { cwd: ROOT }).map((path) => path.replace(/\/$/, ""));

    expect(folders.length).toBeGreaterThan(5);
    expect(folders.filter((folder) => !architecture.includes(`\`${folder}\``))).toEqual([]);
  });
});

describe("docs/runbook.md", () => {
  const sections = sectionsOf(runbook, "### ");

  it("the template has alarms", () => expect(alarms.length).toBeGreaterThan(5));

  it.each(alarms)("has a section for %s: meaning, meanwhile, where to look, what to do", (id) => {
    const { text = "" } = sections.find(({ heading }) => heading === id) ?? {};

    const said = [...text.matchAll(/^- \*\*(.+?)\*\*: \S/gm)].map((match) => match[1]);

    expect(said).toEqual(["Means", "Meanwhile", "Look at", "Do"]);
  });

  it("does not have a section for a removed alarm", () => {
    const ofAlarms = sections.filter(({ heading }) => heading.endsWith("Alarm"));

    expect(ofAlarms.map(({ heading }) => heading).sort()).toEqual([...alarms].sort());
  });

  it("has every code in its table, and no other", () => {
    const known = [
      ...codesInCode(true),
      ...codesInCode(false),
      // Reasons in a report, not errors.
      "SWEEP_OUT_OF_TIME",
      "LOCAL_BINDINGS",
    ];

    const told = rowsBetween(runbook, "codes").flatMap(
      ([symptom = ""]) => symptom.match(/[A-Z_]{4,}/g) ?? [],
    );

    expect([...told, ...Object.keys(REFUSALS)].sort()).toEqual([...new Set(known)].sort());
  });

  it.each([
    "HELD",
    "CONTESTED",
    "TARGET_UNCLAIMED",
    "TARGET_OWNED_BY_ANOTHER_RELAY",
    "CLUSTER_LISTED_TWICE",
    "RELAY_NAME_DIFFERS",
    "BINDINGS_STORE",
    "BINDINGS_DAMAGED",
    "RULES_UNKNOWN",
    "RULES_SUPERSEDED",
    "ADMISSION_DENIED",
    "ADMISSION_WEBHOOK_FAILED",
    "QUOTA_EXCEEDED",
  ])("has a section for %s", (code) => {
    expect(sections.find(({ heading }) => heading === code)?.text.trim()).toMatch(/./);
  });
});

/** The rows of the table between `<!-- name -->` and `<!-- end -->`, without its heading. */
function rowsBetween({ text }: Page, name: string): string[][] {
  const table = new RegExp(`<!-- ${name} -->\n([^]*?)<!-- end -->`).exec(text)?.[1] ?? "";
  const lines = table.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

function sectionsOf({ text }: Page, marks: string): { heading: string; text: string }[] {
  return text
    .split(/^(?=#)/m)
    .filter((section) => section.startsWith(marks))
    .map((section) => {
      const [first = "", ...rest] = section.split("\n");
      return { heading: first.slice(marks.length), text: rest.join("\n") };
    });
}

/** The codes of errors and refusals, as the sources declare them. */
function codesInCode(retryable: boolean): string[] {
  const codes = globSync("{shared,functions}/**/*.ts", { cwd: ROOT }).flatMap((path) => {
    const text = readFileSync(join(ROOT, path), "utf8");
    const classes = [...text.matchAll(/readonly code = "([A-Z_]+)";\s+readonly retryable = (true|false);/g)];
    const ofClasses = classes
      .filter((match) => match[2] === String(retryable))
      .map((match) => match[1] ?? "");
    // RenderErrorCode: all of them are terminal, and so are refusals.
    const unions = [...text.matchAll(/type RenderErrorCode =((?:\s+\| "[A-Z_]+")+)/g)];
    const ofUnions = unions.flatMap((match) => match[1]?.match(/[A-Z_]+/g) ?? []);
    return retryable ? ofClasses : [...ofClasses, ...ofUnions];
  });
  return [...new Set([...codes, ...(retryable ? [] : Object.keys(REFUSALS))])].sort();
}

it.each(Object.entries(performanceTables()))(
  "%s has the recorded measurements; `node scripts/generate-performance-docs.ts` updates it",
  (path, tables) => {
    const page = pageOf(path).text;
    expect(page).toBe(updatePage(page, tables));
  },
);
