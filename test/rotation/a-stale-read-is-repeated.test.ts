import { describe, expect, it } from "vitest";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { labelUpdated, startRelay } from "../harness/relay.ts";
import { useFaultScene } from "./fault-scene.ts";

const struck = useFaultScene();

const reads = () => struck.sandbox.aws.counters.callsOf("GetSecretValue");
const passwordsOf = (name: string) =>
  struck.sandbox.kubernetes
    .history(struck.scene.namespace, name)
    .map(({ data }) => Buffer.from(data.password ?? "", "base64").toString());
const withoutPauses = () => ({ wait: async () => {} });

describe("a stale read of Secrets Manager", () => {
  it("behind the event is repeated until it returns the version of the event", async () => {
    const first = await struck.createSource("first");
    const relay = await startRelay(struck.backend, {
      bindings: [struck.bindTo(first)],
      override: withoutPauses,
    });
    const second = await struck.rotate(first, "second");
    struck.sandbox.aws.faults.add({ kind: "staleRead", times: 2 });

    await relay.invoke(labelUpdated(struck.backend, second));

    expect(passwordsOf("db")).toEqual(["second"]);
    expect(reads()).toBeGreaterThanOrEqual(3);
  });

  it("behind our own recent write is repeated, and never overwrites the newer value", async () => {
    const first = await struck.createSource("first");
    const relay = await startRelay(struck.backend, {
      bindings: [struck.bindTo(first)],
      override: withoutPauses,
    });
    const second = await struck.rotate(first, "second");
    await relay.invoke(labelUpdated(struck.backend, second));
    struck.sandbox.aws.faults.add({ kind: "staleRead", times: 1 });

    const { targets } = await relay.invoke({ secretId: first.name });

    expect(targets).toMatchObject([{ outcome: "unchanged", versionId: second.versionId }]);
    expect(passwordsOf("db")).toEqual(["second"]);
  });

  it("of one of several sources is repeated alone, and overwrites neither", async () => {
    const db = await struck.createSource("first");
    const cache = await struck.scene.createSource(`${db.name}-cache`, '{"token":"first"}');
    const targets = [{ namespace: struck.scene.namespace, name: "db" }];
    const bindings = [{ sources: [{ source: db.name }, { source: cache.name }], targets }];
    const relay = await startRelay(struck.backend, { bindings, override: withoutPauses });
    const newer = await struck.rotate(db, "second");
    await relay.invoke(labelUpdated(struck.backend, newer));
    struck.sandbox.aws.counters.reset();
    struck.sandbox.aws.faults.add({ kind: "staleRead", times: 1, match: { secret: db.name } });

    const { targets: outcomes } = await relay.invoke({ secretId: cache.name });

    expect(outcomes).toMatchObject([{ outcome: "unchanged" }]);
    expect(passwordsOf("db")).toEqual(["second"]);
    expect(reads()).toBe(3);
  });

  it("that alternates with current reads is never accepted, and the invocation fails so that Lambda retries it", async () => {
    const first = await struck.createSource("first");
    const bindings = [struck.bindTo(first)];
    const before = await startRelay(struck.backend, { bindings, override: withoutPauses });
    const second = await struck.rotate(first, "second");
    await before.invoke(labelUpdated(struck.backend, second));
    await struck.rotate(first, "third");
    let calls = 0;
    const relay = await startRelay(struck.backend, {
      bindings,
      override: (real) => ({
        ...withoutPauses(),
        readCurrent: async (source, budget) => {
          calls += 1;
          const current = await real.readCurrent(source, budget);
          return calls % 2 === 0 ? { ...current, versionId: first.versionId as VersionId } : current;
        },
      }),
    });

    await expect(relay.invoke({ secretId: first.name })).rejects.toMatchObject({ code: "SYNC_INCOMPLETE" });

    expect(calls).toBe(4);
    expect(passwordsOf("db")).toEqual(["second"]);
    expect(relay.logs).toContainEqual(
      expect.objectContaining({
        code: "TARGET_FAILED",
        fields: expect.objectContaining({ code: "SOURCE_UNAVAILABLE" }),
      }),
    );
  });

  it("is accepted if it persists, because the event itself can be outdated", async () => {
    const first = await struck.createSource("first");
    const relay = await startRelay(struck.backend, {
      bindings: [struck.bindTo(first)],
      override: withoutPauses,
    });
    await struck.rotate(first, "second");

    await relay.invoke(labelUpdated(struck.backend, first));

    expect(passwordsOf("db")).toEqual(["second"]);
  });
});

describe("a rollback to the version that the Secret still has", () => {
  it("is written again, so that invocations that read the Secret before cannot write", async () => {
    const first = await struck.createSource("first");
    const bindings = [struck.bindTo(first)];
    const relay = await startRelay(struck.backend, { bindings, override: withoutPauses });
    await relay.invoke(labelUpdated(struck.backend, first));
    const held = await struck.scene.readSecret("db");
    const event = labelUpdated(struck.backend, first, Date.now() + 1_000);

    const { targets } = await relay.invoke(event);
    const touched = await struck.scene.readSecret("db");

    expect(targets).toMatchObject([{ outcome: "unchanged", versionId: first.versionId }]);
    expect(touched.metadata.resourceVersion).not.toBe(held.metadata.resourceVersion);
    expect(passwordsOf("db")).toEqual(["first", "first"]);
  });

  it("is distinguished from a repeated event, which changes nothing", async () => {
    const first = await struck.createSource("first");
    const bindings = [struck.bindTo(first)];
    const relay = await startRelay(struck.backend, { bindings, override: withoutPauses });
    const event = labelUpdated(struck.backend, first);

    await relay.invoke(event);
    await relay.invoke(event);

    expect(passwordsOf("db")).toEqual(["first"]);
  });
});

describe("an ordinary rotation", () => {
  const writtenAgo = async (ms: number) => {
    const first = await struck.createSource("first");
    const bindings = [struck.bindTo(first)];
    const past = await startRelay(struck.backend, { bindings, now: () => Date.now() - ms });
    await past.invoke({ secretId: first.name });
    const second = await struck.rotate(first, "second");
    const relay = await startRelay(struck.backend, { bindings, override: withoutPauses });
    struck.sandbox.aws.counters.reset();
    await relay.invoke(labelUpdated(struck.backend, second));
  };

  it("reads the source once if the last write is minutes old", async () => {
    await writtenAgo(3 * 60_000);

    expect(passwordsOf("db")).toEqual(["first", "second"]);
    expect(reads()).toBe(1);
  });

  it("reads the source twice if it replaces a write that is seconds old", async () => {
    await writtenAgo(3_000);

    expect(passwordsOf("db")).toEqual(["first", "second"]);
    expect(reads()).toBe(2);
  });
});
