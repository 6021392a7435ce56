import { join } from "node:path";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { DeleteObjectCommand, ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOPS, type HopName } from "../../cli/verify/hops.ts";
import type { Verification } from "../../cli/verify/run-verify.ts";
import { buildFunctions } from "../../scripts/build-functions.ts";
import { POINTER_KEY } from "../../shared/bindings/published/pointer.ts";
import { newCanary } from "../harness/canary.ts";
import { type Deployment, openDeployment, until } from "./open-deployment.ts";

// The steps of docs/deploy.md, from `init` to a rotation, on LocalStack and the sandbox's cluster. The
// tests are steps: each one works on what those before it have left. Takes about 5 minutes on two cores.

let desk: Deployment;
let secretsManager: SecretsManagerClient;
let events: EventBridgeClient;
let s3: S3Client;
let arn: string;
const CANARY = "prod/secret-relay/canary";

beforeAll(async () => {
  desk = await openDeployment();
  const {
    AWS_ENDPOINT_URL: endpoint = "",
    AWS_ACCESS_KEY_ID = "",
    AWS_SECRET_ACCESS_KEY = "",
  } = desk.aws.env;
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  const client = { region: desk.aws.region, endpoint, credentials };
  secretsManager = new SecretsManagerClient(client);
  events = new EventBridgeClient(client);
  s3 = new S3Client({ ...client, forcePathStyle: true });
  const created = await secretsManager.send(
    new CreateSecretCommand({ Name: "prod/db", SecretString: valueWith("first") }),
  );
  arn = created.ARN ?? "";
  await secretsManager.send(new CreateSecretCommand({ Name: CANARY, SecretString: '{"verify":"new"}' }));
});

afterAll(async () => {
  secretsManager?.destroy();
  s3?.destroy();
  events?.destroy();
  await desk?.close();
});

const passwords = new Map<string, string>();
const passwordOf = (name: string): string => {
  const known = passwords.get(name) ?? newCanary();
  passwords.set(name, known);
  return known;
};
const valueWith = (name: string): string => JSON.stringify({ username: "app", password: passwordOf(name) });
const holds = (name: string) => (data: Readonly<Record<string, string>> | undefined) =>
  data?.password === passwordOf(name);

async function rotate(name: string): Promise<void> {
  const { VersionId: versionId = "" } = await secretsManager.send(
    new PutSecretValueCommand({ SecretId: arn, SecretString: valueWith(name) }),
  );
  await sendEvent({ arn, name: "prod/db", versionId });
}

type Moved = { readonly arn: string; readonly name: string; readonly versionId: string };

/** LocalStack's Secrets Manager sends no events, so the test sends what AWS would. */
async function sendEvent({ arn, name, versionId }: Moved): Promise<void> {
  const Detail = JSON.stringify({ name, labelUpdated: "AWSCURRENT", versionId });
  const event = {
    Source: "aws.secretsmanager",
    DetailType: "Secret Label Updated",
    Resources: [arn],
    Detail,
  };
  await events.send(new PutEventsCommand({ Entries: [event] }));
}

/** The command, and the event of its rotation unless that one is lost. */
async function verify({ words = [], isEventLost = false }: { words?: string[]; isEventLost?: boolean } = {}) {
  const before = await currentOfCanary();
  const running = desk.relay("verify", "--timeout", "10", ...words);
  if (!isEventLost) {
    const moved = await until(currentOfCanary, ({ versionId }) => versionId !== before.versionId);
    await sendEvent(moved);
  }
  return running;
}

async function verifyJson(options: { isEventLost?: boolean } = {}) {
  const { exitCode, stdout } = await verify({ ...options, words: ["--json"] });
  return { exitCode, result: JSON.parse(stdout) as Verification };
}

async function currentOfCanary(): Promise<Moved> {
  const { ARN = "", VersionIdsToStages = {} } = await secretsManager.send(
    new DescribeSecretCommand({ SecretId: CANARY }),
  );
  const current = Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes("AWSCURRENT"));
  return { arn: ARN, name: CANARY, versionId: current?.[0] ?? "" };
}

async function nameOfRule(): Promise<string> {
  const query = "Stacks[0].Outputs[?OutputKey=='LabelUpdatedRuleName'].OutputValue";
  const words = ["cloudformation", "describe-stacks", "--stack-name", "secret-relay", "--query", query];
  return (await desk.run("aws", [...words, "--output", "text"])).trim();
}

async function bucketOfStack(): Promise<string> {
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  return Buckets.find(({ Name = "" }) => Name.startsWith("secret-relay-bindings"))?.Name ?? "";
}

function bindingsFor(...names: readonly string[]): string {
  const { region, clusterName: name, endpoint, certificateAuthorityData } = desk.cluster;
  return JSON.stringify({
    version: 1,
    clusters: { "prod-eks": { region, name, endpoint, certificateAuthorityData } },
    defaults: { cluster: "prod-eks" },
    bindings: [
      { source: "prod/db", targets: names.map((name) => ({ namespace: "default", name })) },
      { source: CANARY, targets: [{ namespace: "default", name: "secret-relay-canary" }] },
    ],
  });
}

it("init writes samconfig.toml for the operator's bindings", async () => {
  desk.write("bindings.yaml", bindingsFor("db"));
  const { exitCode, stdout } = await desk.relay("init");
  expect(stdout).toBe("Wrote samconfig.toml for your bindings.yaml.\n");
  expect(exitCode).toBe(0);
});

it("sam build and sam deploy take it as it is, and ask nothing", async () => {
  await buildFunctions(join(desk.folder, "dist"));
  await desk.run("sam", ["build"]);
  const deployed = await desk.run("sam", ["deploy"]);
  expect(deployed).toContain("Successfully created/updated stack - secret-relay in eu-west-1");
});

it("monitoring.yaml deploys beside it, and its alarms are about this relay", async () => {
  const words = ["--template-file", "monitoring.yaml", "--stack-name", "secret-relay-monitoring"];
  await desk.run("aws", [
    ...["cloudformation", "deploy", ...words],
    ...["--parameter-overrides", "RelayName=secret-relay", "Dashboard=DISABLED"],
  ]);
  const described = await desk.run("aws", ["cloudwatch", "describe-alarms", "--output", "json"]);
  const { MetricAlarms } = JSON.parse(described) as { MetricAlarms: { AlarmName: string }[] };
  expect(MetricAlarms).toContainEqual(
    expect.objectContaining({
      AlarmName: "secret-relay-RotationErrorsAlarm",
      Dimensions: [{ Name: "FunctionName", Value: "secret-relay-rotation" }],
    }),
  );
});

it("kubectl applies what rbac prints, and nothing is missing then", async () => {
  const { stdout: roles } = await desk.relay("rbac");
  await desk.run("kubectl", ["apply", "-f", "-"], roles);
  const { exitCode, stdout } = await desk.relay("rbac", "--check");
  expect(stdout).toBe("Cluster prod-eks: the relay has all 6 permissions.\n");
  expect(exitCode).toBe(0);
});

it("publish puts the bindings in force, and S3's event creates the Secret", async () => {
  const { exitCode, stdout } = await desk.relay("publish", "--yes");
  expect(stdout).toContain("Generation 1 is in force: 2 Secrets.");
  expect(exitCode).toBe(0);
  const data = await until(() => desk.readSecret("default", "db"), holds("first"));
  expect(data).toEqual({ username: "app", password: passwordOf("first") });
});

it("a rotation reaches the Secret", async () => {
  await rotate("second");
  const data = await until(() => desk.readSecret("default", "db"), holds("second"));
  expect(data).toEqual({ username: "app", password: passwordOf("second") });
});

it("a further binding needs its rights and a publication, and no deployment", async () => {
  desk.write("bindings.yaml", bindingsFor("db", "db-copy"));
  const { stdout: roles } = await desk.relay("rbac");
  await desk.run("kubectl", ["apply", "-f", "-"], roles);
  const { exitCode } = await desk.relay("publish", "--yes");
  expect(exitCode).toBe(0);
  const data = await until(() => desk.readSecret("default", "db-copy"), holds("second"));
  expect(data?.password).toBe(passwordOf("second"));
});

it("a sweep of the deployed function repairs what someone changed", async () => {
  const foreign = JSON.stringify({ data: { password: "Zm9yZWlnbg==" } });
  await desk.run("kubectl", ["patch", "secret", "db", "-n", "default", "--type", "merge", "-p", foreign]);
  const { stdout } = await desk.relay("sweep", "--via-lambda", "--json");
  const { targets } = JSON.parse(stdout) as { targets: readonly object[] };
  expect(targets).toMatchObject([
    { name: "db", finding: "TAMPERED", outcome: "written" },
    { name: "db-copy", finding: null },
    { name: "secret-relay-canary", finding: null },
  ]);
  const data = await until(() => desk.readSecret("default", "db"), holds("second"));
  expect(data?.password).toBe(passwordOf("second"));
});

it("verify proves the installation by a rotation and a repair, with the time of each hop", async () => {
  const { exitCode, stdout } = await verify();
  expect(stdout).toMatch(/^HOP +STATE +TOOK +AFTER +WHAT$/m);
  const words = stdout.split("\n").map((line) => line.split(/ +/).slice(0, 2).join(" "));
  expect(words.slice(1, 9)).toEqual(Object.keys(HOPS).map((hop) => `${hop} done`));
  expect(stdout).toContain(`The installation works: the rotation of ${CANARY} was in prod-eks/default/`);
  expect(exitCode).toBe(0);
});

describe("verify names the hop that failed, and passes when it is mended, after", () => {
  const setConcurrency = (name: string, value: string) => [
    ...["lambda", "put-function-concurrency", "--function-name", name],
    ...["--reserved-concurrent-executions", value],
  ];
  const freeConcurrency = (name: string) => [
    "lambda",
    "delete-function-concurrency",
    "--function-name",
    name,
  ];

  it.each<{
    it: string;
    seed?: () => Promise<unknown>;
    mend?: () => Promise<unknown>;
    isEventLost?: boolean;
    want: { hop: HopName; code: string };
  }>([
    { it: "the loss of the event", isEventLost: true, want: { hop: "event", code: "EVENT_MISSING" } },
    {
      it: "someone disabled the rule",
      seed: async () => desk.run("aws", ["events", "disable-rule", "--name", await nameOfRule()]),
      mend: async () => desk.run("aws", ["events", "enable-rule", "--name", await nameOfRule()]),
      isEventLost: true, // LocalStack delivers events by disabled rules too
      want: { hop: "event", code: "RULE_DISABLED" },
    },
    {
      it: "someone left the rotation function no concurrency",
      seed: () => desk.run("aws", setConcurrency("secret-relay-rotation", "0")),
      mend: () => desk.run("aws", freeConcurrency("secret-relay-rotation")),
      isEventLost: true, // LocalStack would keep it for the failure queue
      want: { hop: "function", code: "FUNCTION_THROTTLED" },
    },
    {
      it: "someone deleted the rights in the cluster",
      seed: () => desk.run("kubectl", ["delete", "rolebinding", "secret-relay", "-n", "default"]),
      mend: async () => desk.run("kubectl", ["apply", "-f", "-"], (await desk.relay("rbac")).stdout),
      want: { hop: "secret", code: "CLUSTER_FORBIDDEN" },
    },
    {
      it: "someone left the reconcile function no concurrency",
      seed: () => desk.run("aws", setConcurrency("secret-relay-reconcile", "0")),
      mend: () => desk.run("aws", freeConcurrency("secret-relay-reconcile")),
      want: { hop: "sweep", code: "FUNCTION_THROTTLED" },
    },
  ])("$it", async ({ seed = async () => {}, mend = async () => {}, isEventLost = false, want }) => {
    await seed();
    const failed = await verifyJson({ isEventLost });
    await mend();
    expect(failed.result).toMatchObject({ ok: false, fault: want });
    expect(failed.exitCode).toBe(1);
    const mended = await verifyJson();
    expect(mended.result).toMatchObject({ ok: true });
  });
});

it("an event that fails waits in the failure queue, and a redrive handles it", async () => {
  await desk.cluster.kill();
  await rotate("third");
  const waiting = await until(
    () => desk.relay("redrive", "--json"),
    ({ stdout }) => stdout.includes("RotationFailureQueue") && stdout.includes("prod/db"),
  );
  expect(waiting.stdout).toContain("prod/db");
  await desk.cluster.startAgain();
  const { exitCode } = await desk.relay("redrive", "--replay");
  expect(exitCode).toBe(0);
  const data = await until(() => desk.readSecret("default", "db"), holds("third"));
  expect(data?.password).toBe(passwordOf("third"));
});

it("S3's event of a deleted pointer fails the reconcile function, and a rollback is the way back", async () => {
  const { stdout: published } = await desk.relay("bindings", "show", "--json");
  await s3.send(new DeleteObjectCommand({ Bucket: await bucketOfStack(), Key: POINTER_KEY }));
  const output = await until(
    async () => desk.aws.output(),
    (text) => text.includes("BINDINGS_DELETED"),
  );
  expect(output).toContain("BINDINGS_DELETED");
  expect((await desk.relay("bindings", "show")).stderr).toContain("BINDINGS_DELETED");

  expect((await desk.relay("bindings", "rollback", "--yes")).exitCode).toBe(0);
  const waiting = await until(
    () => desk.relay("redrive", "--json"),
    ({ stdout }) => stdout.includes("publication"),
  );
  expect(waiting.stdout).toContain("ReconcileFailureQueue");
  expect((await desk.relay("redrive", "--replay")).exitCode).toBe(0);

  const { stdout: restored } = await desk.relay("bindings", "show", "--json");
  expect(JSON.parse(restored)).toEqual({ ...JSON.parse(published), generation: 3 });
});

it("doctor finds nothing wrong except what the emulator lacks", async () => {
  const { stdout } = await desk.relay("doctor", "--json");
  const { checks } = JSON.parse(stdout) as { checks: readonly { check: string; code?: string }[] };
  expect(checks.flatMap(({ check, code }) => (code === undefined ? [] : [`${check} ${code}`]))).toEqual([
    "cluster AWS_CALL_FAILED", // LocalStack has no EKS
    "access-entry AWS_CALL_FAILED",
    "access-entry AWS_CALL_FAILED",
  ]);
});
