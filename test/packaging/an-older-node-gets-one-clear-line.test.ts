import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { ROOT } from "../docs/markdown.ts";

const OLDER = "v20.20.2";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "secret-relay-older-node-"));
  // The installed command: without the node_modules of a checkout.
  mkdirSync(join(folder, "bin"));
  copyFileSync(join(ROOT, "bin/secret-relay.mjs"), join(folder, "bin/secret-relay.mjs"));
  // An older Node is not available on every machine, so this one pretends to be older.
  writeFileSync(
    join(folder, "claim-to-be-older.mjs"),
    `Object.defineProperty(process, "version", { value: "${OLDER}" });
     Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${OLDER.slice(1)}" } });`,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("the checkout installs the Node version that package.json requires", () => {
  expect(packageJson.engines.node).toBe(`>=${packageJson.devDependencies.node.split(".")[0]}`);
});

it("the installed command names the required Node version and exits with 2", async () => {
  expect(await runOnOlderNode(join(folder, "bin/secret-relay.mjs"))).toEqual({
    code: 2,
    stdout: "",
    stderr: `secret-relay needs Node ${packageJson.engines.node.slice(2)} or later; this is ${OLDER}.\n`,
  });
});

it("a clone without its packages names the command that installs them, and exits with 2", async () => {
  const clone = join(folder, "clone");
  mkdirSync(join(clone, "bin"), { recursive: true });
  mkdirSync(join(clone, "cli"));
  copyFileSync(join(ROOT, "bin/secret-relay.mjs"), join(clone, "bin/secret-relay.mjs"));
  copyFileSync(join(ROOT, "cli/main.ts"), join(clone, "cli/main.ts"));

  expect(await run([join(clone, "bin/secret-relay.mjs"), "--help"], {})).toEqual({
    code: 2,
    stdout: "",
    stderr: 'The packages of this clone are not installed. Run "npm ci" in it first.\n',
  });
  expect(await runOnOlderNode(join(clone, "bin/secret-relay.mjs"))).toEqual({
    code: 2,
    stdout: "",
    stderr: `secret-relay needs Node 24 or later; this is ${OLDER}. Run "npm ci" in this clone: it installs Node 24.\n`,
  });
});

it("npm ci names the Node version that the scripts use", async () => {
  expect(await prepare(`npm/11.19.1 node/${OLDER} linux x64 workspaces/false`)).toEqual({
    code: 0,
    stdout: "",
    stderr: `This project needs Node 24 or later, but npm runs on ${OLDER}: npm scripts use ${process.version} from node_modules.\n`,
  });
});

it("npm ci without development dependencies does not claim that the scripts run", async () => {
  expect(await runOnOlderNode(join(ROOT, "scripts/say-which-node.mjs"))).toEqual({
    code: 0,
    stdout: "",
    stderr: `This project needs Node 24 or later, but npm runs on ${OLDER}: the scripts cannot run.\n`,
  });
});

it("npm ci prints nothing on the required Node version", async () => {
  expect(await prepare(`npm/11.19.1 node/${process.version} linux x64 workspaces/false`)).toEqual({
    code: 0,
    stdout: "",
    stderr: "",
  });
});

const prepare = (userAgent: string) =>
  run([join(ROOT, "scripts/say-which-node.mjs")], { npm_config_user_agent: userAgent });

const runOnOlderNode = (file: string) => run(["--import", join(folder, "claim-to-be-older.mjs"), file], {});

function run(args: readonly string[], env: NodeJS.ProcessEnv) {
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}
