import { execFile } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SCRIPT, STYLE } from "../../cli/report/assets.ts";
import packageJson from "../../package.json" with { type: "json" };
import { sweepReport } from "../report/factories.ts";

// `npm run package` in a copy of the repository, and the command in the resulting package. About 3 s.

const ROOT = new URL("../..", import.meta.url).pathname;
const run = promisify(execFile);

let work: string;
let unpacked: string;
let files: readonly string[];

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "secret-relay-pack-"));
  const others = new Set(["node_modules", "dist", "test", "bench", "docs", "sandbox"]);
  for (const part of readdirSync(ROOT).filter((one) => !others.has(one) && !one.startsWith("."))) {
    cpSync(join(ROOT, part), join(work, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(work, "node_modules"));
  await run("npm", ["run", "package"], { cwd: work });
  const { stdout } = await run("npm", ["pack", "--silent", "./dist/package"], { cwd: work });
  await run("tar", ["-xzf", stdout.trim()], { cwd: work });
  unpacked = join(work, "package");
  files = globSync("**/*", { cwd: unpacked, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(unpacked.length + 1));
}, 60_000);

afterAll(() => rmSync(work, { recursive: true, force: true }));

it("the command runs without the TypeScript sources", async () => {
  symlinkSync(join(ROOT, "node_modules"), join(unpacked, "node_modules"));
  const command = join(unpacked, "bin/secret-relay.mjs");
  const { stdout } = await run(process.execPath, [command, "validate", "bindings.yaml", "--json"], {
    cwd: unpacked,
  });
  expect(JSON.parse(stdout).ok).toBe(true);
  const version = await run(process.execPath, [command, "--version"]);
  expect(version.stdout.trim()).toBe(packageJson.version);
});

describe("the package in a folder with only Node and npm", () => {
  let folder: string;
  const npx = (command: string) =>
    run("bash", ["-c", command], {
      cwd: folder,
      env: {
        PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
        HOME: folder,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        npm_config_offline: "true",
      },
    });

  // As npm installs it, without a registry: the package, its dependencies, and the link to its command.
  beforeAll(() => {
    folder = join(work, "folder");
    const place = join(folder, "node_modules", "eks-secret-relay");
    cpSync(unpacked, place, { recursive: true, filter: (from) => !from.includes("node_modules") });
    symlinkSync(join(ROOT, "node_modules"), join(place, "node_modules"));
    mkdirSync(join(folder, "node_modules", ".bin"));
    const command = join(folder, "node_modules", ".bin", "secret-relay");
    symlinkSync(join("..", "eks-secret-relay", "bin/secret-relay.mjs"), command);
    cpSync(join(ROOT, "bindings.yaml"), join(folder, "bindings.yaml"));
    const report = sweepReport({ bindings: 3, checked: 3 });
    writeFileSync(join(folder, "report.json"), JSON.stringify(report));
  });

  it("runs by npx secret-relay", async () => {
    expect((await npx("npx secret-relay validate")).stdout).toMatch(/bindings\.yaml is valid/);
  });

  it("writes the report page with its style and script inline", async () => {
    await npx("npx secret-relay report --from report.json");

    const page = readFileSync(join(folder, "report.html"), "utf8");
    expect(page).toContain(STYLE);
    expect(page).toContain(SCRIPT);
  });

  it("ends quietly when the reader of its output closes the pipe", async () => {
    const { stderr } = await npx("npx secret-relay schema | true");

    expect(stderr).toBe("");
  });
});

it("the package contains no test, no TypeScript and no hidden file", () => {
  expect(files).toContain("LICENSE");
  expect(files.filter((file) => /\.ts$|^test\/|(^|\/)\./.test(file))).toEqual([]);
});

it("every imported package is a dependency", () => {
  const bundled = files.filter((file) => file.startsWith("dist/"));
  expect(bundled).toContain("dist/cli/main.mjs");
  const imported = bundled
    .flatMap((file) => [
      ...readFileSync(join(unpacked, file), "utf8").matchAll(
        /(?:^(?:import|export|\}).*from |\bimport\(|^import )"([^".][^"]*)"/gm,
      ),
    ])
    .map(([, specifier = ""]) => specifier)
    .filter((specifier) => !isBuiltin(specifier));
  expect(imported.length).toBeGreaterThan(2);
  const { dependencies } = JSON.parse(readFileSync(join(unpacked, "package.json"), "utf8"));
  const packages = new Set(
    imported.map((specifier) => specifier.match(/^(@[^/]+\/)?[^/]+/)?.[0] ?? specifier),
  );
  expect([...packages].filter((name) => !(name in dependencies))).toEqual([]);
});

it("the version is the same everywhere", () => {
  expect(readFileSync(join(ROOT, "CHANGELOG.md"), "utf8")).toContain(`## ${packageJson.version}`);
});
