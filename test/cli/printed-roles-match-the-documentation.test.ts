import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { PolicyRule } from "../../shared/permissions/policy-rules.ts";
import { runCli } from "../harness/run-cli.ts";

// The rules on the pages, against the output of `secret-relay rbac` with the same options. Whether they suffice is
// tested on a cluster by test/contract/rbac-contract.ts and trigger-rbac-contract.ts.

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "secret-relay-roles-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Manifest = { kind?: string; rules?: PolicyRule[] };

async function printed(file: object, ...words: readonly string[]): Promise<string[]> {
  const cluster = { name: "prod-eks", region: "eu-west-1" };
  const clusters = { main: { ...cluster, ...(file as { cluster?: object }).cluster } };
  const { bindings = [] } = file as { bindings?: readonly object[] };
  const text = JSON.stringify({ version: 1, clusters, defaults: { cluster: "main" }, bindings });
  writeFileSync(join(folder, "bindings.yaml"), text);
  const { exitCode, stdout, stderr } = await runCli(["rbac", ...words], { cwd: folder });
  // No cluster is at hand here, and --find-orphans says that it could not look for waiting deletions.
  const expected = words.includes("--find-orphans")
    ? expect.stringMatching(/^Orphans that wait for deletion are unknown \(USAGE\), [^\n]+\n$/)
    : "";
  expect([exitCode, stderr]).toEqual([0, expected]);
  return singly(parseAllDocuments(stdout).map((document) => document.toJS() as Manifest));
}

/** The rules in the YAML of a page. */
function shown(page: string): string[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8");
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(([, yaml]) =>
    parseAllDocuments(yaml ?? ""),
  );
  return singly(blocks.map((document) => document.toJS() as Manifest));
}

/** All combinations of the lists in a rule, as Kubernetes evaluates them. */
function singly(manifests: readonly Manifest[]): string[] {
  const rights = manifests.flatMap(({ rules = [] }) =>
    rules.flatMap(({ apiGroups, resources, resourceNames = ["*"], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) => resourceNames.map((name) => `${verb} ${resource}.${group} ${name}`)),
        ),
      ),
    ),
  );
  return [...new Set(rights)].sort();
}

const target = (name: string, more: object = {}) => [{ namespace: "payments", name, ...more }];

it("security.md: those for Secrets, with deletion and with orphans", async () => {
  const bindings = [
    { source: "prod/database", targets: target("database") },
    { source: "prod/queue", deletionPolicy: "delete", targets: target("queue-credentials") },
  ];
  expect(await printed({ bindings }, "--find-orphans")).toEqual(shown("security.md"));
});

const namedWorkloads = [
  { kind: "Deployment", name: "api" },
  { kind: "StatefulSet", name: "worker" },
];

it.each([
  { what: "named workloads", settings: { restart: namedWorkloads }, wanted: ["get", "patch"], on: 2 },
  { what: "auto", settings: { restart: { workloads: "auto" } }, wanted: ["get", "list", "patch"], on: 4 },
  { what: "nudge", settings: { nudge: true }, wanted: ["list", "patch"], on: 1 },
  { what: "events", settings: { events: true }, wanted: ["create"], on: 1 },
])("bindings.md: those for $what, in words", async ({ settings, wanted, on }) => {
  const bindings = [{ source: "prod/database", targets: target("database", settings) }];
  const rights = (await printed({ bindings })).filter((right) => !/ secrets\. /.test(right));
  expect(new Set(rights.map((right) => right.split(" ")[0]))).toEqual(new Set(wanted));
  const page = readFileSync(new URL("../../docs/bindings.md", import.meta.url), "utf8");
  const resources = [...new Set(rights.map((right) => right.split(/[ .]/)[1]))];
  expect(resources).toHaveLength(on);
  for (const resource of resources) {
    const sentence = page.split("\n").find((line) => line.includes(`\`${resource}\``)) ?? "";
    for (const verb of wanted) expect(sentence, resource).toContain(`\`${verb}\``);
  }
});

it("external-secrets.md: those for trigger mode", async () => {
  const cluster = { externalSecrets: { namespaces: ["shop"] } };
  expect(await printed({ cluster })).toEqual(shown("external-secrets.md"));
});
