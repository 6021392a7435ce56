import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RulesCheck } from "../../shared/bindings/published/rules.ts";
import { openBindingsStore } from "../harness/bindings-store.ts";
import { startRelay } from "../harness/relay.ts";
import { openScene, type Scene } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend } from "../harness/use-scene.ts";

// Without a live Secret nothing fences a creation, so the pointer is read once more after it. Newer rules may have
// written the Secret before somebody deleted it.

const NAME = "created-by-unknown-rules";
const served = useBackend(startSandboxBackend);
let scene: Scene;
beforeAll(async () => {
  scene = await openScene(served.backend);
  await scene.grant([NAME]);
});
afterAll(() => scene?.close());

async function createWith(after: readonly RulesCheck[]) {
  await scene.deleteSecret(NAME).catch(() => {});
  const store = await openBindingsStore(served.backend);
  const value = JSON.stringify({ password: "canary-7f3a9c1e-first" });
  const source = await scene.createSource(`rules/${randomUUID()}`, value);
  await store.publish([{ source: source.name, targets: [{ namespace: scene.namespace, name: NAME }] }]);
  const answers: RulesCheck[] = ["in-force", ...after];
  const relay = await startRelay(served.backend, {
    bindingsBucket: store.bucket.name,
    wait: async () => {},
    override: () => ({ checkRules: async () => answers.shift() ?? "in-force" }),
  });
  store.close();
  return { relay, event: { secretId: source.name } };
}

it("is retried when S3 does not answer after the creation, and the retry succeeds", async () => {
  const { relay, event } = await createWith(["unknown"]);

  await expect(relay.invoke(event)).rejects.toMatchObject({ code: "SYNC_INCOMPLETE", retryable: true });
  expect(relay.logs).toContainEqual(
    expect.objectContaining({ fields: expect.objectContaining({ code: "RULES_UNKNOWN" }) }),
  );
  expect((await relay.invoke(event)).targets).toMatchObject([{ outcome: "unchanged" }]);
  expect(await scene.readData(NAME)).toEqual({ password: "canary-7f3a9c1e-first" });
});

it("succeeds when the rules are in force after the creation", async () => {
  const { relay, event } = await createWith(["in-force"]);

  expect((await relay.invoke(event)).targets).toMatchObject([{ outcome: "written" }]);
});
