import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FUNCTIONS } from "../../../scripts/bundle.ts";
import { deploy, type Stack } from "../../template/deploy.ts";
import { EVERYTHING } from "../../template/statements.ts";
import type { Template } from "../../template/template.ts";
import { copyRepository, type RepositoryCopy } from "./copy-of-the-repository.ts";

// `npm run release`, twice, in a copy of the repository. About 30 s.

const run = promisify(execFile);
const TEMPLATE = "secret-relay.template.json";

let copy: RepositoryCopy;
let release: string;
let template: Template;
let stack: Stack;
let first: Record<string, string>;

const sha256 = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");
const hashesOf = (folder: string, pattern = "*") =>
  Object.fromEntries(
    globSync(pattern, { cwd: folder, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(folder.length + 1), sha256(file)]),
  );

beforeAll(async () => {
  copy = copyRepository();
  release = join(copy.folder, "dist/release");
  await copy.release();
  first = hashesOf(release);
  await copy.release();
  template = JSON.parse(readFileSync(join(release, TEMPLATE), "utf8"));
  stack = deploy({ ...EVERYTHING, CodeBucket: "code", CodePrefix: "relay/" }, template);
}, 600_000);

afterAll(() => copy?.remove());

it("two runs write the same bytes", () => {
  expect(Object.keys(first)).toHaveLength(7);
  expect(hashesOf(release)).toEqual(first);
});

it("has the checksum of each file", () => {
  const sums = readFileSync(join(release, "SHA256SUMS"), "utf8").trimEnd().split("\n");
  const { SHA256SUMS: _, ...others } = first;
  expect(Object.fromEntries(sums.map((line) => line.split("  ").toReversed()))).toEqual(others);
});

it("the template has no transform, and no type of SAM", () => {
  expect(Object.keys(template)).not.toContain("Transform");
  const types = Object.values(template.Resources).map(({ Type }) => Type);
  expect(types).toContain("AWS::Lambda::Function");
  expect(types.filter((type) => /Serverless/.test(type))).toEqual([]);
});

it.each(["us-east-1", "us-gov-west-1", "cn-north-1"])(
  "cfn-lint accepts the template in %s",
  async (region) => {
    const { stdout } = await run(fileURLToPath(new URL("install.sh", import.meta.url)));
    const lint = run(join(stdout.trim(), "bin/cfn-lint"), [
      "--regions",
      region,
      "--",
      join(release, TEMPLATE),
    ]);
    expect((await lint).stdout).toBe("");
  },
);

describe.each(FUNCTIONS)("the %s function", (name) => {
  const codeOf = () => {
    const id = `${name.charAt(0).toUpperCase()}${name.slice(1)}Function`;
    return stack.resources[id]?.Properties.Code as { S3Bucket: string; S3Key: string };
  };
  const zip = () => codeOf().S3Key.replace("relay/", "");

  it("is read from the bucket and below the prefix of the parameters", () => {
    expect(codeOf().S3Bucket).toBe("code");
    expect(codeOf().S3Key).toMatch(new RegExp(`^relay/${name}-[0-9a-f]{16}\\.zip$`));
    expect(readdirSync(release)).toContain(zip());
  });

  it("has a key that changes with its code", () => {
    expect(sha256(join(release, zip()))).toContain(/-([0-9a-f]{16})\.zip$/.exec(zip())?.[1] ?? "no hash");
  });

  it("is what npm run build makes", async () => {
    const unpacked = join(copy.folder, "unpacked", name);
    await mkdir(unpacked, { recursive: true });
    execFileSync("python3", ["-m", "zipfile", "-e", join(release, zip()), unpacked]);
    execFileSync(process.execPath, ["scripts/build.ts"], { cwd: await builtElsewhere(), stdio: "pipe" });

    const built = hashesOf(join(elsewhere?.folder ?? "", "dist", name), "**/*");
    expect(Object.keys(built)).toEqual(expect.arrayContaining(["handler.mjs", "THIRD_PARTY_NOTICES.txt"]));
    expect(hashesOf(unpacked, "**/*")).toEqual(built);
  });
});

/** A second copy, since a build empties dist. */
let elsewhere: RepositoryCopy | undefined;
async function builtElsewhere(): Promise<string> {
  elsewhere ??= copyRepository();
  return elsewhere.folder;
}
afterAll(() => elsewhere?.remove());

it("the URL of the webhook comes from the same place", () => {
  const TemplateURL = String(stack.resources.WebhookUrlStack?.Properties.TemplateURL);
  expect(TemplateURL).toMatch(
    /^https:\/\/code\.s3\.eu-west-1\.amazonaws\.com\/relay\/webhook-url-[0-9a-f]{16}\.yaml$/,
  );
  expect(readdirSync(release)).toContain(TemplateURL.split("/").at(-1));
});
