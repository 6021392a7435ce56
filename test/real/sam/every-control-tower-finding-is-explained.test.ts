import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { arch, platform, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deploy } from "../../template/deploy.ts";
import { EVERYTHING } from "../../template/statements.ts";
import { monitoring, type Resource, template } from "../../template/template.ts";
import { copyRepository, type RepositoryCopy } from "./copy-of-the-repository.ts";

// cfn-guard with AWS Control Tower's rules for CloudFormation, on the template transformed by SAM, with every protective
// parameter set. The Metadata of a resource has the reason for each finding that is intended.

type Finding = { readonly rule: string; readonly resource: string };
let folder: string;
let copy: RepositoryCopy;
let passed: readonly string[];
let findings: readonly Finding[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "secret-relay-guard-"));
  const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const guard = execFileSync(here("install-guard.sh"), { encoding: "utf8" }).trim();
  copy = copyRepository();
  await copy.release();
  const released = readFileSync(join(copy.folder, "dist/release/secret-relay.template.json"), "utf8");
  const stack = deploy(PROTECTED, JSON.parse(released));
  const file = join(folder, "template.json");
  const further = deploy({ AlarmTopicArn: PROTECTED.AlarmTopicArn, Webhook: "ENABLED" }, monitoring);
  const text = JSON.stringify({ Resources: { ...stack.resources, ...further.resources } });
  // The rules on S3 read ARNs of buckets.
  writeFileSync(file, text.replaceAll("<BindingsBucket>.Arn", "arn:aws:s3:::bindings-bucket"));
  const system = platform() === "darwin" ? "macos" : "ubuntu";
  const binary = join(guard, "bin", system, arch() === "arm64" ? "aarch64" : "x86_64", "cfn-guard");
  const rules = join(guard, "rules/control-tower/cfn-guard");
  const args = ["validate", "--data", file, "--rules", rules, "--structured", "--output-format", "json"];
  const [report] = JSON.parse(answerOf(binary, [...args, "--show-summary", "none"])) as [Report];
  passed = report.compliant;
  findings = report.not_compliant.flatMap(findingsOf);
}, 600_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  copy?.remove();
});

type Report = { readonly compliant: readonly string[]; readonly not_compliant: readonly object[] };

const PROTECTED = {
  ...EVERYTHING,
  CodeBucket: "code",
  LogKmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:key/k3",
  AlarmTopicArn: "arn:aws:sns:eu-west-1:111122223333:alarms",
  LogRetentionDays: 365,
};

/** It ends with 19 when a rule is broken, and says which all the same. */
function answerOf(binary: string, args: readonly string[]): string {
  try {
    return execFileSync(binary, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const { status, stdout } = error as { status?: number; stdout?: string };
    if (status !== 19) throw error;
    return stdout ?? "";
  }
}

/** Of a broken rule's tree: its number in Control Tower, and each resource on which a clause of it failed. */
function findingsOf(broken: object): Finding[] {
  const text = JSON.stringify(broken);
  const rule = /\[(CT\.[A-Z0-9]+\.PR\.\d+)\]/.exec(text)?.[1] ?? "unnamed";
  const resources = new Set([...text.matchAll(/"\/Resources\/(\w+)/g)].map(([, id]) => String(id)));
  return [...resources].map((resource) => ({ rule, resource }));
}

const said = ({ rule, resource }: Finding) => `${resource}: ${rule}`;

it("looks at the functions, queues, roles, buckets, logs and alarms", () => {
  expect(passed.length).toBeGreaterThan(5);
  expect(passed).toEqual(
    expect.arrayContaining([
      "lambda_function_public_access_prohibited_check",
      "sqs_queue_encrypted_check",
      "s3_bucket_policy_ssl_requests_only_check",
    ]),
  );
});

describe("the findings", () => {
  const excuses = Object.entries({ ...template.Resources, ...monitoring.Resources }).flatMap(
    ([resource, { Metadata }]: [string, Resource]) => {
      const { controlTower } = (Metadata ?? {}) as {
        controlTower?: { skip: { id: string; comment: string }[] };
      };
      return (controlTower?.skip ?? []).map(({ id: rule, comment }) => ({ rule, resource, comment }));
    },
  );

  it("each have an explanation at the resource, and no explanation is unused", () => {
    expect(findings.map(said).sort()).toEqual(excuses.map(said).sort());
  });

  it("each have a reason in words", () => {
    expect(excuses.length).toBeGreaterThan(3);
    for (const { comment, resource } of excuses) expect(comment, resource).toMatch(/^[A-Z].{60,}\.$/s);
  });
});
