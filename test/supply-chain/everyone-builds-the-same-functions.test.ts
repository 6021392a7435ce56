import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FUNCTIONS } from "../../scripts/bundle.ts";
import { NOTICES_FILE } from "../../scripts/third-party-notices.ts";
import { ROOT } from "../docs/markdown.ts";
import { buildFunction } from "../harness/build-function.ts";

// Builds a copy of the repository in another folder. About 4 s.

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "relay-of-another-team-"));
  for (const part of ["LICENSE", "functions", "shared", "scripts", "package.json", "tsconfig.json"]) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  writeFileSync(join(copy, "bindings.yaml"), "not even valid: [");
  execFileSync(process.execPath, ["scripts/build.ts"], { cwd: copy, stdio: "pipe" });
}, 60_000);
afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe.each(FUNCTIONS)("the %s function", { timeout: 60_000 }, (name) => {
  it("has the same bytes in every checkout, whatever its bindings are", async () => {
    const ours = await buildFunction(name);

    const theirs = hashesOf(join(copy, "dist", name));

    expect(Object.keys(theirs).length).toBeGreaterThan(2);
    expect(theirs).toEqual(hashesOf(ours.folder));
    await ours.remove();
  });
});

it("refuses an option, with the command that bindings need", () => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.ts", "--bindings", "other.yaml"], {
    cwd: copy,
    encoding: "utf8",
  });

  expect(status).toBe(2);
  expect(stderr).toContain("npx secret-relay publish -b FILE");
});

/** The SHA-256 of every file, except the notices, which only the build script writes. */
function hashesOf(folder: string): Record<string, string> {
  const files = globSync("**/*.*", { cwd: folder }).filter((file) => file !== NOTICES_FILE);
  return Object.fromEntries(
    files.sort().map((file) => [
      file,
      createHash("sha256")
        .update(readFileSync(join(folder, file)))
        .digest("hex"),
    ]),
  );
}
