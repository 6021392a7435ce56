import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { changelogEntry, problemsOfTag } from "../../scripts/changelog.ts";
import { ROOT } from "../docs/markdown.ts";

const CHANGELOG = `# Changelog

## 1.1.0, not released yet

- new

## 1.0.0, 2026-12-01

### Added

- first
`;

it("a tag with the version and a date is released", () => {
  expect(problemsOfTag("v1.0.0", "1.0.0", CHANGELOG)).toEqual([]);
});

it("a tag that is not the version is refused", () => {
  expect(problemsOfTag("v1.1.0", "1.0.0", CHANGELOG)).toEqual([
    'The tag is "v1.1.0", but package.json has the version 1.0.0.',
  ]);
});

it("a version without a date is refused", () => {
  expect(problemsOfTag("v1.1.0", "1.1.0", CHANGELOG)).toEqual([
    'CHANGELOG.md has "## 1.1.0, not released yet". Write the date of the release, such as 2026-12-01.',
  ]);
});

it("a version without a section is refused", () => {
  expect(() => changelogEntry(CHANGELOG, "1.0")).toThrow('CHANGELOG.md has no section "## 1.0, DATE".');
});

it("an entry ends where the next one begins", () => {
  expect(changelogEntry(CHANGELOG, "1.1.0").text).toBe("- new");
  expect(changelogEntry(CHANGELOG, "1.0.0").text).toBe("### Added\n\n- first");
});

it("the changelog has the version of package.json", () => {
  const changelog = readFileSync(join(ROOT, "CHANGELOG.md"), "utf8");
  expect(changelogEntry(changelog, packageJson.version).text).toContain("### Added");
});
