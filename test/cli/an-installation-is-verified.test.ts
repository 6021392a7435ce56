import { execFile } from "node:child_process";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Verification } from "../../cli/verify/run-verify.ts";
import type { Call } from "../../sandbox/aws/start-aws-sandbox.ts";
import { deployStack, type Stack } from "../../sandbox/story/deploy-stack.ts";
import type { SweepInput } from "../../sandbox/story/deploy-sweep.ts";
import { findTraces } from "../harness/canary.ts";
import { adminKubeconfig, type Desk, openDesk } from "../harness/command-line.ts";
import { pinnedCluster, withoutPauses } from "../harness/relay.ts";
import type { Scene, TestSource } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

// A deployed relay with a canary and one more source, then one fault at each hop. On the sandbox, since moto has
// neither faults nor events.

const used = useBackend(startSandboxBackend);
const at = useScene(used);
const SOURCE = "prod/secret-relay/canary";
const OTHER = "prod/db";
const NAME = "secret-relay-canary";

let desk: Desk;
let stack: Stack;
let canary: TestSource;
let other: TestSource;
let calls: Call[];
let forget: () => void;

beforeAll(async () => {
  vi.stubEnv("BINDINGS_FILE", ""); // useBackend restores it
  const { clock, sandbox } = used.backend;
  const pace = { wait: clock.advance, retryStrategy: withoutPauses() };
  stack = await deployStack(sandbox, clock.now, {}, pace);
});
afterAll(() => stack.close());

beforeEach(async () => {
  const { aws } = used.backend.sandbox;
  desk = openDesk(used.backend, { worksOn: "published", ...ownClock() });
  canary = await at.scene.createSource(SOURCE, '{"verify":"new"}');
  other = await at.scene.createSource(OTHER, '{"password":"canary-7f3a9c1e-first"}');
  await at.scene.grant([NAME, "db"]);
  await publish({});
  calls = [];
  forget = aws.before((call) => void calls.push(call));
});
afterEach(async () => {
  const { aws, kubernetes } = used.backend.sandbox;
  forget();
  aws.faults.clear();
  kubernetes.faults.clear();
  aws.events.delivery = () => [0];
  aws.setRule("secret-relay-label-updated", "ENABLED", [functionArn("secret-relay-rotation")]);
  deployReconcile(sweep);
  await aws.events.settled().catch(() => {});
  desk.close();
  for (const source of [canary, other]) await at.scene.deleteSource(source).catch(() => {});
});

/** The command waits by a clock of its own, since AWS refuses signatures of a test whose clock is minutes behind. */
function ownClock() {
  let aheadMs = 0;
  const wait = async (ms: number) => {
    aheadMs += ms;
    await nextTurn();
  };
  return { now: () => Date.now() + aheadMs, wait };
}

const functionArn = (name: string): string => `arn:aws:lambda:eu-west-1:111122223333:function:${name}`;
const bindingOf = (source: string, name: string, more: object = {}) => ({
  source,
  targets: [{ namespace: at.scene.namespace, name }],
  ...more,
});

/** The canary with these rules, and another source. The sweep of the publication creates both Secrets. */
async function publish(more: object, ...others: readonly object[]): Promise<void> {
  const bindings = [bindingOf(SOURCE, NAME, more), bindingOf(OTHER, "db"), ...others];
  desk.writeBindings(bindings, { main: pinnedCluster(used.backend) });
  const { exitCode, stderr } = await desk.run("publish", "-b", "bindings.yaml", "--yes");
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  await used.backend.sandbox.aws.events.settled();
}

async function verify(...words: readonly string[]) {
  const { exitCode, json, stderr } = await desk.runJson("verify", ...words);
  const { error, ...result } = json as Verification & { error?: { code: string; message: string } };
  return { exitCode, result, error, stderr };
}

const sweep = async (input: unknown) => (await stack.reconcile.sweep(input as SweepInput)).report;
const deployReconcile = (run: (input: unknown) => unknown) =>
  used.backend.sandbox.aws.addFunction("secret-relay-reconcile", run);

const secret = (): string => `${at.scene.namespace}/${NAME}`;
const stateOf = ({ hops }: Verification) => Object.fromEntries(hops.map(({ hop, status }) => [hop, status]));

describe("a healthy installation", () => {
  it("is proved by a rotation and a repair, with the time of each hop", async () => {
    const { exitCode, result } = await verify();

    expect(exitCode).toBe(0);
    expect(result).toMatchObject({
      ok: true,
      canary: { cluster: "main", namespace: at.scene.namespace, name: NAME, source: SOURCE },
      rotationMs: expect.any(Number),
      repairMs: expect.any(Number),
    });
    expect(new Set(Object.values(stateOf(result)))).toEqual(new Set(["done"]));
    const { VersionIdsToStages = {} } = await describeCanary();
    expect(VersionIdsToStages[result.versionId ?? ""]).toContain("AWSCURRENT");
  });

  it("is said to work, in words", async () => {
    const { exitCode, stdout } = await desk.run("verify", secret());
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^HOP +STATE +TOOK +AFTER +WHAT$/m);
    expect(stdout).toContain(
      `The installation works: the rotation of ${SOURCE} was in main/${secret()} after`,
    );
  });

  it("can be verified again and again", async () => {
    for (let times = 1; times <= 5; times += 1) expect((await verify()).result.ok).toBe(true);
  });

  it("is verified without its log, and then some times are unknown", async () => {
    const { faults } = used.backend.sandbox.aws;
    faults.add({ kind: "accessDenied", match: { operation: "FilterLogEvents" } });
    const { exitCode, result } = await verify();
    expect(exitCode).toBe(0);
    expect(stateOf(result)).toMatchObject({ event: "unknown", function: "unknown", secret: "done" });
    expect(result.note).toMatchObject({ code: "LOG_UNREADABLE" });
  });

  it("is not taken for broken while CloudWatch delivers its log late, and a note says so", async () => {
    silenceLog();
    const { exitCode, result } = await verify();
    expect(exitCode).toBe(0);
    expect(stateOf(result)).toMatchObject({ event: "unknown", function: "unknown", secret: "done" });
    expect(result.note).toMatchObject({ code: "LOG_SILENT" });

    const { stderr } = await desk.run("verify");
    expect(stderr).toContain("CloudWatch can deliver lines late.");
  });
});

it("is measured by npm run bench -- aws: each hop, its median and its 95th percentile", async () => {
  const env = { ...process.env, KUBECONFIG: join(desk.folder, "kubeconfig") };
  const words = ["bench/run.ts", "aws", "--samples", "3", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, words, { env });
  const spread = { p50Ms: expect.any(Number), p95Ms: expect.any(Number) };
  const hops = ["source", "event", "function", "secret", "observed", "edit", "sweep", "repair"];
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ backend: "aws", region: "eu-west-1", samples: 3, firstMs: expect.any(Number) },
    ...spread,
    repair: spread,
    hops: Object.fromEntries(hops.map((hop) => [hop, spread])),
  });
});

describe("a verification", () => {
  it("prints no value, and neither does a failed one", async () => {
    const printed: string[] = [];
    for (const fault of [undefined, "lost event"] as const) {
      if (fault !== undefined) used.backend.sandbox.aws.events.delivery = () => [];
      const text = await desk.run("verify");
      const json = await desk.run("verify", "--json");
      printed.push(...[text, json].flatMap(({ stdout, stderr }) => [stdout, stderr]));
    }
    const values = calls.flatMap(({ operation, input }) => {
      const { SecretString } = input as { SecretString?: string };
      return operation === "PutSecretValue" ? Object.values(JSON.parse(SecretString ?? "{}") as object) : [];
    });
    expect(values).toHaveLength(4);
    expect(findTraces(printed.join("\n"), values)).toEqual([]);
  });

  it("touches no other source, although that one has drifted, and publishes nothing", async () => {
    await at.scene.patchSecret("db", { data: { password: "Zm9yZWlnbg==" } });
    const before = await at.scene.readSecret("db");
    calls.length = 0;

    expect((await verify()).result.ok).toBe(true);

    const ofSecrets = calls.filter(({ service }) => service === "secretsmanager");
    expect(ofSecrets.length).toBeGreaterThan(0);
    expect(ofSecrets.filter(({ input }) => JSON.stringify(input).includes(OTHER))).toEqual([]);
    const writes = calls
      .map(({ operation }) => operation)
      .filter((name) => /^(Put|Update|Create|Delete|Tag)/.test(name));
    expect(writes).toEqual(["PutSecretValue"]);
    expect(await at.scene.readSecret("db")).toEqual(before);
  });
});

describe("before it writes, a verification", () => {
  it.each([
    {
      it: "the source",
      seed: () => at.scene.deleteSource(canary),
      want: { code: "CANARY_SOURCE_MISSING", next: `aws secretsmanager create-secret --name ${SOURCE}` },
    },
    {
      it: "the source, which was deleted and can be restored",
      seed: () => at.scene.deleteSource(canary, { isRestorable: true }),
      want: { code: "CANARY_SOURCE_DELETED", next: `restore-secret --secret-id ${SOURCE}` },
    },
    {
      it: "your right to read and edit the Secret",
      seed: () => revokeAll(at.scene),
      words: ["--eks-token"],
      want: { code: "CANARY_FORBIDDEN", next: "kubectl create role secret-relay-verify" },
    },
    {
      it: "your login to the cluster",
      seed: () => desk.write("kubeconfig", adminKubeconfig(used.backend, { token: "of-nobody" })),
      want: { code: "CLUSTER_TOKEN_REFUSED", next: "update-kubeconfig" },
    },
    {
      it: "the cluster",
      seed: () => api().add({ kind: "reset", when: "before" }),
      want: { code: "CLUSTER_UNAVAILABLE", next: "this machine" },
    },
    {
      it: "the canary in the published bindings",
      seed: () => publish({ keys: { verify: "verify" } }),
      want: { code: "CANARY_UNSUITABLE", next: "Give the canary a source" },
    },
  ])("misses $it, and says what to do", async ({ seed, words = [], want }) => {
    await seed();
    calls.length = 0;
    const { exitCode, error } = await verify(...words);
    expect(exitCode).toBe(1);
    expect(error).toMatchObject({ code: want.code, message: expect.stringContaining(want.next) });
    expect(calls.filter(({ operation }) => operation === "PutSecretValue")).toEqual([]);
  });

  it("refuses a canary that is not published yet, although bindings.yaml has it", async () => {
    const bound = desk.read("bindings.yaml");
    desk.writeBindings([bindingOf(OTHER, "db")], { main: pinnedCluster(used.backend) });
    await desk.run("publish", "-b", "bindings.yaml", "--yes");
    desk.write("bindings.yaml", bound);
    expect((await verify()).error).toMatchObject({ code: "CANARY_NOT_BOUND" });
  });

  it("refuses a wrong command line with 2", async () => {
    expect((await verify("--timeout", "0")).exitCode).toBe(2);
    expect((await verify("shop/nothing")).exitCode).toBe(2);
    expect((await verify("--stack-name", "elsewhere")).error).toMatchObject({ code: "STACK_NOT_FOUND" });
  });
});

/** No line of the rotation function arrives while a test reads its log, except one of Lambda about another event. */
function silenceLog({ hasOtherEvent = false } = {}): void {
  const { clock, sandbox } = used.backend;
  const { aws } = sandbox;
  const group = "/aws/lambda/secret-relay-rotation";
  const end = aws.before(({ operation }) => {
    if (operation !== "FilterLogEvents") return;
    aws.cloudWatch.emptyLogGroup(group);
    if (hasOtherEvent) aws.cloudWatch.addLogLine(group, clock.now(), "START RequestId: 1 Version: $LATEST");
  });
  const endCalls = forget;
  forget = () => {
    end();
    endCalls();
  };
}

const describeCanary = async () => {
  const client = new SecretsManagerClient({});
  const answer = await client.send(new DescribeSecretCommand({ SecretId: SOURCE }));
  client.destroy();
  return answer;
};

/** The permissions that the scene granted to the group of the relay. */
function revokeAll({ admin, namespace }: Scene) {
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings/secret-relay`;
  return admin(path, { method: "DELETE" });
}

type Broken = {
  it: string;
  seed: (scene: Scene) => unknown;
  want: { hop: string; code: string; next: RegExp };
};
const faults = () => used.backend.sandbox.aws.faults;
const api = () => used.backend.sandbox.kubernetes.faults;
/** The requests of the functions; those of `verify` have another login, but the same path. */
const appliesOfRelay = ({ verb, fieldManager }: { verb: string; fieldManager?: string }) =>
  verb === "patch" && fieldManager === "secret-relay";
const loseEvents = () => {
  used.backend.sandbox.aws.events.delivery = () => [];
};
const atTheSweep = (seed: () => unknown) => {
  const end = used.backend.sandbox.aws.before(({ operation, service, input }) => {
    const { FunctionName = "" } = input as { FunctionName?: string };
    if (service !== "lambda" || operation !== "Invoke" || !FunctionName.includes("reconcile")) return;
    end();
    seed();
  });
};

const BROKEN: readonly Broken[] = [
  {
    it: "the right to write the source",
    seed: () => faults().add({ kind: "accessDenied", match: { operation: "PutSecretValue" } }),
    want: { hop: "source", code: "CANARY_WRITE_FORBIDDEN", next: /secret-relay doctor/ },
  },
  {
    it: "an enabled rule",
    seed: () => {
      loseEvents();
      used.backend.sandbox.aws.setRule("secret-relay-label-updated", "DISABLED");
    },
    want: {
      hop: "event",
      code: "RULE_DISABLED",
      next: /^aws events enable-rule --name secret-relay-label-updated/,
    },
  },
  {
    it: "the target of the rule",
    seed: () => {
      loseEvents();
      used.backend.sandbox.aws.setRule("secret-relay-label-updated", "ENABLED", ["arn:aws:lambda:other"]);
    },
    want: { hop: "event", code: "RULE_WITHOUT_TARGET", next: /detect-stack-drift/ },
  },
  {
    it: "the event alone",
    seed: loseEvents,
    want: { hop: "event", code: "EVENT_MISSING", next: /secret-relay doctor/ },
  },
  {
    it: "concurrency for the function",
    seed: () => {
      loseEvents();
      faults().add({ kind: "throttle", match: { service: "lambda", operation: "Invoke" } });
    },
    want: { hop: "function", code: "FUNCTION_THROTTLED", next: /secret-relay doctor/ },
  },
  {
    it: "the right of the function to read the source",
    seed: () =>
      faults().add({ kind: "accessDenied", match: { operation: "GetSecretValue", secret: SOURCE } }),
    want: { hop: "function", code: "SOURCE_FORBIDDEN", next: /secret-relay iam --parameters/ },
  },
  {
    it: "the way of the function to the cluster",
    seed: () => api().add({ kind: "server-error", status: 503, match: appliesOfRelay }),
    want: { hop: "secret", code: "CLUSTER_UNAVAILABLE", next: /secret-relay doctor/ },
  },
  {
    it: "the right of the relay in the cluster",
    seed: revokeAll,
    want: { hop: "secret", code: "CLUSTER_FORBIDDEN", next: /secret-relay rbac.* \| kubectl apply -f -/ },
  },
  {
    it: "a Secret that is not held",
    seed: async () => desk.run("hold", secret(), "--for", "1h"),
    want: { hop: "secret", code: "HELD", next: /secret-relay hold .* --release/ },
  },
  {
    it: "the right to edit the Secret",
    seed: () =>
      api().add({
        kind: "refusal",
        status: 403,
        message: "denied by a policy",
        match: ({ fieldManager }) => fieldManager === "secret-relay-verify",
      }),
    want: { hop: "edit", code: "CLUSTER_FORBIDDEN", next: /secret-relay doctor/ },
  },
  {
    it: "the right to call the reconcile function",
    seed: () => faults().add({ kind: "accessDenied", match: { operation: "Invoke" } }),
    want: { hop: "sweep", code: "FUNCTION_FORBIDDEN", next: /secret-relay doctor/ },
  },
  {
    it: "a reconcile function that can look at the source",
    seed: () =>
      atTheSweep(() =>
        faults().add({ kind: "accessDenied", match: { operation: ["ListSecrets", "DescribeSecret"] } }),
      ),
    want: { hop: "sweep", code: "SOURCE_FORBIDDEN", next: /secret-relay iam --parameters/ },
  },
  {
    it: "a repair that reaches the cluster",
    seed: () => atTheSweep(() => api().add({ kind: "server-error", status: 503, match: appliesOfRelay })),
    want: { hop: "repair", code: "CLUSTER_UNAVAILABLE", next: /secret-relay status/ },
  },
  {
    it: "rights in the cluster for the sweep",
    seed: (scene) =>
      atTheSweep(() =>
        api().add({
          kind: "refusal",
          status: 403,
          message: "forbidden",
          match: (request) => appliesOfRelay(request) && request.namespace === scene.namespace,
        }),
      ),
    want: { hop: "repair", code: "CLUSTER_FORBIDDEN", next: /secret-relay rbac.* \| kubectl apply -f -/ },
  },
];

describe("an installation that lacks", () => {
  it.each(BROKEN)("$it hears the failed hop, its code and the next command", async ({ seed, want }) => {
    await seed(at.scene);

    const { exitCode, result } = await verify();

    expect(exitCode).toBe(1);
    expect(result).toMatchObject({ ok: false, fault: { hop: want.hop, code: want.code } });
    expect(result.fault?.next).toMatch(want.next);
    expect(result.fault?.says).not.toBe("");
    const states = stateOf(result);
    const names = Object.keys(states);
    expect(names.filter((name) => states[name] === "failed")).toEqual([want.hop]);
    const after = names.slice(names.indexOf(want.hop) + 1).map((name) => states[name]);
    expect(after.filter((state) => state !== "not-reached")).toEqual([]);
  });

  it("an event is not taken for healthy because a sweep wrote the value meanwhile", async () => {
    const { aws } = used.backend.sandbox;
    aws.events.delivery = () => {
      void stack.reconcile.sweep({ sweep: "metadata" });
      return [];
    };
    silenceLog();
    expect((await verify()).result.fault).toMatchObject({
      hop: "event",
      code: "EVENT_MISSING",
      says: "No event reached the function. A sweep wrote the value.",
    });

    aws.setRule("secret-relay-label-updated", "DISABLED");
    faults().add({ kind: "accessDenied", match: { operation: "FilterLogEvents" } });
    expect((await verify()).result.fault).toMatchObject({ hop: "event", code: "RULE_DISABLED" });
  });

  it("the event in a log that has other events is not taken for healthy", async () => {
    silenceLog({ hasOtherEvent: true });
    expect((await verify()).result.fault).toMatchObject({ hop: "event", code: "EVENT_MISSING" });
  });

  it("peace for the Secret shows who writes it", async () => {
    deployReconcile(async (input) => {
      const report = await sweep(input);
      await at.scene.patchSecret(NAME, { data: { verify: "YW5vdGhlcg==" } }, "another-writer");
      return report;
    });
    const { result } = await verify("--timeout", "5");
    expect(result.fault).toMatchObject({ hop: "repair", code: "EDIT_NOT_REPAIRED" });
    expect(result.fault?.next).toContain(`kubectl get secret ${NAME} --namespace ${at.scene.namespace}`);
  });

  it.each([
    { it: "that finds the edit", keeps: true, code: "EDIT_NOT_FOUND" },
    { it: "of the published bindings", keeps: false, code: "NOT_BOUND_AS_DEPLOYED" },
  ])("a sweep $it shows that", async ({ keeps, code }) => {
    const targets = [`main/${secret()}`];
    const report = await sweep({ sweep: "metadata", inventory: true, targets });
    deployReconcile(() => ({ ...report, targets: keeps ? report.targets : [] }));
    const { result } = await verify("--timeout", "5");
    expect(result.fault).toMatchObject({ hop: "sweep", code });
  });

  it("a reconcile function of this version says that it must be deployed again", async () => {
    deployReconcile(() => {
      throw Object.assign(new Error("Send …"), { name: "TaskUnknown" });
    });
    const { result } = await verify();
    expect(result.fault).toMatchObject({ hop: "sweep", code: "FUNCTION_OUTDATED", next: /sam deploy/ });
  });
});
