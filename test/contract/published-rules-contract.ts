import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SyncCluster } from "../../shared/sync/sync-source.ts";
import type { Backend } from "../harness/backend.ts";
import { type BindingsStore, openBindingsStore } from "../harness/bindings-store.ts";
import { type Choose, everySchedule, Interleaver } from "../harness/interleaver.ts";
import { labelUpdated, startRelay, startSweeper, type TestRelayOptions } from "../harness/relay.ts";
import { relayMetadataOf } from "../harness/relay-metadata.ts";
import { openScene, type Scene, type TestSource } from "../harness/scene.ts";
import { useBackend } from "../harness/use-scene.ts";

/**
 * Published bindings are followed without a restart of the function, and the fence covers them: in every order of two
 * invocations and a publication, no Secret is written by older rules after newer ones.
 */
export function describePublishedRulesContract(
  start: () => Promise<Backend>,
  drawn: number | "every schedule",
): void {
  let scene: Scene;
  let store: BindingsStore;
  const served = useBackend(start);
  const granted = Array.from({ length: 40 }, (_, index) => `rules-${index}`);
  let used = 0;
  beforeAll(async () => {
    scene = await openScene(served.backend);
    await scene.grant(granted, { mayList: true });
    await scene.grantDelete(granted);
  });
  afterAll(() => scene?.close());

  const nextName = () => granted[used++ % granted.length] ?? "";
  const prepare = async () => {
    store = await openBindingsStore(served.backend);
    const name = nextName();
    await scene.deleteSecret(name).catch(() => {});
    const source = await scene.createSource(
      `rules/${randomUUID()}`,
      JSON.stringify({ password: "canary-7f3a9c1e-first" }),
    );
    const bind = (more: object = {}, to = name) => ({
      source: source.name,
      targets: [{ namespace: scene.namespace, name: to }],
      ...more,
    });
    return { name, source, bind, bindingsBucket: store.bucket.name };
  };
  const rotate = (source: TestSource, password: string) => scene.rotate(source, JSON.stringify({ password }));
  const relayOf = (options: TestRelayOptions) =>
    startRelay(served.backend, { wait: async () => {}, ...options });

  describe("a rotation", () => {
    it("follows what was published after the function started, without an event of its own", async () => {
      const { name, source, bind, bindingsBucket } = await prepare();
      await store.publish([bind({ keys: { old: "password" } })]);
      const relay = await relayOf({ bindingsBucket });
      await relay.invoke(labelUpdated(served.backend, source));
      expect(await scene.readData(name)).toEqual({ old: "canary-7f3a9c1e-first" });

      await store.publish([bind({ keys: { new: "password" } })]);
      await relay.invoke(labelUpdated(served.backend, await rotate(source, "canary-7f3a9c1e-second")));

      expect(await scene.readData(name)).toEqual({ new: "canary-7f3a9c1e-second" });
    });

    it("of a source that was bound after the function started writes its Secret", async () => {
      const { name, source, bind, bindingsBucket } = await prepare();
      await store.publish([]);
      const relay = await relayOf({ bindingsBucket });
      await relay.invoke(labelUpdated(served.backend, source));
      expect(await scene.readData(name)).toBeUndefined();

      await store.publish([bind()]);
      const report = await relay.invoke(labelUpdated(served.backend, source));

      expect(report.targets).toMatchObject([{ outcome: "written" }]);
      expect(await scene.readData(name)).toEqual({ password: "canary-7f3a9c1e-first" });
    });

    it("no longer writes a Secret whose binding was removed during the invocation", async () => {
      const { name, source, bind, bindingsBucket } = await prepare();
      await store.publish([bind()]);
      let publishes = true;
      const relay = await relayOf({
        bindingsBucket,
        override: (real) => ({
          checkRules: async (budget) => {
            if (publishes) {
              publishes = false;
              await store.publish([]);
            }
            return real.checkRules(budget);
          },
        }),
      });

      const report = await relay.invoke(labelUpdated(served.backend, source));

      expect(report.targets).toEqual([]);
      expect(await scene.readData(name)).toBeUndefined();
    });

    it("follows a rollback as it follows any publication", async () => {
      const { name, source, bind, bindingsBucket } = await prepare();
      await store.publish([bind({ keys: { old: "password" } })]);
      const relay = await relayOf({ bindingsBucket });
      await relay.invoke(labelUpdated(served.backend, source));
      await store.publish([bind({ keys: { new: "password" } })]);
      await relay.invoke(labelUpdated(served.backend, await rotate(source, "canary-7f3a9c1e-second")));

      await store.rollBackTo(1);
      await relay.invoke(labelUpdated(served.backend, await rotate(source, "canary-7f3a9c1e-third")));

      expect(await scene.readData(name)).toEqual({ old: "canary-7f3a9c1e-third" });
    });

    it("by bindings of another relay is refused", async () => {
      const { source, bind, bindingsBucket } = await prepare();
      await store.publish([bind()]);
      const relay = await relayOf({ bindingsBucket });
      await store.publish([bind()], "payments");

      await expect(
        relay.invoke(labelUpdated(served.backend, await rotate(source, "canary-7f3a9c1e-second"))),
      ).rejects.toMatchObject({ code: "RELAY_NAME_DIFFERS" });
    });
  });

  describe("while the store does not answer", () => {
    const startCutOff = async (bindingsBucket: string) => {
      let isCut = false;
      const relay = await relayOf({
        bindingsBucket,
        override: (real) => ({ checkRules: async (budget) => (isCut ? "unknown" : real.checkRules(budget)) }),
      });
      const cut = () => {
        isCut = true;
      };
      return { relay, cut };
    };

    it("a Secret whose rules are unchanged gets the new value", async () => {
      const { name, source, bind, bindingsBucket } = await prepare();
      await store.publish([bind()]);
      const { relay, cut } = await startCutOff(bindingsBucket);
      await relay.invoke(labelUpdated(served.backend, source));
      cut();

      await relay.invoke(labelUpdated(served.backend, await rotate(source, "canary-7f3a9c1e-second")));

      expect(await scene.readData(name)).toEqual({ password: "canary-7f3a9c1e-second" });
    });

    it("no Secret is created, and the event is retried", async () => {
      const { name, source, bind, bindingsBucket } = await prepare();
      await store.publish([bind()]);
      const { relay, cut } = await startCutOff(bindingsBucket);
      cut();

      await expect(relay.invoke(labelUpdated(served.backend, source))).rejects.toMatchObject({
        retryable: true,
      });
      expect(relay.logs).toContainEqual(
        expect.objectContaining({ fields: expect.objectContaining({ code: "RULES_UNKNOWN" }) }),
      );
      expect(await scene.readData(name)).toBeUndefined();
    });
  });

  it("a sweep follows the latest publication, and repairs what an older one left", async () => {
    const { name, source, bind, bindingsBucket } = await prepare();
    await store.publish([bind({ keys: { old: "password" } })]);
    await (await relayOf({ bindingsBucket })).invoke(labelUpdated(served.backend, source));
    const sweeper = await startSweeper(served.backend, { bindingsBucket });
    await store.publish([bind({ keys: { new: "password" } })]);

    const report = await sweeper.sweep({ sweep: "metadata" });

    expect(report.targets).toContainEqual(expect.objectContaining({ name, outcome: "written" }));
    expect(await scene.readData(name)).toEqual({ new: "canary-7f3a9c1e-first" });
  });

  it("in every order of two invocations and a publication, older rules never land after newer ones", async () => {
    const { backend } = served;
    const { annotations } = relayMetadataOf(backend);
    const play = async (choose: Choose): Promise<void> => {
      const { name, source, bind, bindingsBucket } = await prepare();
      await store.publish([bind({ keys: { old: "password" } })]);
      // Minutes ago, so that no read has to be confirmed: each would multiply the schedules.
      const past = await relayOf({ bindingsBucket, now: () => Date.now() - 180_000 });
      await past.invoke({ secretId: source.name });
      const next = await rotate(source, "canary-7f3a9c1e-second");
      const interleaver = new Interleaver();
      const landed: { keys: string; resourceVersion: number }[] = [];
      const startStepped = (actor: string) =>
        relayOf({
          bindingsBucket,
          override: (real) => ({
            checkRules: (budget) =>
              interleaver.step(actor, "reads the pointer", () => real.checkRules(budget)),
            connect: (clusterKey): SyncCluster => {
              const cluster = real.connect(clusterKey);
              return {
                ...cluster,
                readSecret: (secret, budget) =>
                  interleaver.step(actor, "reads the live Secret", () => cluster.readSecret(secret, budget)),
                applySecret: (body, how, budget) =>
                  interleaver.step(actor, "applies", async () => {
                    const live = await cluster.applySecret(body, how, budget);
                    landed.push({
                      keys: live.annotations[annotations.keys] ?? "",
                      resourceVersion: Number(live.resourceVersion),
                    });
                    return live;
                  }),
              };
            },
          }),
        });
      const [one, other] = [await startStepped("A"), await startStepped("B")];

      await interleaver.run(
        [
          () => one.invoke({ secretId: next.name }),
          () => other.invoke({ secretId: next.name }),
          () =>
            interleaver.step("P", "publishes", () => store.publish([bind({ keys: { new: "password" } })])),
        ],
        choose,
      );

      const trace = interleaver.trace.join("\n");
      const inOrder = landed
        .toSorted((a, b) => a.resourceVersion - b.resourceVersion)
        .map(({ keys }) => keys);
      expect(inOrder.join(" "), trace).toMatch(/^(old ?)*(new ?)*$/);
      await (await relayOf({ bindingsBucket })).invoke({ secretId: next.name });
      expect(await scene.readData(name), trace).toEqual({ new: "canary-7f3a9c1e-second" });
      store.close();
    };

    if (drawn === "every schedule") {
      expect(await everySchedule(play)).toBeGreaterThan(20);
      return;
    }
    const anyChoices = fc.infiniteStream(fc.nat({ max: 999 }));
    const isFine = (choices: Iterator<number>) => play((waiting) => choices.next().value % waiting.length);
    await fc.assert(fc.asyncProperty(anyChoices, isFine), { numRuns: drawn, endOnFailure: true });
  });
}
