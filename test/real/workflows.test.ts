import { execFile, execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import packageJson from "../../package.json" with { type: "json" };
import { ROOT } from "../docs/markdown.ts";
import { getBinary } from "./control-plane/binaries.ts";

// The workflows of GitHub Actions, by actionlint, and each command of this repository's in a clean clone; those of an example
// run in test/cli. npm installs the packages
// of the clone, from a registry or npm's cache. About 3 minutes.

type Step = {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly "working-directory"?: string;
};
type Job = { readonly permissions?: Readonly<Record<string, string>>; readonly steps: readonly Step[] };
type Workflow = {
  readonly on: object;
  readonly permissions?: object;
  readonly jobs: Readonly<Record<string, Job>>;
};

const files = globSync("{.github,examples/*/.github}/workflows/*.yml", { cwd: ROOT }).sort();
const workflowOf = (file: string): Workflow => parse(readFileSync(join(ROOT, file), "utf8"));
const jobsOf = (file: string) => Object.entries(workflowOf(file).jobs);

const lint = (...args: string[]) =>
  spawnSync(getBinary("actionlint"), ["-shellcheck=", "-pyflakes=", ...args], {
    cwd: ROOT,
    encoding: "utf8",
  });

it("there is a workflow for changes and one for releases", () => {
  expect(files).toEqual(
    expect.arrayContaining([".github/workflows/ci.yml", ".github/workflows/release.yml"]),
  );
});

it("actionlint finds a planted mistake", () => {
  const folder = mkdtempSync(join(tmpdir(), "secret-relay-workflow-"));
  const file = join(folder, "planted.yml");
  const text = readFileSync(join(ROOT, ".github/workflows/release.yml"), "utf8");
  writeFileSync(file, text.replace("github.repository", "github.repo"));
  expect(lint(file).stdout).toContain('"repo" is not defined');
  rmSync(folder, { recursive: true });
});

describe.each(files)("%s", (file) => {
  it("is accepted by actionlint", () => {
    const { status, stdout, stderr } = lint(file);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  it("pins each action to a commit, and names its version", () => {
    const uses = readFileSync(join(ROOT, file), "utf8").match(/uses: .+/g) ?? [];
    expect(uses.length).toBeGreaterThan(1);
    for (const line of uses) expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it("grants nothing by default, and each job only what it needs", () => {
    expect(workflowOf(file).permissions).toEqual({});
    expect(Object.keys(workflowOf(file).on)).not.toContain("pull_request_target");
    for (const [name, { permissions }] of jobsOf(file)) {
      expect(permissions, name).toEqual(PERMISSIONS[`${file}#${name}`] ?? { contents: "read" });
    }
  });
});

/** The jobs that need more than to read the repository. */
const PERMISSIONS: Readonly<Record<string, object>> = {
  ".github/workflows/release.yml#publish": {
    attestations: "write",
    contents: "write",
    "id-token": "write",
  },
  "examples/two-clusters/.github/workflows/bindings.yml#plan": { contents: "read", "id-token": "write" },
  "examples/two-clusters/.github/workflows/bindings.yml#publish": { contents: "read", "id-token": "write" },
};

/** Not run here, because they take minutes or run this test: each is a script of package.json. */
const SLOW = ["npm test", "npm run check", "npm run test:long", "npm run test:real"];

describe("in a clean clone", () => {
  let work: string;
  let clone: string;

  const shell = async (step: Step, folder: string, env: NodeJS.ProcessEnv = {}) => {
    const cwd = join(folder, step["working-directory"] ?? ".");
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
    // As GitHub starts the commands of a step.
    return promisify(execFile)("bash", ["-e", "-c", step.run ?? ""], options);
  };
  const stepsOf = (file: string, job: string) =>
    workflowOf(`.github/workflows/${file}`).jobs[job]?.steps ?? [];

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), "secret-relay-clone-"));
    clone = join(work, "clone");
    const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    for (const file of execFileSync("git", list, { cwd: ROOT, encoding: "utf8" }).split("\0")) {
      if (file === "" || !existsSync(join(ROOT, file))) continue;
      mkdirSync(dirname(join(clone, file)), { recursive: true });
      cpSync(join(ROOT, file), join(clone, file));
    }
    const changelog = readFileSync(join(clone, "CHANGELOG.md"), "utf8");
    writeFileSync(
      join(clone, "CHANGELOG.md"),
      changelog.replace(
        `## ${packageJson.version}, not released yet`,
        `## ${packageJson.version}, 2026-12-01`,
      ),
    );
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }), 600_000);

  it("each command of a tested change runs, or is a script", { timeout: 600_000 }, async () => {
    const done = new Set<string>();
    for (const [, { steps }] of jobsOf(".github/workflows/ci.yml")) {
      for (const step of steps.filter(({ run }) => run !== undefined && !done.has(run))) {
        await runOrFindScript(step);
        done.add(step.run ?? "");
      }
    }
    expect(done).toContain("npm ci");
  });

  it("each command of a release runs, and all its files are published", { timeout: 600_000 }, async () => {
    const env = { GITHUB_REF_NAME: `v${packageJson.version}` };
    for (const step of stepsOf("release.yml", "build").filter(
      ({ run }) => run !== undefined && run !== "npm ci",
    )) {
      await runOrFindScript(step, env);
    }
    // What one job uploads, the other downloads.
    const withOf = (job: string, action: string) =>
      stepsOf("release.yml", job).find(({ uses }) => uses?.startsWith(`actions/${action}@`))?.with ?? {};
    const uploaded = withOf("build", "upload-artifact");
    const downloaded = withOf("publish", "download-artifact");
    expect(downloaded.name).toBe(uploaded.name);
    const publish = join(work, "publish");
    cpSync(join(clone, uploaded.path ?? ""), join(publish, downloaded.path ?? ""), { recursive: true });
    // GitHub is not here: this program of its name writes down what it is told.
    const bin = join(work, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "gh"), `#!/bin/sh\nprintf '%s\\n' "$@" > gh-was-told\n`);
    chmodSync(join(bin, "gh"), 0o755);

    for (const step of stepsOf("release.yml", "publish").filter(({ run }) => run !== undefined)) {
      await shell(step, publish, { ...env, PATH: `${bin}:${process.env.PATH}` });
    }

    const told = readFileSync(join(publish, "gh-was-told"), "utf8").trimEnd().split("\n");
    expect(told.slice(0, 3)).toEqual(["release", "create", `v${packageJson.version}`]);
    const published = globSync("release/*", { cwd: publish }).sort();
    expect(published).toContain("release/SHA256SUMS");
    expect(told.filter((word) => word.startsWith("release/")).sort()).toEqual(
      ["release/CHANGELOG.md", ...published].sort(),
    );
    expect(withOf("publish", "attest-build-provenance")["subject-path"]).toBe("release/*");
  });

  async function runOrFindScript(step: Step, env: NodeJS.ProcessEnv = {}): Promise<void> {
    const { run = "" } = step;
    if (SLOW.includes(run)) expect(packageJson.scripts).toHaveProperty([run.replace(/^npm (run )?/, "")]);
    else await shell(step, clone, env);
  }
});
