// Stops the release of a tag that is not the version of package.json, or whose section of CHANGELOG.md has no date.
//
//   node scripts/check-tag.ts v0.1.0
import { readFileSync } from "node:fs";
import packageJson from "../package.json" with { type: "json" };
import { problemsOfTag } from "./changelog.ts";

const [tag = ""] = process.argv.slice(2);
const changelog = readFileSync(new URL("../CHANGELOG.md", import.meta.url), "utf8");
for (const problem of problemsOfTag(tag, packageJson.version, changelog)) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
