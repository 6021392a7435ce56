import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { type Page, pageOf, pages, problemsOf, proseOf, ROOT } from "./markdown.ts";

it("the repository has pages", () => {
  expect(pages.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["README.md", "docs/internals/architecture.md", "sandbox/aws/README.md"]),
  );
});

it("paths in backticks exist", () => {
  expect(problemsOf((page) => pathsOf(page).filter((path) => !existsSync(join(ROOT, path))))).toEqual([]);
});

it("npm scripts exist", () => {
  const scriptsOf = ({ text }: Page) =>
    [...text.matchAll(/\bnpm run ([a-z][a-z:]*)/g)].map((match) => match[1] ?? "");

  expect(problemsOf((page) => scriptsOf(page).filter((script) => !(script in packageJson.scripts)))).toEqual(
    [],
  );
});

it("npx runs only what a clone has, or a file", () => {
  const startedIn = ({ text }: Page) =>
    [...text.matchAll(/\bnpx (?:--package (\S+)|([\w@][\w@/-]*))/g)].map(
      ([, file, name]) => file ?? name ?? "",
    );
  const isHere = (started: string) =>
    started.startsWith("./") || existsSync(join(ROOT, "node_modules/.bin", started));

  expect(pages.flatMap(startedIn)).toContain("secret-relay");
  expect(problemsOf((page) => startedIn(page).filter((started) => !isHere(started)))).toEqual([]);
});

it("decisions that the code refers to exist", () => {
  const sources = globSync("{functions,shared,sandbox,scripts,cli,bench,test}/**/*.{ts,sh}", { cwd: ROOT });
  const referred = sources.flatMap((path) =>
    [...readFileSync(join(ROOT, path), "utf8").matchAll(/docs\/adr\/(\d{4})/g)].map(
      (match) => match[1] ?? "",
    ),
  );

  expect(referred.length).toBeGreaterThan(0);
  for (const number of referred)
    expect(decisions.map(({ path }) => path)).toContainEqual(decisionPath(number));
});

const decisions = pages.filter(({ path }) => /^docs\/adr\/\d{4}-/.test(path));
const decisionPath = (number: string) => expect.stringMatching(new RegExp(`^docs/adr/${number}-`));

it("the repository has decisions", () => expect(decisions.length).toBeGreaterThan(0));

it.each(decisions)("$path has the decision, its reason and what was rejected", (page) => {
  const parts = [...page.text.matchAll(/^\*\*(\w+)\.\*\* \S/gm)].map((match) => match[1]);

  expect(parts).toEqual(["Decision", "Reason", "Rejected"]);
  expect(linksOf(pageOf("docs/adr/README.md"))).toContain(page.path.replace("docs/adr/", ""));
});

function linksOf(page: Page): string[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? "")
    .filter((link) => !/^[a-z]+:/.test(link));
}

/** The paths in backticks that begin with one of our folders; dist/ exists only after a build. */
function pathsOf(page: Page): string[] {
  const words = [...proseOf(page).matchAll(/`([\w./-]+)`/g)].map((match) => match[1] ?? "");
  return words.filter((word) =>
    /^(bench|cli|docs|events|functions|sandbox|scripts|shared|test)\//.test(word),
  );
}
