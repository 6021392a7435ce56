import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

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
