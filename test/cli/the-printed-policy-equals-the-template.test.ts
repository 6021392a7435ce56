import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCertificateAuthority } from "../../sandbox/tls/certificate-authority.ts";
import { runCli } from "../harness/run-cli.ts";
import { deploy } from "../template/deploy.ts";
import { policiesOf } from "../template/statements.ts";
import { template } from "../template/template.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "secret-relay-iam-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOME = ["--account", "111122223333", "--region", "eu-west-1"];
const KEY = "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012";
const FOREIGN = "arn:aws:secretsmanager:eu-west-1:444455556666:secret:shared/db-AbCdEf";
const CLUSTERS = {
  own: { name: "prod-eks", region: "eu-west-1" },
  other: { name: "us-eks", region: "us-east-1" },
  pinned: {
    name: "p",
    region: "eu-west-1",
    endpoint: "https://10.0.0.1",
    certificateAuthorityData: createCertificateAuthority().certificateAuthorityData,
  },
  role: { name: "r", region: "eu-west-1", roleArn: "arn:aws:iam::444455556666:role/relay" },
};

const PAGE = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");

const iam = async (
  sources: readonly string[],
  words: readonly string[] = [],
  clusters: object = CLUSTERS,
) => {
  const bindings = sources.map((source, at) => ({
    source,
    targets: [{ cluster: "own", namespace: "shop", name: `s${at}` }],
  }));
  const file = { version: 1, clusters, bindings };
  writeFileSync(join(folder, "bindings.yaml"), JSON.stringify(file));
  return runCli(["iam", ...HOME, ...words], { cwd: folder });
};
const iamJson = async (sources: readonly string[], words: readonly string[] = []) => {
  const run = await iam(sources, [...words, "--json"]);
  expect(run.exitCode).toBe(0);
  return JSON.parse(run.stdout) as {
    parameters: Record<string, string>;
    policy: { Statement: { Sid: string; Resource: string | string[] }[] };
  };
};

const statementsOf = (parameters: Record<string, string>, role: "RotationRole" | "ReconcileRole") => {
  return policiesOf(deploy(parameters), role);
};
/** The statements of every stack, for any bindings. */
const OWN_AFFAIRS = [
  ...["WriteOwnLogs", "KeepFailedEvents", "SendWork", "TakeWork"],
  ...["ReadBindings", "ListBindings", "ReadEarlierGenerations"],
];

describe("secret-relay iam", () => {
  it.each([
    { it: "by ARN", sources: ["prod/db", FOREIGN], words: [] },
    { it: "by prefix", sources: ["prod/db", "prod/cache"], words: ["--prefix", "prod/"] },
    {
      it: "by both, with a key",
      sources: ["prod/db", "license"],
      words: ["--prefix", "prod/", "--kms-key", KEY],
    },
  ])(
    "prints the same statements as the template with the same parameters, $it",
    async ({ sources, words }) => {
      for (const [role, of] of [
        ["RotationRole", "rotation"],
        ["ReconcileRole", "reconcile"],
      ] as const) {
        const { parameters, policy } = await iamJson(sources, [...words, "--for", of]);
        const made = statementsOf(parameters, role).filter(({ Sid }) => !OWN_AFFAIRS.includes(Sid));
        expect(bySid(policy.Statement)).toEqual(bySid(made));
      }
    },
  );

  it("prints the same statements for any options, with defaults for the other parameters of the template", async () => {
    const options = [["--prefix", "prod/"], ["--kms-key", KEY], ["--external-secrets-by-tag"]] as const;
    for (let bits = 0; bits < 2 ** options.length; bits += 1) {
      const words = options.flatMap((option, at) => (bits & (1 << at) ? [...option] : []));
      for (const [role, of] of [
        ["RotationRole", "rotation"],
        ["ReconcileRole", "reconcile"],
      ] as const) {
        const { parameters, policy } = await iamJson(
          ["prod/db", "license", FOREIGN],
          [...words, "--for", of],
        );
        const made = statementsOf(parameters, role).filter(({ Sid }) => !OWN_AFFAIRS.includes(Sid));
        expect(bySid(policy.Statement), words.join(" ")).toEqual(bySid(made));
        for (const { Sid } of made) expect(PAGE).toContain(`\n|\`${Sid}\``);
      }
    }
  });

  it("asks about tags if a cluster is in trigger mode, unless an option answers it", async () => {
    const triggering = { ...CLUSTERS, own: { ...CLUSTERS.own, externalSecrets: { namespaces: "all" } } };
    expect((await iam(["prod/db"], [], triggering)).stderr).toContain("--external-secrets-by-tag");
    expect((await iam(["prod/db"], ["--external-secrets-by-tag"], triggering)).stderr).not.toContain("tag");
    expect((await iam(["prod/db"])).stderr).not.toContain("tag");
  });

  it("gives parameters that the template accepts, for any names", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9/_+=.@!-]{1,30}$/), { minLength: 1, maxLength: 5 }),
        async (names) => {
          const { parameters } = await iamJson(names, ["--kms-key", KEY]);
          for (const [name, value] of Object.entries(parameters)) {
            const pattern = template.Parameters[name]?.AllowedPattern;
            expect(value).toMatch(new RegExp(pattern ?? "no pattern"));
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it("matches the suffix of a name with question marks, and keeps an explicit suffix", async () => {
    const full = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";
    const partial = "arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/db";
    const { parameters } = await iamJson(["prod/db", full, partial]);
    expect(parameters.SecretArns?.split(",")).toEqual([
      "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-??????",
      full,
      `${partial}-??????`,
    ]);
  });

  it("looks up only clusters that are neither pinned nor reached through a role", async () => {
    const { parameters } = await iamJson(["prod/db"]);
    expect(parameters.ClusterArns?.split(",")).toEqual([
      "arn:aws:eks:eu-west-1:111122223333:cluster/prod-eks",
      "arn:aws:eks:us-east-1:111122223333:cluster/us-eks",
    ]);
    expect(parameters.ClusterRoleArns).toBe(CLUSTERS.role.roleArn);
  });

  it("shows the steps for other accounts", async () => {
    const { stderr } = await iam([FOREIGN]);
    expect(stderr).toContain("Account 444455556666 must let the functions in");
    expect(stderr).toContain(`Role ${CLUSTERS.role.roleArn} must trust`);
  });

  it("names as many sources as the parameter takes", async () => {
    const names = Array.from({ length: 52 }, (_, at) => `team-${at}/secret`);
    const { parameters } = await iamJson(names);
    expect(Buffer.byteLength(parameters.SecretArns ?? "")).toBeLessThanOrEqual(4_096);
    const read = statementsOf(parameters, "ReconcileRole").find(({ Sid }) => Sid === "ReadSecretsByArn");
    expect(read?.Resource).toEqual(
      names.map((name) => `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${name}-??????`),
    );
  });

  it("suggests the narrowest prefix that leaves few enough names, and says what else it allows", async () => {
    const many = Array.from({ length: 500 }, (_, at) => `prod/team/secret-${at}`);
    const { exitCode, stderr } = await iam([...many, "prod/x"], ["--parameters"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("Add --prefix prod/team/, which covers 500 of them.");
    expect(stderr).toContain("list-secrets --filters Key=name,Values=prod/team/");
    const { stdout } = await iam([...many, "prod/x"], ["--parameters", "--prefix", "prod/team/"]);
    expect(stdout).toContain('  "SecretNamePrefix=prod/team/",');
    expect(stdout).toContain('secret:prod/x-??????",');
  });

  it("suggests policies of the account's own if no prefix helps, and several stacks for too many clusters", async () => {
    const many = Array.from({ length: 500 }, (_, at) => `team-${at}/secret`);
    expect((await iam(many, ["--parameters"])).stderr).toContain("SourcePolicyArns");
    const clusters = Array.from({ length: 100 }, (_, at) => [
      at === 0 ? "own" : `c${at}`,
      { name: `cluster-${at}`, region: "eu-west-1" },
    ]);
    const { exitCode, stderr } = await iam(["prod/db"], ["--parameters"], Object.fromEntries(clusters));
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("more clusters, roles and keys")]);
  });
});

const bySid = (statements: readonly { readonly Sid: string }[]) =>
  Object.fromEntries(statements.map((statement) => [statement.Sid, normal(statement)]));

/** A single action or resource can be a string or a list. */
const normal = (statement: object) =>
  Object.fromEntries(
    Object.entries(statement).map(([key, value]) => [
      key,
      Array.isArray(value) && value.length === 1 ? value[0] : value,
    ]),
  );
