// Writes a release into dist/release. Two runs write the same bytes, in every clone.
// Needs what test/real/sam/install.sh needs: python3 with venv, and a Python package index for the first run, which takes
// about 40 s more. Otherwise it takes 20 s on two busy cores.
//
//   npm run release
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { buildCommand } from "./build-command.ts";
import { buildFunctions } from "./build-functions.ts";
import { changelogEntry } from "./changelog.ts";
import { NOTICES_FILE, printNotices } from "./third-party-notices.ts";

const RELEASE = "dist/release";
const FUNCTIONS = `${RELEASE}/functions`;
const COMMAND = `${RELEASE}/command`;

await rm(RELEASE, { recursive: true, force: true });
await mkdir(RELEASE, { recursive: true });
const bundled = await buildFunctions(FUNCTIONS);
await buildCommand(COMMAND);
const environment = execFileSync("test/real/sam/install.sh", { encoding: "utf8" }).trim();
execFileSync(path.join(environment, "bin/python"), ["scripts/make-release.py", FUNCTIONS, COMMAND, RELEASE], {
  stdio: "inherit",
  // SAM's translator wants a Region; the template is for each.
  env: { PATH: process.env.PATH, AWS_DEFAULT_REGION: "us-east-1" },
});
for (const folder of [FUNCTIONS, COMMAND]) await rm(folder, { recursive: true });

await cp("LICENSE", `${RELEASE}/LICENSE`);
await writeFile(`${RELEASE}/${NOTICES_FILE}`, printNotices(bundled));
await writeFile(`${RELEASE}/sbom.cdx.json`, execFileSync(process.execPath, ["scripts/print-sbom.ts"]));
const { text } = changelogEntry(await readFile("CHANGELOG.md", "utf8"), packageJson.version);
await writeFile(`${RELEASE}/CHANGELOG.md`, `# ${packageJson.version}\n\n${text}\n`);
await cp("monitoring.yaml", `${RELEASE}/monitoring.yaml`);

const files = (await readdir(RELEASE)).sort();
const sums = await Promise.all(
  files.map(async (file) => {
    const hash = createHash("sha256")
      .update(await readFile(`${RELEASE}/${file}`))
      .digest("hex");
    return `${hash}  ${file}\n`;
  }),
);
await writeFile(`${RELEASE}/SHA256SUMS`, sums.join(""));
process.stderr.write(`${RELEASE}: ${files.join(", ")}, SHA256SUMS\n`);
