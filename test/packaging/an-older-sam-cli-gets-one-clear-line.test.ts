import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { pageOf, ROOT } from "../docs/markdown.ts";

let bin: string;
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), "secret-relay-sam-"));
});
afterEach(() => rmSync(bin, { recursive: true, force: true }));

/** Runs the check with a `sam` of this shell script as the only program on the PATH. */
function check(script?: string) {
  if (script !== undefined) {
    writeFileSync(join(bin, "sam"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, "sam"), 0o755);
  }
  return new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, "scripts/check-sam.ts")],
      { env: { PATH: bin } },
      (error, _stdout, stderr) => resolve({ code: error?.code ?? 0, stderr }),
    );
  });
}

it("npm run build checks the SAM CLI, so that sam build does not start", () => {
  expect(packageJson.scripts.build).toBe("node scripts/build.ts && node scripts/check-sam.ts");
});

it.each(["1.145.2", "1.99.0", "0.53.0"])(
  "SAM CLI %s is refused, with the version that is needed",
  async (version) => {
    const { code, stderr } = await check(`echo "SAM CLI, version ${version}"`);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^The SAM CLI is too old: .* needs SAM CLI 1\.148 or later; this is \S+\. Update it: \S+\n$/,
    );
    expect(stderr).toContain(`this is ${version}.`);
  },
);

it.each(["1.148.0", "1.170.0", "2.0.0", "1.150.0.dev202511290901"])(
  "SAM CLI %s is accepted",
  async (version) => {
    expect(await check(`echo "SAM CLI, version ${version}"`)).toEqual({ code: 0, stderr: "" });
  },
);

it.each([
  ["is absent, as in CI", undefined],
  ["fails", "exit 1"],
  ["prints something else", "echo hello"],
])("a SAM CLI that %s is no reason to stop", async (_what, script) => {
  expect(await check(script)).toEqual({ code: 0, stderr: "" });
});

it.each(["README.md", "docs/get-started.md"])(
  "%s names the same version, and the runtime needs it",
  (page) => {
    expect(pageOf(page).text).toMatch(/SAM CLI\]\([^)]*\) 1\.148 or later/);
    expect(readFileSync(join(ROOT, "template.yaml"), "utf8")).toContain("Runtime: nodejs24.x");
  },
);
