import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateSecretCommand, UpdateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { awsClients } from "../harness/aws-clients.ts";
import { type BuiltFunction, buildFunction } from "../harness/build-function.ts";
import { findTraces, newCanary } from "../harness/canary.ts";
import { pinnedCluster, startRelay } from "../harness/relay.ts";
import { openScene, type Scene } from "../harness/scene.ts";
import { type SandboxBackend, startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { startBuiltFunction } from "../rotation/start-built-function.ts";
import { newKey, webhookCall } from "./webhook-call.ts";

// The deployed bundle in a separate process: it reads its keys from the sandbox's Secrets Manager and invokes
// the rotation function through the sandbox's Lambda. Moto runs no functions, so this does not run on real servers.

let backend: SandboxBackend;
let built: BuiltFunction;
let scene: Scene;
const KEY = newKey();
const keyName = `relay/webhook-${randomUUID().slice(0, 8)}`;
let keySecretArn: string;

beforeAll(async () => {
  [backend, built] = await Promise.all([startSandboxBackend(), buildFunction("webhook")]);
  for (const [name, value] of Object.entries(backend.aws.env)) vi.stubEnv(name, value);
  const { secrets, destroy } = awsClients(backend.aws);
  const SecretString = JSON.stringify({ keys: [KEY] });
  keySecretArn = (await secrets.send(new CreateSecretCommand({ Name: keyName, SecretString }))).ARN ?? "";
  destroy();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await built?.remove();
  await backend?.stop();
});
beforeEach(async () => {
  scene = await openScene(backend);
  await scene.grant(["db"]);
});
afterEach(() => scene.close());

const HTTP = { "content-type": "application/json", "cache-control": "no-store" };

async function start(bindings: readonly object[], env: Record<string, string> = {}) {
  const name = `rotation-${randomUUID().slice(0, 8)}`;
  const relay = await startRelay(backend, { bindings });
  const rotationFunctionArn = backend.sandbox.aws.addFunction(name, (payload) => relay.invoke(payload));
  const clusters = { main: pinnedCluster(backend) };
  const text = JSON.stringify({ version: 1, clusters, defaults: { cluster: "main" }, bindings });
  const bindingsFile = join(built.folder, `${name}.json`);
  await writeFile(bindingsFile, JSON.stringify(loadBindings(text, "bindings.yaml")));
  const webhook = await startBuiltFunction(built.handlerFile, backend.aws, {
    POWERTOOLS_SERVICE_NAME: "webhook",
    BINDINGS_FILE: bindingsFile,
    WEBHOOK_KEY_SECRET_ARN: keySecretArn,
    ROTATION_FUNCTION_ARN: rotationFunctionArn,
    POWERTOOLS_LOGGER_LOG_EVENT: "true", // must have no effect: events are never logged
    ...env,
  });
  return { webhook, relay };
}

const secretText = () => JSON.stringify({ username: "app", password: newCanary() });
const createSource = (value: string) => scene.createSource(`prod/${randomUUID().slice(0, 8)}`, value);
const bindTo = (source: string, more: object = {}) => ({
  source,
  targets: [{ namespace: scene.namespace, name: "db" }],
  ...more,
});

function linesOf(printed: string): Record<string, unknown>[] {
  return printed
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

describe("a signed call", () => {
  it("by webhook id writes the value to the cluster, and each step is logged", async () => {
    const value = secretText();
    const source = await createSource(value);
    const { webhook, relay } = await start([bindTo(source.name, { webhookId: "shop-db" })]);
    const event = webhookCall({ webhookId: "shop-db" }, { id: "msg_from-the-pipeline", keys: [KEY] });

    const first = await webhook.invoke(event);
    const again = await webhook.invoke(event);
    await backend.sandbox.aws.invocationsSettled();
    const printed = await webhook.stop();

    const accepted = { statusCode: 202, headers: HTTP, body: '{"code":"ACCEPTED"}' };
    expect([first, again]).toEqual([
      { kind: "answer", answer: accepted },
      { kind: "answer", answer: accepted },
    ]);
    expect(await scene.readData("db")).toEqual(JSON.parse(value));
    expect(relay.logs.map(({ code }) => code)).toEqual(["SYNC_STARTED", "TARGET_WRITTEN", "SYNC_COMPLETED"]);
    expect(relay.logs[0]?.fields.reason).toBe("webhook");
    const lines = linesOf(printed);
    const logs = lines.filter((line) => "logCode" in line);
    expect(logs.map(({ logCode, service, eventId }) => ({ logCode, service, eventId }))).toEqual([
      { logCode: "WEBHOOK_CALL_ACCEPTED", service: "webhook", eventId: "msg_from-the-pipeline" },
      { logCode: "WEBHOOK_CALL_REPEATED", service: "webhook", eventId: "msg_from-the-pipeline" },
    ]);
    expect(lines).toContainEqual(expect.objectContaining({ WebhookCallsAccepted: 1, service: "webhook" }));
    expect(printed).not.toContain("shop-db");
    expect(printed).not.toContain("v1,");
    expect(findTraces(printed)).toEqual([]);
  });

  it("by secret id does the same, and follows a rotation", async () => {
    const source = await createSource(secretText());
    const { webhook } = await start([bindTo(source.name)]);
    const value = secretText();
    await scene.rotate(source, value);

    const { answer } = (await webhook.invoke(webhookCall({ secretId: source.arn }, { keys: [KEY] }))) as {
      answer: { statusCode: number };
    };
    await backend.sandbox.aws.invocationsSettled();
    await webhook.stop();

    expect(answer.statusCode).toBe(202);
    expect(await scene.readData("db")).toEqual(JSON.parse(value));
  });
});

describe("the only requests of the function", () => {
  it("are one read of its own secret, and one invocation for an accepted call; none for a malformed one", async () => {
    const source = await createSource(secretText());
    const { webhook, relay } = await start([bindTo(source.name)]);
    const asked: string[] = [];
    const stopListening = backend.sandbox.aws.before(({ operation, secretName }) => {
      asked.push(`${operation} ${secretName ?? ""}`.trim());
    });

    await webhook.invoke(webhookCall("no JSON", { method: "GET" }));
    expect(asked).toEqual([]);
    await webhook.invoke(webhookCall({ secretId: "prod/other" }, { keys: [KEY] }));
    await webhook.invoke(webhookCall({ secretId: source.name }, { keys: [newKey()] }));
    expect(asked).toEqual([`GetSecretValue ${keyName}`]);
    await webhook.invoke(webhookCall({ secretId: source.name }, { keys: [KEY] }));
    await backend.sandbox.aws.invocationsSettled();
    stopListening();
    await webhook.stop();

    expect(asked.slice(0, 2)).toEqual([`GetSecretValue ${keyName}`, "Invoke"]);
    // The other requests are from the rotation function.
    expect(new Set(asked.slice(2))).toEqual(new Set([`GetSecretValue ${source.name}`]));
    expect(relay.logs.map(({ code }) => code)).toContain("TARGET_WRITTEN");
  });
});

describe("when AWS refuses", () => {
  const refuse = async (fault: Parameters<typeof backend.sandbox.aws.faults.add>[0]) => {
    const value = secretText();
    const source = await createSource(value);
    const { webhook } = await start([bindTo(source.name)]);
    const { remove } = backend.sandbox.aws.faults.add(fault);
    const call = () => webhook.invoke(webhookCall({ secretId: source.name }, { keys: [KEY] }));
    const refused = await call();
    remove();
    return { value, webhook, call, refused };
  };
  const askedToComeAgain = { answer: { statusCode: 503, headers: { "retry-after": "5" } } };

  it("the invocation, the caller can retry, and the retry succeeds", async () => {
    const { value, webhook, call, refused } = await refuse({
      match: { service: "lambda" },
      kind: "accessDenied",
    });
    const done = await call();
    await backend.sandbox.aws.invocationsSettled();
    const printed = await webhook.stop();

    expect(refused).toMatchObject(askedToComeAgain);
    expect(done).toMatchObject({ answer: { statusCode: 202 } });
    expect(await scene.readData("db")).toEqual(JSON.parse(value));
    expect(linesOf(printed)).toContainEqual(
      expect.objectContaining({
        logCode: "WEBHOOK_CALL_FAILED",
        code: "ROTATION_NOT_INVOKED",
        level: "ERROR",
      }),
    );
    expect(findTraces(printed + JSON.stringify([refused, done]))).toEqual([]);
  });

  it("its keys, the caller can retry", async () => {
    const { webhook, refused } = await refuse({ match: { secret: keyName }, kind: "accessDenied" });
    const printed = await webhook.stop();

    expect(refused).toMatchObject(askedToComeAgain);
    expect(linesOf(printed)).toContainEqual(
      expect.objectContaining({ logCode: "WEBHOOK_CALL_FAILED", code: "SOURCE_FORBIDDEN" }),
    );
    expect(findTraces(printed + JSON.stringify(refused))).toEqual([]);
  });

  it("invalid keys are reported to the operator, and not to the caller", async () => {
    const { secrets, destroy } = awsClients(backend.aws);
    const name = `relay/webhook-${randomUUID().slice(0, 8)}`;
    const { ARN = "" } = await secrets.send(
      new CreateSecretCommand({ Name: name, SecretString: newCanary() }),
    );
    destroy();
    const { webhook } = await start([bindTo("prod/any")], { WEBHOOK_KEY_SECRET_ARN: ARN });

    const answer = await webhook.invoke(webhookCall({ secretId: "prod/any" }, { keys: [KEY] }));
    const printed = await webhook.stop();

    expect(answer).toMatchObject({ answer: { statusCode: 503 } });
    expect(linesOf(printed)).toContainEqual(expect.objectContaining({ code: "WEBHOOK_KEYS_INVALID" }));
    expect(findTraces(printed + JSON.stringify(answer))).toEqual([]);
  });
});

it("a key that was added to the secret is found at the first call that is signed with it", async () => {
  const source = await createSource(secretText());
  const { secrets, destroy } = awsClients(backend.aws);
  const name = `relay/webhook-${randomUUID().slice(0, 8)}`;
  const [old, fresh] = [newKey(), newKey()];
  const store = (keys: string[]) => JSON.stringify({ keys });
  const { ARN = "" } = await secrets.send(
    new CreateSecretCommand({ Name: name, SecretString: store([old]) }),
  );
  const { webhook } = await start([bindTo(source.name)], { WEBHOOK_KEY_SECRET_ARN: ARN });
  await secrets.send(new UpdateSecretCommand({ SecretId: ARN, SecretString: store([fresh, old]) }));
  destroy();

  const answers = [
    await webhook.invoke(webhookCall({ secretId: source.name }, { keys: [fresh] })),
    await webhook.invoke(webhookCall({ secretId: source.name }, { keys: [old] })),
  ];
  await backend.sandbox.aws.invocationsSettled();
  await webhook.stop();

  for (const answer of answers) expect(answer).toMatchObject({ answer: { statusCode: 202 } });
});

it("the function does not start without its settings, and names all of them", async () => {
  const { webhook } = await start([bindTo("prod/any")], {
    WEBHOOK_KEY_SECRET_ARN: "",
    ROTATION_FUNCTION_ARN: "",
    WEBHOOK_CALLS_PER_MINUTE: "0",
  });
  await webhook.stop();

  const { error } = webhook.start as { error: { errorType: string; errorMessage: string } };
  expect(error.errorType).toBe("ConfigurationError");
  expect(error.errorMessage).toMatch(
    /^Invalid environment variables \(3\): .*WEBHOOK_KEY_SECRET_ARN is missing.*ROTATION_FUNCTION_ARN is missing.*WEBHOOK_CALLS_PER_MINUTE/,
  );
});
