import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { type BindingsStore, openBindingsStore } from "../harness/bindings-store.ts";
import { labelUpdated, startRelay } from "../harness/relay.ts";
import { openScene, type Scene } from "../harness/scene.ts";
import { type SilentServer, startSilentServer } from "../harness/silent-server.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend } from "../harness/use-scene.ts";

// S3 accepts the connection and never answers. An invocation has 15 s here, which four tries of 5 s each would use up,
// so a value is written only if the relay goes on long before. Each test waits for S3 for two seconds.

const NAMES = ["bound-as-before", "bound-otherwise", "deleted-by-hand"];
const served = useBackend(startSandboxBackend);
let scene: Scene;
let store: BindingsStore;
let s3: SilentServer;
beforeAll(async () => {
  const { backend } = served;
  scene = await openScene(backend);
  await scene.grant(NAMES);
  store = await openBindingsStore(backend);
  s3 = await startSilentServer(backend.aws.env.AWS_ENDPOINT_URL_S3 ?? "");
  vi.stubEnv("AWS_ENDPOINT_URL_S3", s3.url);
});
afterEach(() => {
  s3.isSilent = false;
});
afterAll(async () => {
  store?.close();
  scene?.close();
  await s3?.stop();
});

/** A warm function that has written the Secret by the published binding. */
async function prepare(name: string) {
  const { backend } = served;
  const value = (password: string) => JSON.stringify({ password: `canary-7f3a9c1e-${password}` });
  const source = await scene.createSource(`silent/${randomUUID()}`, value("first"));
  const bind = (more: object = {}) => [
    { source: source.name, targets: [{ namespace: scene.namespace, name }], ...more },
  ];
  await store.publish(bind());
  const relay = await startRelay(backend, { bindingsBucket: store.bucket.name });
  await relay.invoke(labelUpdated(backend, source));
  const rotate = async () => labelUpdated(backend, await scene.rotate(source, value("second")));
  return { relay, bind, rotate };
}

it("a rotation is written whose binding is as before", async () => {
  const { relay, rotate } = await prepare("bound-as-before");
  const event = await rotate();
  s3.isSilent = true;

  expect((await relay.invoke(event)).targets).toMatchObject([{ outcome: "written" }]);
  expect(await scene.readData("bound-as-before")).toEqual({ password: "canary-7f3a9c1e-second" });
  expect(s3.unanswered).toBeGreaterThan(0);
});

it("a rotation waits for S3 if the Secret follows another binding than the known one", async () => {
  const { relay, bind, rotate } = await prepare("bound-otherwise");
  await store.publish(bind({ keys: { other: "password" } }));
  const another = await startRelay(served.backend, { bindingsBucket: store.bucket.name });
  const event = await rotate();
  await another.invoke(event);
  s3.isSilent = true;

  await expect(relay.invoke(event)).rejects.toMatchObject({ code: "SYNC_INCOMPLETE", retryable: true });
  expect(relay.logs).toContainEqual(
    expect.objectContaining({ fields: expect.objectContaining({ code: "RULES_UNKNOWN" }) }),
  );
  expect(await scene.readData("bound-otherwise")).toEqual({ other: "canary-7f3a9c1e-second" });
});

it("a deleted Secret is not created until S3 answers", async () => {
  const { relay, rotate } = await prepare("deleted-by-hand");
  await scene.deleteSecret("deleted-by-hand");
  const event = await rotate();
  s3.isSilent = true;

  await expect(relay.invoke(event)).rejects.toMatchObject({ code: "SYNC_INCOMPLETE" });
  expect(await scene.readData("deleted-by-hand")).toBeUndefined();
  s3.isSilent = false;

  expect((await relay.invoke(event)).targets).toMatchObject([{ outcome: "written" }]);
});

it("an event of a source that the known bindings do not bind fails, and is retried", async () => {
  const { relay } = await prepare("bound-as-before");
  const other = await scene.createSource(`silent/${randomUUID()}`, "{}");
  s3.isSilent = true;

  await expect(relay.invoke(labelUpdated(served.backend, other))).rejects.toMatchObject({ retryable: true });
});
