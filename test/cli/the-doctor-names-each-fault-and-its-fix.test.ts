import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CheckResult } from "../../cli/doctor/check-result.ts";
import { createCertificateAuthority } from "../../sandbox/tls/certificate-authority.ts";
import { adminKubeconfig, type Desk, openDesk } from "../harness/command-line.ts";
import { pinnedCluster } from "../harness/relay.ts";
import type { TestSource } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

// A relay in order, then one thing wrong at a time. On the sandbox, since moto knows neither access entries nor faults.

const used = useBackend(startSandboxBackend);
const at = useScene(used);

const ROLES = {
  RotationRoleArn: "arn:aws:iam::111122223333:role/relay-rotation",
  ReconcileRoleArn: "arn:aws:iam::111122223333:role/relay-reconcile",
};
const VALUE = '{"password":"canary-7f3a9c1e-first"}';

let desk: Desk;
let source: TestSource;
let sqs: SQSClient;
let outputs: Record<string, string>;

beforeEach(async () => {
  const { aws } = used.backend.sandbox;
  desk = openDesk(used.backend);
  sqs = new SQSClient({});
  source = await at.scene.createSource("prod/db", VALUE);
  bind({});
  await desk.run("rbac").then(({ stdout }) => apply(stdout));
  const queue = async (QueueName: string) => {
    const { QueueUrl = "" } = await sqs.send(
      new CreateQueueCommand({ QueueName: `${at.scene.namespace}-${QueueName}` }),
    );
    return QueueUrl;
  };
  outputs = {
    ...ROLES,
    RotationFunctionName: "relay-rotation",
    ReconcileFunctionName: "relay-reconcile",
    RotationFunctionArn: "arn:relay-rotation",
    ReconcileFunctionArn: "arn:relay-reconcile",
    LabelUpdatedRuleName: "relay-rule",
    BindingsPublishedRuleName: "published-rule",
    RotationFailureQueueUrl: await queue("failures"),
    RotationLogGroupName: "/aws/lambda/relay-rotation",
    ReconcileLogGroupName: "/aws/lambda/relay-reconcile",
  };
  aws.addFunction("relay-rotation", () => null);
  aws.addFunction("relay-reconcile", () => null);
  aws.setRule("relay-rule", "ENABLED", ["arn:relay-rotation"]);
  aws.setRule("published-rule", "ENABLED", ["arn:relay-reconcile"]);
  aws.cloudWatch.addLogLine("/aws/lambda/relay-rotation", Date.now(), '{"logCode":"SYNC_STARTED"}');
  aws.cloudWatch.addLogLine("/aws/lambda/relay-reconcile", Date.now(), '{"logCode":"SWEEP_COMPLETED"}');
  deploy({});
  letIn(ROLES);
  await desk.run("sync", "--all");
});
afterEach(async () => {
  desk.close();
  sqs.destroy();
  used.backend.sandbox.aws.faults.clear();
  used.backend.sandbox.kubernetes.faults.clear();
  await at.scene.deleteSource(source).catch(() => {});
});

function bind(binding: object, cluster: object = {}): void {
  const { clusterName: name, region } = used.backend.kubernetes;
  const clusters = { main: { name, region, ...cluster } };
  const targets = [{ namespace: at.scene.namespace, name: "db" }];
  desk.writeBindings([{ source: "prod/db", targets, ...binding }], clusters);
}

const deploy = (parameters: Record<string, string>, without: readonly string[] = []) => {
  const given = Object.entries(outputs).filter(([name]) => !without.includes(name));
  used.backend.sandbox.aws.addStack("secret-relay", Object.fromEntries(given), parameters);
};

const letIn = (roles: Record<string, string>, groups = ["secret-relay"]) => {
  const { clusterName: name, endpoint, certificateAuthorityData } = used.backend.kubernetes;
  const accessEntries = Object.fromEntries(Object.values(roles).map((role) => [role, groups]));
  used.backend.sandbox.aws.addCluster({ name, endpoint, certificateAuthorityData, accessEntries });
};

/** Applies the output of rbac, without the removed parts. */
async function apply(printed: string): Promise<void> {
  for (const document of printed.split("\n---\n")) {
    const [, kind = ""] = /^kind: (\w+)$/m.exec(document) ?? [];
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${at.scene.namespace}/${kind.toLowerCase()}s/secret-relay`;
    const { parse } = await import("yaml");
    const { status } = await at.scene.admin(`${path}?fieldManager=kubectl&force=true`, {
      method: "PATCH",
      contentType: "application/apply-patch+yaml",
      body: parse(document),
    });
    expect(status).toBeLessThan(300);
  }
}

const doctor = async (...words: string[]) => {
  const { exitCode, json } = await desk.runJson("doctor", ...words);
  const { ok, checks } = json as { ok: boolean; checks: CheckResult[] };
  return { exitCode, ok, wrong: checks.filter(({ status }) => status === "wrong"), checks };
};

it("runs every check and finds no fault in a healthy relay", async () => {
  const { exitCode, checks } = await doctor("--values");
  expect(checks.filter(({ status }) => status !== "ok")).toEqual([]);
  expect(exitCode).toBe(0);
  expect(new Set(checks.map(({ check }) => check)).size).toBe(13);
});

type Fault = {
  it: string;
  seed: () => unknown;
  words?: string[];
  want: { check: CheckResult["check"]; code: string; fix: RegExp };
};
const faults = () => used.backend.sandbox.aws.faults;
const api = () => used.backend.sandbox.kubernetes.faults;

const FAULTS: readonly Fault[] = [
  {
    it: "expired credentials",
    seed: () => faults().add({ kind: "expiredCredentials" }),
    want: { check: "credentials", code: "AWS_SESSION_EXPIRED", fix: /aws sso login/ },
  },
  {
    it: "unknown credentials",
    seed: () => vi.stubEnv("AWS_SECRET_ACCESS_KEY", "a-wrong-secret-access-key"),
    want: { check: "credentials", code: "AWS_CREDENTIALS_REFUSED", fix: /aws configure list/ },
  },
  {
    it: "a missing stack",
    seed: () => {},
    words: ["--stack-name", "another"],
    want: { check: "stack", code: "STACK_NOT_FOUND", fix: /sam deploy/ },
  },
  {
    it: "a function that was deleted",
    seed: () => {
      outputs.RotationFunctionName = "deleted-by-hand";
      deploy({});
    },
    want: { check: "function", code: "FUNCTION_NOT_FOUND", fix: /sam deploy/ },
  },
  {
    it: "a rule that is disabled",
    seed: () => used.backend.sandbox.aws.setRule("relay-rule", "DISABLED"),
    want: { check: "rule", code: "RULE_DISABLED", fix: /aws events enable-rule --name relay-rule/ },
  },
  {
    it: "a rule of publications that is disabled",
    seed: () => used.backend.sandbox.aws.setRule("published-rule", "DISABLED"),
    want: { check: "rule", code: "RULE_DISABLED", fix: /aws events enable-rule --name published-rule/ },
  },
  {
    it: "a rule of publications that was deleted",
    seed: () => {
      outputs.BindingsPublishedRuleName = "deleted-by-hand";
      deploy({});
    },
    want: { check: "rule", code: "RULE_NOT_FOUND", fix: /sam deploy/ },
  },
  {
    it: "a rule of publications that invokes another function",
    seed: () => used.backend.sandbox.aws.setRule("published-rule", "ENABLED", ["arn:relay-rotation"]),
    want: { check: "rule", code: "RULE_WITHOUT_TARGET", fix: /detect-stack-drift/ },
  },
  {
    it: "events in the failure queue",
    seed: () =>
      sqs.send(new SendMessageCommand({ QueueUrl: outputs.RotationFailureQueueUrl, MessageBody: "{}" })),
    want: { check: "queue", code: "QUEUE_NOT_EMPTY", fix: /secret-relay redrive/ },
  },
  {
    it: "sweeps that are disabled",
    seed: () => deploy({ MetadataSweep: "DISABLED" }),
    want: { check: "sweeps", code: "SWEEPS_DISABLED", fix: /MetadataSweep=ENABLED/ },
  },
  {
    it: "sweeps that do not complete",
    seed: () => {
      outputs.ReconcileLogGroupName = "/aws/lambda/silent";
      used.backend.sandbox.aws.cloudWatch.addLogLine(
        "/aws/lambda/silent",
        Date.now(),
        '{"logCode":"SWEEP_STARTED"}',
      );
      deploy({});
    },
    want: { check: "sweeps", code: "SWEEPS_SILENT", fix: /sam remote invoke ReconcileFunction/ },
  },
  {
    it: "a cluster that does not exist in EKS",
    seed: () => bind({}, { name: "sandbx" }),
    want: { check: "cluster", code: "CLUSTER_NOT_FOUND", fix: /aws eks list-clusters/ },
  },
  {
    it: "DescribeCluster that is not allowed",
    seed: () => faults().add({ kind: "accessDenied", match: { operation: "DescribeCluster" } }),
    want: { check: "cluster", code: "CLUSTER_LOOKUP_FORBIDDEN", fix: /ClusterArns/ },
  },
  {
    it: "an endpoint that cannot be reached",
    seed: () => {
      desk.write(
        "kubeconfig",
        adminKubeconfig({
          ...used.backend,
          kubernetes: { ...used.backend.kubernetes, endpoint: "https://127.0.0.1:9" },
        }),
      );
    },
    want: { check: "cluster", code: "CLUSTER_UNAVAILABLE", fix: /VpcSubnetIds/ },
  },
  {
    it: "a pinned certificate authority that is not the cluster's",
    seed: () => {
      const { certificateAuthorityData } = createCertificateAuthority();
      bind({}, { ...pinnedCluster(used.backend), certificateAuthorityData });
    },
    want: { check: "cluster", code: "CLUSTER_PIN_STALE", fix: /aws eks describe-cluster/ },
  },
  {
    it: "a server that is not the API server",
    seed: () => {
      const { certificateAuthorityData } = createCertificateAuthority();
      bind({}, { ...pinnedCluster(used.backend), certificateAuthorityData });
    },
    words: ["--eks-token"],
    want: { check: "cluster", code: "CLUSTER_UNTRUSTED", fix: /DescribeCluster/ },
  },
  {
    it: "a token that the cluster refuses",
    seed: () => api().add({ kind: "unauthorized" }),
    words: ["--eks-token"],
    want: { check: "cluster", code: "CLUSTER_TOKEN_REFUSED", fix: /access entry/ },
  },
  {
    it: "a role without an access entry",
    seed: () => letIn({ RotationRoleArn: ROLES.RotationRoleArn }),
    want: {
      check: "access-entry",
      code: "ACCESS_ENTRY_MISSING",
      fix: /aws eks create-access-entry .*role\/relay-reconcile --kubernetes-groups secret-relay/,
    },
  },
  {
    it: "an access entry of another group",
    seed: () => letIn(ROLES, ["system:masters"]),
    want: { check: "access-entry", code: "ACCESS_ENTRY_WITHOUT_GROUP", fix: /aws eks update-access-entry/ },
  },
  {
    it: "a missing namespace",
    seed: () => bind({ targets: [{ namespace: "nowhere", name: "db" }] }),
    want: { check: "namespace", code: "NAMESPACE_MISSING", fix: /kubectl create namespace nowhere/ },
  },
  ...(["get", "create", "patch"] as const).map(
    (verb): Fault => ({
      it: `RBAC without ${verb}`,
      seed: async () => {
        const { stdout } = await desk.run("rbac");
        const verbs = ["get", "create", "patch"].filter((other) => other !== verb);
        await apply(stdout.replace("verbs: [get, create, patch]", `verbs: [${verbs.join(", ")}]`));
      },
      want: { check: "rbac", code: "RBAC_MISSING", fix: /secret-relay rbac \| kubectl apply -f -/ },
    }),
  ),
  {
    it: "a Secret that does not exist yet",
    seed: () => at.scene.deleteSecret("db"),
    want: { check: "secrets", code: "MISSING", fix: /secret-relay sync scene-\w+\/db/ },
  },
  {
    it: "a source that does not exist",
    seed: () => bind({ source: "prod/bd" }),
    want: { check: "secrets", code: "SOURCE_MISSING", fix: /create-secret --name prod\/bd/ },
  },
  {
    it: "a source that is scheduled for deletion",
    seed: () => at.scene.deleteSource(source, { isRestorable: true }),
    want: {
      check: "secrets",
      code: "SOURCE_SCHEDULED_FOR_DELETION",
      fix: /restore-secret --secret-id prod\/db/,
    },
  },
  {
    it: "a Secret that External Secrets Operator owns",
    seed: async () => {
      await at.scene.createSecret("eso", { password: "x" }, ownedByExternalSecrets);
      bind({ targets: [{ namespace: at.scene.namespace, name: "eso" }] });
    },
    want: { check: "secrets", code: "OWNED_BY_CONTROLLER", fix: /ExternalSecret[\s\S]*ownerReferences/ },
  },
  {
    it: "a Secret that another field manager made",
    seed: async () => {
      await at.scene.createSecret("theirs", { password: "x" });
      bind({ targets: [{ namespace: at.scene.namespace, name: "theirs" }] });
    },
    want: { check: "secrets", code: "NOT_OURS", fix: /adopt: true/ },
  },
  {
    it: "a source without permission to read it",
    seed: () =>
      faults().add({
        kind: "accessDenied",
        match: { secret: "prod/db", operation: ["GetSecretValue", "BatchGetSecretValue"] },
      }),
    words: ["--values"],
    want: { check: "secrets", code: "SOURCE_FORBIDDEN", fix: /GetSecretValue|secretsmanager/ },
  },
  {
    it: "a KMS key without permission to use it",
    seed: () => faults().add({ kind: "decryptionFailure" }),
    words: ["--values"],
    want: { check: "secrets", code: "SOURCE_NOT_DECRYPTED", fix: /kms:Decrypt|KMS/ },
  },
  {
    it: "a key that is missing in the value",
    seed: () => bind({ keys: ["passwort"] }),
    words: ["--values"],
    want: { check: "secrets", code: "SOURCE_KEY_MISSING", fix: /key/ },
  },
];

const ownedByExternalSecrets = {
  metadata: {
    ownerReferences: [
      {
        apiVersion: "external-secrets.io/v1",
        kind: "ExternalSecret",
        name: "eso",
        uid: "0d6a2c1e-6f3b-4f0e-9b0a-7a1f4b8f2c11",
        controller: true,
      },
    ],
  },
};

describe("names the fix for", () => {
  it.each(FAULTS)("$it", async ({ seed, words = [], want }) => {
    await seed();
    const { exitCode, checks } = await doctor(...words);
    const wrong = checks.filter(({ status }) => status !== "ok");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", used.backend.aws.env.AWS_SECRET_ACCESS_KEY);

    const found = wrong.find(({ check, code }) => check === want.check && code === want.code);
    expect(found, JSON.stringify(wrong)).toBeDefined();
    expect(found?.fix).toMatch(want.fix);
    expect(exitCode).toBe(1);
  });

  it("a wrong clock", async () => {
    const behind = openDesk(used.backend, { now: () => Date.now() - 20 * 60_000 });
    const { json } = await behind.runJson("doctor", "--bindings", `${desk.folder}/bindings.yaml`);
    behind.close();
    expect((json as { checks: CheckResult[] }).checks).toContainEqual(
      expect.objectContaining({
        code: "CLOCK_SKEWED",
        says: expect.stringContaining("20 minutes behind"),
        fix: expect.stringContaining("set-ntp"),
      }),
    );
  });
});

describe("a check that cannot run", () => {
  it("is unknown, with the missing permission, and never in order", async () => {
    const operation = [
      "DescribeRule",
      "GetQueueAttributes",
      "FilterLogEvents",
      "GetFunctionConfiguration",
      "DescribeAccessEntry",
    ];
    faults().add({ kind: "accessDenied", match: { operation } });
    const { exitCode, checks } = await doctor();
    const unknown = checks.filter(({ status }) => status === "unknown");
    expect(new Set(unknown.map(({ check }) => check))).toEqual(
      new Set(["rule", "queue", "sweeps", "events", "function", "access-entry"]),
    );
    expect(unknown.every(({ fix = "" }) => /^(events|sqs|logs|lambda|eks):/.test(fix))).toBe(true);
    expect(exitCode).toBe(0);
  });

  it("without AWS credentials includes all of AWS, while a kubeconfig still shows the cluster", async () => {
    faults().add({ kind: "expiredCredentials" });
    const { checks } = await doctor();
    const states = Object.groupBy(checks, ({ status }) => status);
    expect(states.unknown?.map(({ check }) => check)).toEqual([
      "clock",
      "stack",
      "function",
      "rule",
      "queue",
      "sweeps",
      "events",
      "cluster",
      "access-entry",
      "secrets",
    ]);
    expect(states.ok?.map(({ check }) => check)).toEqual(["cluster", "namespace", "rbac"]);
  });

  it("is counted in the last line of the output, below the fixes", async () => {
    used.backend.sandbox.aws.setRule("relay-rule", "DISABLED");
    const { stdout } = await desk.run("doctor");
    expect(stdout).toContain(
      "✗ rule relay-rule: it is disabled, so no event reaches the relay [RULE_DISABLED]",
    );
    expect(stdout).toContain("    aws events enable-rule --name relay-rule --region eu-west-1");
    expect(stdout).toMatch(/\d+ in order, 1 wrong, 0 unknown\n$/);
  });
});
