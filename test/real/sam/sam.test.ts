import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { template } from "../../template/template.ts";

// The real SAM CLI and cfn-lint on the real template and the real build; nothing is sent to AWS. About 12 s, and on the
// first run 40 s more for install.sh.

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));
const environment = {
  // What a machine has of AWS must not matter: no profile, no credentials, no Region but this one.
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"))),
  AWS_DEFAULT_REGION: "eu-west-1",
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  SAM_CLI_TELEMETRY: "0",
};

const TEMPLATES = ["template.yaml", "monitoring.yaml"];

let binaries: string;
let project: string;

/** Runs a command of the environment in a copy of the project. If it fails, its output is the error. */
async function tool(name: "sam" | "cfn-lint", ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run(join(binaries, name), args, { cwd: project, env: environment });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${name} ${args.join(" ")} failed:\n${stdout}${stderr}`);
  }
}

beforeAll(async () => {
  const { stdout } = await run(fileURLToPath(new URL("install.sh", import.meta.url)));
  binaries = join(stdout.trim(), "bin");
  await run(process.execPath, ["scripts/build.ts"], { cwd: root });
  project = await mkdtemp(join(tmpdir(), "secret-relay-sam-"));
  for (const file of [...TEMPLATES, "webhook-url.yaml"]) await cp(join(root, file), join(project, file));
  await cp(join(root, "dist"), join(project, "dist"), { recursive: true });
}, 600_000);

afterAll(async () => {
  if (project) await rm(project, { recursive: true, force: true });
});

it.each(TEMPLATES)("sam validate --lint accepts %s", async (file) => {
  expect(await tool("sam", "validate", "--lint", "--template-file", file)).toContain(
    "is a valid SAM Template",
  );
});

it.each(["us-east-1", "us-gov-west-1", "cn-north-1"])(
  "cfn-lint accepts monitoring.yaml, and what SAM makes of template.yaml, in %s",
  async (region) => {
    expect(await tool("cfn-lint", "--regions", region, "--", ...TEMPLATES)).toBe("");
  },
);

it("monitoring.yaml is small enough for a deployment without a bucket", async () => {
  expect((await readFile(join(project, "monitoring.yaml"))).length).toBeLessThan(51_200);
});

it("UseFipsEndpoint is accepted just in the Regions where each called service has a FIPS endpoint", async () => {
  const script = [
    "import json, os, botocore",
    "print(open(os.path.join(os.path.dirname(botocore.__file__), 'data/endpoints.json')).read())",
  ].join("\n");
  const { stdout } = await run(join(binaries, "python"), ["-c", script], { maxBuffer: 64 * 1024 * 1024 });
  const { partitions } = JSON.parse(stdout) as { partitions: readonly Partition[] };
  const regionsOf = (service: string) =>
    partitions
      .filter(({ partition }) => ["aws", "aws-us-gov"].includes(partition))
      .flatMap(({ services }) => Object.entries(services[service]?.endpoints ?? {}))
      .filter(([, { deprecated, variants = [] }]) => {
        return deprecated !== true && variants.some(({ tags }) => tags.includes("fips"));
      })
      .map(([region]) => region);
  const [first = [], ...others] = ["secretsmanager", "sts", "eks", "s3", "sqs", "lambda"].map(regionsOf);
  const everywhere = first.filter((region) => others.every((regions) => regions.includes(region)));
  const [{ Assert } = { Assert: {} }] = template.Rules?.FipsEndpointsExist?.Assertions ?? [];
  const [accepted] = (Assert as { "Fn::Contains": [string[], unknown] })["Fn::Contains"];
  expect(everywhere.length).toBeGreaterThan(3);
  expect(accepted.toSorted()).toEqual(everywhere.toSorted());
});

type Partition = {
  readonly partition: string;
  readonly services: Record<string, { readonly endpoints?: Record<string, Endpoint> }>;
};
type Endpoint = {
  readonly deprecated?: boolean;
  readonly variants?: readonly { readonly tags: readonly string[] }[];
};

it.each(["us-east-1", "cn-north-1"])("cfn-lint accepts the webhook's URL in %s", async (region) => {
  expect(await tool("cfn-lint", "--regions", region, "--", "webhook-url.yaml")).toBe("");
});

describe("sam build", () => {
  beforeAll(async () => {
    await tool("sam", "build");
  });

  describe.each([
    { id: "RotationFunction", name: "rotation", surroundings: {} },
    {
      id: "ReconcileFunction",
      name: "reconcile",
      surroundings: { WORK_QUEUE_URL: "https://sqs.invalid/shards" },
    },
    {
      id: "WebhookFunction",
      name: "webhook",
      surroundings: { WEBHOOK_KEY_SECRET_ARN: "a secret", ROTATION_FUNCTION_ARN: "a function" },
    },
  ])("of the $name function", ({ id, name, surroundings }) => {
    const built = () => join(project, ".aws-sam/build", id);

    it("packages what npm run build wrote, all of it and nothing else", async () => {
      const files = async (folder: string) => (await readdir(folder, { recursive: true })).sort();

      expect(await files(built())).toEqual(await files(join(project, "dist", name)));
      expect(await files(built())).toEqual(
        expect.arrayContaining(["handler.mjs", "THIRD_PARTY_NOTICES.txt"]),
      );
    });

    it("packages a module that exports the handler that the template names", async () => {
      const template = await readFile(join(project, ".aws-sam/build/template.yaml"), "utf8");
      const module = pathToFileURL(join(built(), "handler.mjs")).href;

      // In a process of its own, as Lambda does: nothing of this repository is within reach of an import.
      const script = `console.log(typeof (await import(${JSON.stringify(module)})).handler)`;
      const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], {
        cwd: built(),
        env: {
          ...environment,
          BINDINGS_BUCKET: "bindings",
          ...surroundings,
          POWERTOOLS_SERVICE_NAME: name,
          POWERTOOLS_METRICS_NAMESPACE: "SecretRelay",
        },
      });

      expect(template).toMatch(new RegExp(`CodeUri: ${id}\\n`));
      expect(template).toMatch(/Handler: handler\.handler\n/);
      expect(stdout.trim()).toBe("function");
    });
  });
});
