import { describe, expect, it } from "vitest";
import { labelUpdated, startRelay } from "../contract/relay.ts";
import { useFaultScene } from "./fault-scene.ts";

const struck = useFaultScene();

const reads = () => struck.sandbox.aws.counters.callsOf("GetSecretValue");
const passwordsOf = (name: string) =>
  struck.sandbox.kubernetes
    .history(struck.scene.namespace, name)
    .map(({ data }) => Buffer.from(data.password ?? "", "base64").toString());
const withoutPauses = () => ({ wait: async () => {} });

describe("a read of Secrets Manager that lags behind", () => {
  it("the event is repeated until it names the event's version", async () => {
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

  it("our own write of a moment ago is repeated, and never written over the newer value", async () => {
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

  it("is believed when it stays: an event may also be older than what is current", async () => {
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

  it("reads the source's value once when the last write is minutes old", async () => {
    await writtenAgo(3 * 60_000);

    expect(passwordsOf("db")).toEqual(["first", "second"]);
    expect(reads()).toBe(1);
  });

  it("reads it twice when it replaces a write that is seconds old", async () => {
    await writtenAgo(3_000);

    expect(passwordsOf("db")).toEqual(["first", "second"]);
    expect(reads()).toBe(2);
  });
});
