import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import type { Backend } from "../harness/backend.ts";
import { newCanary, newLongCanary, watchLengths } from "../harness/canary.ts";
import { labelUpdated, lambdaContext, pinnedCluster } from "../harness/relay.ts";
import type { Scene } from "../harness/scene.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";
import { type Evidence, expectNoTrace, objectsOf, startWatchedRelay } from "./watched-relay.ts";

/** Everything that a rotation may come to without a fault of the servers: no secret value is seen anywhere. */
export function describeLeakContract(start: () => Promise<Backend>): void {
  let backend: Backend;
  let scene: Scene;

  const used = useBackend(start);
  const at = useScene(used);
  beforeEach(async () => {
    ({ backend } = used);
    ({ scene } = at);
    await scene.grant(["db", "other"]);
  });

  const anyName = (): string => `prod/${randomUUID().slice(0, 8)}`;
  /** Neither it nor its length is to be seen, nor those of its password. */
  const secretText = (): string => {
    const text = JSON.stringify({ username: "app", password: newLongCanary() });
    watchLengths(text);
    return text;
  };
  const bindTo = (source: string, more: object = {}) => ({
    source,
    targets: [{ namespace: scene.namespace, name: "db" }],
    ...more,
  });
  const expectClean = async (...evidence: readonly (readonly Evidence[])[]) =>
    expectNoTrace([...evidence.flat(), ...(await objectsOf(scene))], backend);

  it("no value leaks when a Secret is created, changed, left unchanged, edited and repaired", async () => {
    const first = await scene.createSource(anyName(), secretText());
    const relay = await startWatchedRelay(backend, { bindings: [bindTo(first.name, { adopt: true })] });

    const created = await relay.invoke(labelUpdated(backend, first));
    const second = await scene.rotate(first, secretText());
    const changed = await relay.invoke(labelUpdated(backend, second));
    const unchanged = await relay.invoke(labelUpdated(backend, second));
    const tampered = Buffer.from(newCanary()).toString("base64");
    await scene.patchSecret("db", { data: { password: tampered, more: tampered } });
    const repaired = await relay.invoke({ secretId: first.name });

    for (const { answer } of [created, changed, repaired]) {
      expect(answer).toMatchObject({ targets: [{ outcome: "written" }] });
    }
    expect(unchanged.answer).toMatchObject({ targets: [{ outcome: "unchanged" }] });
    await expectClean(created.evidence, changed.evidence, unchanged.evidence, repaired.evidence);
  });

  it("no value leaks if it is binary", async () => {
    const source = await scene.createSource(anyName(), Buffer.from(newCanary()));
    const relay = await startWatchedRelay(backend, { bindings: [bindTo(source.name, { value: "blob" })] });

    const { answer, evidence } = await relay.invoke({ secretId: source.arn });

    expect(answer).toMatchObject({ targets: [{ outcome: "written" }] });
    await expectClean(evidence);
  });

  const unfit: { it: string; value: () => string; binding?: object; code: string }[] = [
    { it: "a plain string", value: newCanary, code: "SOURCE_NOT_JSON_OBJECT" },
    { it: "broken JSON", value: () => `{"password":"${newCanary()}`, code: "SOURCE_NOT_JSON_OBJECT" },
    { it: "a JSON list", value: () => JSON.stringify([newCanary()]), code: "SOURCE_NOT_JSON_OBJECT" },
    {
      it: "an object without the bound key",
      value: secretText,
      binding: { keys: { DB_PASSWORD: "missing" } },
      code: "SOURCE_KEY_MISSING",
    },
    {
      it: "a value that the type does not allow",
      value: () => JSON.stringify({ ".dockerconfigjson": newCanary() }),
      binding: { type: "kubernetes.io/dockerconfigjson" },
      code: "DOCKER_CONFIG_INVALID",
    },
    {
      it: "larger than a Secret allows, once it is under all its keys",
      value: () => {
        watchLengths("x".repeat(17 * 61_987));
        return JSON.stringify({ a: newLongCanary(61_987) });
      },
      binding: { keys: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, "a"])) },
      code: "TARGET_TOO_LARGE",
    },
    {
      it: "not base64, although the binding decodes it",
      value: () => JSON.stringify({ a: `${newCanary()}!` }),
      binding: { keys: { k: { key: "a", decode: "base64" } } },
      code: "DECODE_FAILED",
    },
    {
      it: "a value that the template cannot use",
      value: () => JSON.stringify({ a: newCanary(), b: {} }),
      binding: { keys: { k: { template: "{{ a | pem_leaf }}" } } },
      code: "TEMPLATE_FAILED",
    },
    {
      it: "an object without the variable of the template",
      value: () => JSON.stringify({ a: newCanary(), b: {} }),
      binding: { keys: { k: { template: "{{ b[a] }}" } } },
      code: "TEMPLATE_VARIABLE_MISSING",
    },
    {
      it: "a value that the expression cannot use",
      value: () => JSON.stringify({ a: newCanary() }),
      binding: { keys: { k: { jmespath: "abs(a)" } } },
      code: "EXPRESSION_FAILED",
    },
  ];
  it.each(unfit)("no value leaks if the source is $it", async ({ value, binding = {}, code }) => {
    const source = await scene.createSource(anyName(), value());
    const relay = await startWatchedRelay(backend, { bindings: [bindTo(source.name, binding)] });

    const { answer, evidence } = await relay.invoke({ secretId: source.name });

    expect(answer).toMatchObject({ targets: [{ outcome: "refused", code }] });
    await expectClean(evidence);
  });

  describe("no value leaks, of the source or of the Secret,", () => {
    const refusals: { it: string; prepare: () => Promise<void>; binding?: object; code: string }[] = [
      {
        it: "when another client created the Secret",
        prepare: () => scene.createSecret("db", { password: newCanary() }),
        code: "TARGET_NOT_OURS",
      },
      {
        it: "when the Secret is immutable",
        prepare: () => scene.createSecret("db", { password: newCanary() }, { immutable: true }),
        binding: { adopt: true },
        code: "TARGET_IMMUTABLE",
      },
      {
        it: "when its type differs",
        prepare: () =>
          scene.createSecret(
            "db",
            { username: "app", password: newCanary() },
            { type: "kubernetes.io/basic-auth" },
          ),
        binding: { adopt: true },
        code: "TARGET_TYPE_DIFFERS",
      },
      {
        it: "when the relay lacks permission for the Secret",
        prepare: async () => {},
        binding: { targets: [{ name: "not-granted" }] },
        code: "CLUSTER_FORBIDDEN",
      },
    ];
    it.each(refusals)("$it", async ({ prepare, binding = {}, code }) => {
      const source = await scene.createSource(anyName(), secretText());
      await prepare();
      const relay = await startWatchedRelay(backend, {
        bindings: [bindTo(source.name, withNamespace(binding, scene.namespace))],
      });

      const { answer, evidence } = await relay.invoke({ secretId: source.name });

      expect(answer).toMatchObject({ targets: [{ outcome: "refused", code }] });
      await expectClean(evidence);
    });

    it("when another manager took a field", async () => {
      const source = await scene.createSource(anyName(), secretText());
      const relay = await startWatchedRelay(backend, { bindings: [bindTo(source.name)] });
      const before = await relay.invoke({ secretId: source.name });
      await scene.patchSecret("db", { data: { password: Buffer.from(newCanary()).toString("base64") } });

      const { answer, evidence } = await relay.invoke({ secretId: source.name });

      expect(answer).toMatchObject({ targets: [{ outcome: "written" }] });
      await expectClean(before.evidence, evidence);
    });
  });

  it("no value leaks into the failure queue if the cluster is unreachable", async () => {
    const source = await scene.createSource(anyName(), secretText());
    const cluster = { ...pinnedCluster(backend), endpoint: "https://127.0.0.1:9" };
    const relay = await startWatchedRelay(backend, {
      clusters: { gone: cluster },
      bindings: [
        { source: source.name, targets: [{ cluster: "gone", namespace: scene.namespace, name: "db" }] },
      ],
    });

    const { error, evidence } = await relay.invoke(
      labelUpdated(backend, source),
      lambdaContext(backend, 3_000),
    );

    expect(error).toMatchObject({ code: "SYNC_INCOMPLETE" });
    await expectClean(evidence);
  });

  const inputs: { it: string; input: () => unknown }[] = [
    { it: "as text", input: newCanary },
    {
      it: "in an unknown field of a direct call",
      input: () => ({ secretId: "prod/db", value: newCanary() }),
    },
    { it: "as the id of a secret", input: () => ({ secretId: newCanary() }) },
    {
      it: "in an event of an unknown source",
      input: () => ({ source: "x", detail: { password: newCanary() } }),
    },
    {
      it: "in an SQS message that is not an event",
      input: () => ({
        Records: [{ eventSource: "aws:sqs", messageId: "1", body: `{"password":"${newCanary()}` }],
      }),
    },
  ];
  it.each(inputs)("an input that contains a secret $it is not repeated", async ({ input }) => {
    const relay = await startWatchedRelay(backend, { bindings: [bindTo("prod/never")] });

    const { evidence } = await relay.invoke(input());

    await expectClean(evidence);
  });
}

function withNamespace(binding: object, namespace: string): object {
  const { targets } = binding as { targets?: object[] };
  return targets === undefined
    ? binding
    : { ...binding, targets: targets.map((each) => ({ namespace, ...each })) };
}
