// Writes dist/release: a template of plain CloudFormation, without a transform, for StackSets and for users
// without SAM; the zips of the functions; and their checksums. Two runs write the same bytes.
// Needs what test/real/sam/install.sh needs: python3 with venv, and a Python package index for the first run, which takes
// about 40 s more. Otherwise it takes 20 s on two busy cores.
import { execFileSync } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { buildFunctions } from "./build-functions.ts";

const RELEASE = "dist/release";
const FUNCTIONS = `${RELEASE}/functions`;

await rm(RELEASE, { recursive: true, force: true });
await mkdir(RELEASE, { recursive: true });
await buildFunctions(FUNCTIONS);
const environment = execFileSync("test/real/sam/install.sh", { encoding: "utf8" }).trim();
execFileSync(path.join(environment, "bin/python"), ["scripts/make-release.py", FUNCTIONS, RELEASE], {
  stdio: "inherit",
  // SAM's translator wants a Region; the template is for each.
  env: { PATH: process.env.PATH, AWS_DEFAULT_REGION: "us-east-1" },
});
await rm(FUNCTIONS, { recursive: true });
