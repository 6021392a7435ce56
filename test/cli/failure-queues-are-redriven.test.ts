import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const used = useBackend(startSandboxBackend);
const at = useScene(used);
const ROOT = join(import.meta.dirname, "../..");

let desk: Desk;
let sqs: SQSClient;
let urls: Record<string, string>;
let received: unknown[];
/** The behaviour of the rotation function; a test replaces it. */
let rotation: (input: unknown) => unknown;

beforeEach(async () => {
  const { aws } = used.backend.sandbox;
  desk = openDesk(used.backend);
  desk.writeBindings([{ source: "prod/db", targets: [{ namespace: at.scene.namespace, name: "db" }] }]);
  sqs = new SQSClient({});
  urls = {};
  for (const name of ["RotationFailureQueue", "ReconcileFailureQueue", "WorkDeadLetterQueue", "WorkQueue"]) {
    const { QueueUrl = "" } = await sqs.send(
      new CreateQueueCommand({ QueueName: `${at.scene.namespace}-${name}` }),
    );
    urls[name] = QueueUrl;
  }
  received = [];
  rotation = () => ({ targets: [], rejected: [] });
  aws.addFunction("rotation", (input) => {
    received.push(input);
    return rotation(input);
  });
  aws.addFunction("reconcile", (input) => void received.push(input));
  const outputs = Object.entries(urls).map(([name, url]) => [`${name}Url`, url]);
  aws.addStack("secret-relay", {
    ...Object.fromEntries(outputs),
    RotationFunctionName: "rotation",
    ReconcileFunctionName: "reconcile",
  });
});
afterEach(() => {
  desk.close();
  sqs.destroy();
});

const sample = (file: string) => JSON.parse(readFileSync(join(ROOT, "events", file), "utf8"));
const put = (name: string, message: object | string) =>
  sqs.send(
    new SendMessageCommand({
      QueueUrl: urls[name],
      MessageBody: typeof message === "string" ? message : JSON.stringify(message),
    }),
  );
const depth = async (name: string) => {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: urls[name], AttributeNames: ["All"] }),
  );
  return Number(Attributes?.ApproximateNumberOfMessages);
};
const SHARD = {
  version: 1,
  sweepId: "s",
  mode: "metadata",
  plan: false,
  sweepStartedAt: 1_790_000_000_000,
  cluster: "main",
  items: [{ n: "shop", t: "db" }],
};

describe("secret-relay redrive", () => {
  it("explains the messages of every queue, and changes nothing", async () => {
    await put("RotationFailureQueue", sample("failure-record.json"));
    await put("RotationFailureQueue", sample("label-updated.json"));
    await put("ReconcileFailureQueue", {
      ...sample("failure-record.json"),
      requestPayload: { sweep: "values" },
    });
    await put("WorkDeadLetterQueue", SHARD);
    await put("ReconcileFailureQueue", { sweep: "metadata" });

    const { exitCode, stdout, stderr } = await desk.run("redrive");

    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      "RotationFailureQueue: 2, events that never reached the rotation function or failed there",
    );
    expect(stdout).toContain("1 event(s) (RetriesExhausted)");
    expect(stdout.match(/syncs: The label AWSCURRENT moved/g)).toHaveLength(2);
    expect(stdout).toContain(`main: ${at.scene.namespace}/db`);
    expect(stdout).toContain("a sweep by values (RetriesExhausted)");
    expect(stdout).toContain("1 Secret(s) of cluster main, of a sweep by metadata started 2026-");
    expect(stdout).toMatch(/ReconcileFailureQueue: 2, .*\n {2}- a sweep by metadata/s);
    expect(stderr).toContain("secret-relay redrive --replay");
    expect(received).toEqual([]);
    expect(await depth("RotationFailureQueue")).toBe(2);
    expect(await depth("ReconcileFailureQueue")).toBe(2);
    expect(await depth("WorkDeadLetterQueue")).toBe(1);
  });

  it("sends each message to its function, and deletes it after success", async () => {
    await put("RotationFailureQueue", sample("failure-record.json"));
    await put("ReconcileFailureQueue", {
      ...sample("failure-record.json"),
      requestPayload: { sweep: "values" },
    });
    await put("WorkDeadLetterQueue", SHARD);

    const { exitCode, json } = await desk.runJson("redrive", "--replay");

    expect(exitCode).toBe(0);
    expect(json).toMatchObject({ ok: true });
    expect(received).toEqual([sample("failure-record.json"), { sweep: "values" }]);
    for (const name of ["RotationFailureQueue", "ReconcileFailureQueue", "WorkDeadLetterQueue"]) {
      expect(await depth(name)).toBe(0);
    }
    expect(await depth("WorkQueue")).toBe(1);
  });

  it("starts the sweep of a publication that could not start it, whatever the rule left in the queue", async () => {
    await put("ReconcileFailureQueue", {
      version: "0",
      "detail-type": "Object Created",
      source: "aws.s3",
      detail: { bucket: { name: "bindings" }, object: { key: "bindings.json" } },
    });
    await put("ReconcileFailureQueue", { sweep: "metadata" });

    const { exitCode } = await desk.run("redrive", "--replay");

    expect(exitCode).toBe(0);
    expect(received).toEqual([{ sweep: "metadata" }, { sweep: "metadata" }]);
    expect(await depth("ReconcileFailureQueue")).toBe(0);
  });

  it("keeps messages that fail, are refused or have no consumer, and ends with 1", async () => {
    await put("RotationFailureQueue", sample("label-updated.json"));
    await put("RotationFailureQueue", { secretId: "prod/other" });
    await put("RotationFailureQueue", "canary-7f3a9c1e is not an event");
    rotation = (input) => {
      if ("secretId" in (input as object))
        return { targets: [{ outcome: "refused", code: "CLUSTER_FORBIDDEN" }] };
      throw new Error("it failed again");
    };

    const { exitCode, stdout } = await desk.run("redrive", "--replay", "--queue", "RotationFailureQueue");

    expect(exitCode).toBe(1);
    expect(stdout).toContain("stays: FUNCTION_FAILED");
    expect(stdout).toContain("stays: REPLAY_REFUSED: The function refused the event (CLUSTER_FORBIDDEN)");
    expect(stdout).toContain("stays: MESSAGE_NOT_TAKEN");
    expect(await depth("RotationFailureQueue")).toBe(3);
  });

  it("processes every message once", async () => {
    for (let at = 0; at < 25; at += 1) await put("RotationFailureQueue", { secretId: `prod/${at}` });

    const { json } = await desk.runJson("redrive", "--replay");

    expect((json as { queues: { messages: unknown[] }[] }).queues[0]?.messages).toHaveLength(25);
    expect(new Set(received.map((input) => JSON.stringify(input))).size).toBe(25);
    expect(await depth("RotationFailureQueue")).toBe(0);
  });

  it("loses nothing when it is killed while the function works", async () => {
    await put("RotationFailureQueue", sample("label-updated.json"));
    let finish = () => {};
    const started = new Promise<void>((resolve) => {
      rotation = () =>
        new Promise((done) => {
          finish = () => done({ targets: [], rejected: [] });
          resolve();
        });
    });
    const child = spawn(process.execPath, [join(ROOT, "cli/main.ts"), "redrive", "--replay"], {
      cwd: desk.folder,
      env: { ...process.env, HOME: desk.folder },
      stdio: "ignore",
    });
    await started;
    child.kill("SIGKILL");
    await once(child, "exit");
    finish();
    expect(await depth("RotationFailureQueue")).toBe(0); // hidden, not gone

    await used.backend.clock.advance(17 * 60_000);
    expect(await depth("RotationFailureQueue")).toBe(1);
  });
});
