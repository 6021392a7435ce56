import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initFiles } from "../../../cli/init/init-files.ts";
import { deploy } from "../../template/deploy.ts";
import { template } from "../../template/template.ts";

// samconfig.toml as the real SAM CLI reads it, without a request to AWS. About 10 s.

const run = promisify(execFile);
const HOME = { partition: "aws", region: "eu-west-1", accountId: "111122223333" } as const;

let folder: string;
let python: string;

beforeAll(async () => {
  const { stdout } = await run(fileURLToPath(new URL("install.sh", import.meta.url)));
  python = join(stdout.trim(), "bin/python");
  folder = mkdtempSync(join(tmpdir(), "secret-relay-samconfig-"));
  cpSync(fileURLToPath(new URL("../../../template.yaml", import.meta.url)), join(folder, "template.yaml"));
}, 600_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Options = { readonly parameter_overrides: Record<string, string>; readonly [option: string]: unknown };

async function optionsOf(samconfig: string): Promise<Options> {
  writeFileSync(join(folder, "samconfig.toml"), samconfig);
  const script = fileURLToPath(new URL("read-samconfig.py", import.meta.url));
  const { stdout } = await run(python, [script], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, SAM_CLI_TELEMETRY: "0" },
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

const bind = (source: string, at = 0) => ({ source, namespace: "shop", name: `s${at}` });
const many = Array.from({ length: 50 }, (_, at) => bind(`team-${at}/secret`, at));

describe.each([
  { it: "one source", answers: { clusters: ["blue"], binds: [bind("prod/db")] } },
  {
    it: "two clusters and a prefix",
    answers: { clusters: ["blue", "green"], binds: [bind("prod/db")], prefix: "prod/" },
  },
  { it: "as many sources as the parameter takes", answers: { clusters: ["blue"], binds: many } },
])("with $it", ({ answers }) => {
  let options: Options;
  beforeAll(async () => {
    options = await optionsOf(initFiles({ location: HOME, ...answers }).samconfig);
  });

  it("names the stack and the Region, and leaves nothing that sam deploy would ask", () => {
    expect(options).toMatchObject({
      stack_name: "secret-relay",
      region: "eu-west-1",
      resolve_s3: true,
      capabilities: ["CAPABILITY_IAM"],
      confirm_changeset: false,
      guided: false,
    });
  });

  it("has parameters that the template takes, whole", () => {
    const { parameter_overrides: parameters } = options;
    expect(Object.keys(parameters).length).toBeGreaterThan(5);
    for (const [name, value] of Object.entries(parameters)) {
      const { AllowedPattern = "", AllowedValues } = template.Parameters[name] ?? {};
      expect(value, name).toMatch(new RegExp(AllowedPattern));
      if (AllowedValues !== undefined) expect(AllowedValues.map(String)).toContain(value);
    }
    expect(deploy(parameters).complaints).toEqual([]);
    expect(parameters.MetadataSweepSchedule).toBe("rate(5 minutes)");
  });
});

it("a value with a space needs its inner quotes: without them SAM cuts it", async () => {
  const { samconfig } = initFiles({ location: HOME, clusters: ["blue"], binds: [bind("prod/db")] });
  const { parameter_overrides: parameters } = await optionsOf(samconfig.replaceAll("'", ""));
  expect(parameters.MetadataSweepSchedule).toBe("rate(5");
});
