import { execFile, execFileSync } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import packageJson from "../../../package.json" with { type: "json" };
import { s3ClientOf } from "../../contract/s3-contract.ts";
import type { AwsBackend } from "../../harness/backend.ts";
import { addMotoBucket } from "../aws/add-bucket.ts";
import { startMoto } from "../aws/start.ts";
import { copyRepository, type RepositoryCopy } from "./copy-of-the-repository.ts";
import { hashesOf } from "./hashes-of.ts";

// `npm run release` in two copies of the repository, and its files as users of a release start from them. npm installs
// the command with its dependencies, from a registry or npm's cache. About 3 minutes.

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));

const copies: RepositoryCopy[] = [];
let release: string;

const PRINT_NOTICES =
  "import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read('THIRD_PARTY_NOTICES.txt').decode())";

const textOf = (file: string) => readFileSync(join(release, file), "utf8");

beforeAll(async () => {
  copies.push(copyRepository(), copyRepository());
  const [first, second] = copies as [RepositoryCopy, RepositoryCopy];
  // The second copy is the one of another user, with other modes and times.
  execFileSync("chmod", ["-R", "go-rwx", second.folder]);
  execFileSync("find", [second.folder, "-exec", "touch", "-h", "-d", "2020-02-02", "{}", "+"]);
  release = join(first.folder, "dist/release");
  for (const copy of copies) await copy.release();
}, 600_000);

afterAll(() => {
  for (const copy of copies) copy.remove();
}, 600_000);

it("two copies make the same bytes", () => {
  expect(hashesOf(join(copies[1]?.folder ?? "", "dist/release"))).toEqual(hashesOf(release));
});

it("has these files", () => {
  const files = Object.keys(hashesOf(release)).map((file) => file.replace(/-[0-9a-f]{16}\./, "-HASH."));
  expect(files.sort()).toEqual(
    [
      "CHANGELOG.md",
      "LICENSE",
      "SHA256SUMS",
      "THIRD_PARTY_NOTICES.txt",
      "monitoring.yaml",
      "reconcile-HASH.zip",
      "rotation-HASH.zip",
      "sbom.cdx.json",
      `secret-relay-${packageJson.version}.tgz`,
      "secret-relay.template.json",
      "template.yaml",
      "webhook-HASH.zip",
      "webhook-url-HASH.yaml",
    ].sort(),
  );
});

it("sha256sum accepts each file", async () => {
  const { stdout } = await run("sha256sum", ["--check", "SHA256SUMS"], { cwd: release });
  const named = stdout.trimEnd().split("\n");
  expect(named.every((line) => line.endsWith(": OK"))).toBe(true);
  expect(named).toHaveLength(Object.keys(hashesOf(release)).length - 1);
});

it("says what is new in this version, and nothing of others", () => {
  expect(textOf("CHANGELOG.md")).toMatch(
    new RegExp(`^# ${packageJson.version.replaceAll(".", "\\.")}\n\n### `),
  );
  expect(textOf("CHANGELOG.md")).not.toMatch(/^## /m);
});

it("has the bill of materials and the notices of every bundled package", () => {
  const bill: { components: { purl: string }[] } = JSON.parse(textOf("sbom.cdx.json"));
  const bundled = globSync("*.zip", { cwd: release }).flatMap((zip) => {
    const notices = execFileSync("python3", ["-c", PRINT_NOTICES, join(release, zip)], { encoding: "utf8" });
    return notices.match(/^\S+ \d+\.\d+\.\d+\S* \(.+\)$/gm) ?? [];
  });
  const notices = textOf("THIRD_PARTY_NOTICES.txt").split("\n");

  expect(bundled.length).toBeGreaterThan(30);
  expect(notices).toEqual(expect.arrayContaining(bundled));
  const purls = bundled.map((line) =>
    line.replace(/^(\S+) (\S+) .*$/, (_, name, version) => `pkg:npm/${name.replace("@", "%40")}@${version}`),
  );
  expect(bill.components.map(({ purl }) => purl)).toEqual(expect.arrayContaining(purls));
});

describe("template.yaml, for SAM", () => {
  let aws: AwsBackend;
  let sam: (...args: string[]) => Promise<{ stdout: string; stderr: string }>;
  beforeAll(async () => {
    aws = await startMoto();
    const { stdout } = await run(fileURLToPath(new URL("install.sh", import.meta.url)));
    const { PATH, HOME } = process.env;
    const env = { ...aws.env, PATH, HOME, AWS_DEFAULT_REGION: aws.region, SAM_CLI_TELEMETRY: "0" };
    sam = (...args) => run(join(stdout.trim(), "bin/sam"), args, { cwd: release, env });
  });
  afterAll(() => aws?.stop());

  it("is template.yaml of the repository, except for the places of files", () => {
    const lines = (text: string) =>
      text.replace(/^ {2}AWS::ServerlessRepo::Application:\n(?: {4}.*\n)+/m, "");
    const changed = lines(readFileSync(join(root, "template.yaml"), "utf8")).split("\n");
    const packaged = textOf("template.yaml").split("\n");
    const differing = packaged.filter((line, at) => line !== changed[at]).map((line) => line.trim());

    expect(packaged).toHaveLength(changed.length);
    expect(differing.map((line) => line.replace(/-[0-9a-f]{16}/, ""))).toEqual([
      "CodeUri: rotation.zip",
      "CodeUri: reconcile.zip",
      "CodeUri: webhook.zip",
      "TemplateURL: webhook-url.yaml # sam deploy uploads it",
    ]);
  });

  it("needs no build: SAM uploads the files of the release as they are", async () => {
    await addMotoBucket(aws, "artifacts", { versioned: false });
    const s3 = s3ClientOf(aws);

    const { stdout } = await sam("package", "--s3-bucket", "artifacts");

    expect(stdout.match(/CodeUri: s3:\/\/artifacts\//g)).toHaveLength(3);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: "artifacts" }));
    const uploaded = await Promise.all(
      Contents.map(async ({ Key }) => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: "artifacts", Key }));
        return Buffer.from((await Body?.transformToByteArray()) ?? []);
      }),
    );
    for (const zip of globSync("*.zip", { cwd: release })) {
      expect(
        uploaded.some((bytes) => bytes.equals(readFileSync(join(release, zip)))),
        zip,
      ).toBe(true);
    }
    s3.destroy();
  });

  it("is valid for SAM and cfn-lint", async () => {
    expect((await sam("validate", "--lint")).stdout).toContain("is a valid SAM Template");
  });
});

describe("the package of the command", () => {
  const archive = `secret-relay-${packageJson.version}.tgz`;
  let folder: string;
  const inFolder = async (command: string, ...args: string[]) =>
    (await run(command, args, { cwd: folder, timeout: 300_000 })).stdout;

  // Outside of the copy: npm resolves a path from the nearest folder with a package.json.
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "secret-relay-command-"));
    cpSync(join(release, archive), join(folder, archive));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }), 600_000);

  it("has fixed modes, owners and times", async () => {
    const { stdout } = await run("tar", ["-t", "-v", "-z", "-f", archive, "--numeric-owner"], {
      cwd: release,
      env: { ...process.env, TZ: "UTC" },
    });
    const entries = stdout.trimEnd().split("\n");
    const modeOf = (line: string) => (line.includes(" package/bin/") ? "-rwx(r-x){2}" : "-rw-(r--){2}");
    expect(entries.length).toBeGreaterThan(20);
    for (const line of entries) {
      expect(line).toMatch(new RegExp(`^${modeOf(line)} 0/0 +\\d+ 1970-01-01 00:00 package/`));
    }
  });

  it("is installed by npm, and runs in a folder without a clone", { timeout: 300_000 }, async () => {
    await inFolder("npm", "install", "--global", "--prefer-offline", "--prefix", "./global", `./${archive}`);
    const installed = join(folder, "global/bin/secret-relay");
    const bindings = "global/lib/node_modules/eks-secret-relay/bindings.yaml";

    expect(await inFolder(installed, "--version")).toBe(`${packageJson.version}\n`);
    expect(await inFolder(installed, "validate", bindings)).toMatch(/is valid/);
  });

  it("is run by npx without an installation", { timeout: 300_000 }, async () => {
    const help = await inFolder(
      "npx",
      "--yes",
      "--prefer-offline",
      "--package",
      `./${archive}`,
      "secret-relay",
      "--help",
    );
    expect(help).toContain("Usage: secret-relay");
  });
});
