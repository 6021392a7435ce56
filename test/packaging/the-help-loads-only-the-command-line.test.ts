import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Prints each module that the process loads to stderr. */
const RECORDER = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  registerHooks({ load: (url, context, next) => { process.stderr.write(url + "\\n"); return next(url, context); } });
`)}`;

// Each client of AWS takes 60 to 80 ms to load, and the help should answer at once.
it("the help loads the commands and commander, and no client, parser or prompt", () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", RECORDER, "bin/secret-relay.mjs", "--help"],
    { cwd: ROOT, encoding: "utf8" },
  );
  const packages = [...stderr.matchAll(/node_modules\/((?:@[^/]+\/)?[^/\n]+)/g)].map(([, name]) => name);

  expect(status).toBe(0);
  expect(stdout).toContain("Usage: secret-relay");
  expect(new Set(packages)).toEqual(new Set(["commander"]));
});

// npx looks for a `bin` in the package.json of the folder first. If the command is there, npx reads all installed
// packages: 0.5 s of CPU time (npm 11.19).
it("npx finds the command of a checkout in node_modules/.bin and does not read all packages", () => {
  expect(packageJson).not.toHaveProperty("bin");
  expect(realpathSync(`${ROOT}node_modules/.bin/secret-relay`)).toBe(`${ROOT}bin/secret-relay.mjs`);
});
