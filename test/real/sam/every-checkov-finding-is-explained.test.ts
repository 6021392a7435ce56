import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { deploy } from "../../template/deploy.ts";
import {
  actionsOf,
  EVERYTHING,
  resourcesOf,
  type Statement,
  statementsIn,
} from "../../template/statements.ts";
import { monitoring, type Resource, template, urlTemplate } from "../../template/template.ts";

// checkov on the original template, offline. Each finding is fixed, or listed in the resource's Metadata
// with the reason why it is meant. Its environment also has CycloneDX's schema, for the bill of materials, and what AWS
// says of each action. About 10 s.

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));

type Check = { check_id: string; resource: string; check_result: { suppress_comment?: string } };
type Report = {
  summary: { parsing_errors: number; resource_count: number };
  results: { passed_checks: Check[]; failed_checks: Check[]; skipped_checks: Check[] };
};
let environment: string;
let report: Report;

beforeAll(async () => {
  const { stdout } = await run(fileURLToPath(new URL("install.sh", import.meta.url)), ["checkov"]);
  environment = stdout.trim();
  report = await check("template.yaml", "webhook-url.yaml", "monitoring.yaml");
}, 600_000);

async function check(...files: string[]): Promise<Report> {
  const args = ["--framework", "cloudformation", "--skip-download", "--soft-fail", "--output", "json"];
  const { stdout } = await run(join(environment, "bin/checkov"), [...args, "--file", ...files], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout);
}

const named = ({ check_id, resource }: Check) => `${resource.split(".").at(-1)}: ${check_id}`;

it("reads all templates, and checks something", () => {
  expect(report.summary.parsing_errors).toBe(0);
  expect(report.summary.resource_count).toBeGreaterThan(60);
  expect(report.results.passed_checks.length).toBeGreaterThan(30);
});

it("finds nothing that is not explained", () => {
  expect(report.results.failed_checks.map(named)).toEqual([]);
});

describe("the skipped checks", () => {
  const resources: Record<string, Resource> = {
    ...template.Resources,
    ...urlTemplate.Resources,
    ...monitoring.Resources,
  };
  const excuses = Object.entries(resources).flatMap(([id, { Metadata }]) => {
    const { checkov } = (Metadata ?? {}) as { checkov?: { skip: { id: string; comment: string }[] } };
    return (checkov?.skip ?? []).map(({ id: check, comment }) => ({ id, check, comment }));
  });

  it("each have a reason in words", () => {
    expect(excuses.length).toBeGreaterThan(5);
    for (const { id, comment } of excuses) expect(comment, id).toMatch(/^[A-Z].{60,}\.$/s);
  });

  it("would all fail otherwise: no exception is unused", () => {
    expect(report.results.skipped_checks.map(named).sort()).toEqual(
      excuses.map(({ id, check }) => `${id}: ${check}`).sort(),
    );
  });
});

describe("the actions in the policies, according to AWS", () => {
  type Described = { name: string | null; resources: string[]; keys: string[] };
  const statements = statementsIn(deploy(EVERYTHING)).map(([, statement]) => statement);
  const allows = statements.filter(({ Effect }) => Effect === "Allow");
  let known: Record<string, Described>;
  beforeAll(() => {
    const script = fileURLToPath(new URL("describe-actions.py", import.meta.url));
    const actions = [...new Set(allows.flatMap(actionsOf))];
    const input = JSON.stringify(actions);
    known = JSON.parse(execFileSync(join(environment, "bin/python"), [script], { input, encoding: "utf8" }));
  });
  const of = (action: string) => known[action] ?? { name: null, resources: [], keys: [] };

  it("each exists, in that spelling", () => {
    expect(Object.keys(known).length).toBeGreaterThan(15);
    for (const [action, { name }] of Object.entries(known)) expect(name).toBe(action);
  });

  const wild = allows.filter((statement) => resourcesOf(statement).includes("*"));
  it.each(wild.map((statement) => [statement.Sid, statement] as const))(
    "%s is on every resource because AWS knows none for it, or none that could be named",
    (sid, statement) => {
      const narrower = actionsOf(statement).filter((action) =>
        of(action).resources.some((one) => one !== "*"),
      );
      // Interfaces that do not exist yet; and Lambda wants to see the last on any interface at all.
      expect(narrower).toEqual(sid === "AttachToVpc" ? NETWORK_INTERFACES : []);
    },
  );
  const NETWORK_INTERFACES = [
    ...["ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"],
    "ec2:UnassignPrivateIpAddresses",
  ];

  it("every other action supports its resource type", () => {
    const named = allows.filter((statement) => !resourcesOf(statement).includes("*"));
    const without = named.flatMap((statement: Statement) =>
      actionsOf(statement).filter((action) => of(action).resources.every((one) => one === "*")),
    );
    expect(without).toEqual([]);
  });
});

it("the bill of materials follows CycloneDX's schema, strictly", async () => {
  const bill = execFileSync("npm", ["run", "--silent", "sbom"], { cwd: root, encoding: "utf8" });
  const validate = [
    "import sys",
    "from cyclonedx.schema import SchemaVersion",
    "from cyclonedx.validation.json import JsonStrictValidator",
    "print(JsonStrictValidator(SchemaVersion.V1_5).validate_str(sys.stdin.read()))",
  ].join("\n");
  const judge = (text: string) =>
    execFileSync(join(environment, "bin/python"), ["-c", validate], { input: text, encoding: "utf8" }).trim();

  expect(judge(bill)).toBe("None");
  expect(judge(bill.replace('"type": "library"', '"type": "novel"'))).not.toBe("None");
});
