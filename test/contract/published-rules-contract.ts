import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BindingsStoreUnreachable } from "../../shared/bindings/published/store-errors.ts";
import type { Shard } from "../../shared/sweep/shard.ts";
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

    it("writes the Secret of the newer bindings, although the relay may not read that of the older ones", async () => {
      const { name, source, bind, bindingsBucket } = await prepare();
      await store.publish([bind({}, "not-granted")]);
      const relay = await relayOf({ bindingsBucket });
      const refused = await relay.invoke(labelUpdated(served.backend, source));
      expect(refused.targets).toMatchObject([{ outcome: "refused", code: "CLUSTER_FORBIDDEN" }]);

      await store.publish([bind()]);
      const report = await relay.invoke(labelUpdated(served.backend, source));

      expect(report.targets).toMatchObject([{ outcome: "written" }]);
      expect(await scene.readData(name)).toEqual({ password: "canary-7f3a9c1e-first" });
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

  describe("after the pointer was deleted", () => {
    it("a function that knows the bindings goes on with rotations, and a sweep fails and deletes nothing", async () => {
      const { name, source, bind, bindingsBucket } = await prepare();
      await store.publish([bind()]);
      const relay = await relayOf({ bindingsBucket });
      const sweeper = await startSweeper(served.backend, { bindingsBucket });
      await sweeper.sweep({ sweep: "metadata" });
      await relay.invoke(labelUpdated(served.backend, source));

      await store.deletePointer();

      await expect(sweeper.sweep({ sweep: "metadata" })).rejects.toMatchObject({ code: "BINDINGS_DELETED" });
      await relay.invoke(labelUpdated(served.backend, await rotate(source, "canary-7f3a9c1e-second")));
      expect(await scene.readData(name)).toEqual({ password: "canary-7f3a9c1e-second" });
    });

    it.each(["deletePointer", "clear"] as const)(
      "the event of the deletion fails in a function that starts then, until bindings are published (%s)",
      async (empty) => {
        const { name, bind, bindingsBucket } = await prepare();
        await store.publish([bind()]);
        const version = await store.versionInForce();
        await store[empty]();
        const follow = async () => (await startSweeper(served.backend, { bindingsBucket })).follow(version);

        await expect(follow()).rejects.toMatchObject({ code: "BINDINGS_DELETED" });
        expect(await scene.readData(name)).toBeUndefined();
        await store.publish([bind()]);
        await follow();

        expect(await scene.readData(name)).toEqual({ password: "canary-7f3a9c1e-first" });
      },
    );
  });

  describe("an event of an unbound source, while the store does not answer,", () => {
    const startUnbound = async (check: "unknown" | "superseded" | "in-force") => {
      const prepared = await prepare();
      await store.publish([]);
      let answer: typeof check | undefined = check;
      const relay = await relayOf({
        bindingsBucket: prepared.bindingsBucket,
        override: (real) => ({ checkRules: async (budget) => answer ?? real.checkRules(budget) }),
      });
      const mend = () => {
        answer = undefined;
      };
      return { ...prepared, relay, mend };
    };

    it("fails and is retried, and its source is written if it was bound meanwhile", async () => {
      const { name, source, bind, relay, mend } = await startUnbound("unknown");
      await store.publish([bind()]);
      const event = labelUpdated(served.backend, source);

      await expect(relay.invoke(event)).rejects.toMatchObject({ code: "RULES_UNKNOWN", retryable: true });
      expect(relay.logs).toContainEqual(
        expect.objectContaining({
          code: "EVENT_UNCHECKED",
          fields: expect.objectContaining({ source: expect.any(String), code: "RULES_UNKNOWN" }),
        }),
      );
      expect(relay.logs).not.toContainEqual(expect.objectContaining({ code: "SOURCE_NOT_BOUND" }));
      mend();
      await relay.invoke(event);

      expect(await scene.readData(name)).toEqual({ password: "canary-7f3a9c1e-first" });
    });

    it("succeeds as not bound only after the rules are known to be in force", async () => {
      const { source, relay, mend } = await startUnbound("unknown");
      const event = labelUpdated(served.backend, source);
      await expect(relay.invoke(event)).rejects.toMatchObject({ code: "RULES_UNKNOWN" });
      mend();

      expect(await relay.invoke(event)).toEqual({ targets: [], rejected: [] });
      expect(relay.logs.map(({ code }) => code)).toContain("SOURCE_NOT_BOUND");
    });

    it("keeps no bound source of its batch from being written", async () => {
      const { name, source, bind, bindingsBucket } = await prepare();
      await store.publish([bind()]);
      let isCut = false;
      const relay = await relayOf({
        bindingsBucket,
        override: (real) => ({ checkRules: async (budget) => (isCut ? "unknown" : real.checkRules(budget)) }),
      });
      await relay.invoke(labelUpdated(served.backend, source));
      const unbound = await scene.createSource(`rules/${randomUUID()}`, "{}");
      const rotated = await rotate(source, "canary-7f3a9c1e-second");
      isCut = true;
      const events = [labelUpdated(served.backend, unbound), labelUpdated(served.backend, rotated)];
      const Records = events.map((event, index) => ({
        messageId: `message-${index}`,
        eventSource: "aws:sqs",
        body: JSON.stringify(event),
      }));

      const response = await relay.invoke({ Records });

      expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: "message-0" }] });
      expect(await scene.readData(name)).toEqual({ password: "canary-7f3a9c1e-second" });
    });

    it("is retried too if it is a call by webhook id, or the report of a failed rotation", async () => {
      const { source, relay } = await startUnbound("unknown");
      const failed = {
        ...labelUpdated(served.backend, source),
        "detail-type": "AWS Service Event via CloudTrail",
        detail: {
          eventSource: "secretsmanager.amazonaws.com",
          eventName: "RotationFailed",
          additionalEventData: { SecretId: source.arn },
        },
      };

      for (const event of [{ webhookId: "not-bound" }, failed]) {
        await expect(relay.invoke(event)).rejects.toMatchObject({ code: "RULES_UNKNOWN" });
      }
      expect(relay.metrics.map(({ name }) => name)).not.toContain("RotationsFailed");
    });
  });

  it("an event of another label is followed if newer bindings use the label", async () => {
    const { name, source, bind, bindingsBucket } = await prepare();
    await store.publish([bind()]);
    const relay = await relayOf({ bindingsBucket });
    await relay.invoke(labelUpdated(served.backend, source));
    await store.publish([bind({ stage: "NEXT" })]);
    const rotated = await rotate(source, "canary-7f3a9c1e-second");
    await scene.moveLabel("NEXT", source, source);
    await scene.deleteSecret(name);

    await relay.invoke(
      labelUpdated(served.backend, { ...rotated, versionId: source.versionId }, Date.now(), "NEXT"),
    );

    expect(await scene.readData(name)).toEqual({ password: "canary-7f3a9c1e-first" });
  });

  describe("the sweep after a publication", () => {
    const start = async (options: Partial<Parameters<typeof startSweeper>[1]> = {}) => {
      const { bindingsBucket, ...first } = await prepare();
      const second = nextName();
      await scene.deleteSecret(second).catch(() => {});
      const sweeper = await startSweeper(served.backend, { bindingsBucket, ...options });
      return { ...first, second, sweeper };
    };
    const rowOf = (name: string, outcome: string) => expect.objectContaining({ name, outcome });
    /** A sweep of all bindings also reports what other tests have left. */
    const withRow = (...row: Parameters<typeof rowOf>) => expect.arrayContaining([rowOf(...row)]);
    const namesIn = ({ targets }: { targets: readonly { name: string }[] }) =>
      targets.map(({ name }) => name).sort();

    it("handles first what changed, reports it under its generation, and then handles all bindings", async () => {
      const { name, second, bind, sweeper } = await start();
      await store.publish([bind()]);
      const first = await sweeper.follow(await store.versionInForce());
      expect(first.reports[0]).toMatchObject({ generation: 1, since: 0, targets: [rowOf(name, "written")] });
      await scene.deleteSecret(name);

      await store.publish([bind(), bind({}, second)]);
      const { reports } = await sweeper.follow(await store.versionInForce());

      const [changes, all] = reports;
      expect(changes).toMatchObject({
        ...{ generation: 2, since: 1, bindings: 1, checked: 1 },
        targets: [rowOf(second, "written")],
      });
      expect(all).toMatchObject({ generation: 2, bindings: 2, targets: withRow(name, "written") });
      expect(all).not.toHaveProperty("since");
      const completed = sweeper.logs.filter(({ code }) => code === "SWEEP_COMPLETED").slice(-2);
      expect(completed.map(({ fields }) => [fields.generation, fields.since])).toEqual([
        [2, 1],
        [2, undefined],
      ]);
    });

    it("reports the Secret of a removed binding first, and notes that it may be deleted", async () => {
      const { name, second, bind, sweeper } = await start();
      const rules = { deletionPolicy: "delete" };
      await store.publish([bind(), bind(rules, second)]);
      await sweeper.follow(await store.versionInForce());
      await store.publish([bind()]);

      const { reports } = await sweeper.follow(await store.versionInForce());

      expect(reports[0]).toMatchObject({
        ...{ generation: 2, since: 1, bindings: 0 },
        targets: [{ name: second, finding: "ORPHAN" }],
      });
      const { annotations } = relayMetadataOf(served.backend);
      expect((await scene.readSecret(second))?.metadata.annotations).toHaveProperty(annotations.goneSince);
      expect(await scene.readData(name)).toBeDefined();
    });

    it.each(["in order", "late and out of order"])("misses no change if events arrive %s", async (order) => {
      const { name, second, bind, sweeper } = await start();
      const versions: string[] = [];
      for (const bindings of [[], [bind()], [bind(), bind({}, second)]]) {
        await store.publish(bindings);
        versions.push(await store.versionInForce());
      }
      if (order !== "in order") versions.reverse();

      const seen: { since: number | undefined; names: string[] }[] = [];
      for (const version of versions) {
        const { reports } = await sweeper.follow(version);
        for (const report of reports) {
          expect(report.generation).toBe(3);
          if (report.since !== undefined) seen.push({ since: report.since, names: namesIn(report) });
        }
      }

      const both = [name, second].sort();
      const expected = [
        { since: 0, names: both },
        { since: 1, names: [] },
        { since: 2, names: [] },
      ];
      const reversed = [
        { since: 2, names: [second] },
        { since: 1, names: [] }, // the sweep of all bindings has written the other one
        { since: 0, names: [] },
      ];
      expect(seen).toEqual(order === "in order" ? expected : reversed);
      expect(await scene.readData(name)).toBeDefined();
      expect(await scene.readData(second)).toBeDefined();
    });

    it("starts again with the changes of both if newer bindings are published meanwhile", async () => {
      let publish: (() => Promise<void>) | undefined;
      const { name, second, bind, sweeper } = await start({
        override: (real) => ({
          checkRules: async (budget) => {
            const next = publish;
            publish = undefined;
            await next?.();
            return real.checkRules(budget);
          },
        }),
      });
      await store.publish([]);
      await store.publish([bind({ keys: { old: "password" } })]);
      const version = await store.versionInForce();
      publish = () => store.publish([bind({ keys: { new: "password" } }), bind({}, second)]);

      const { reports } = await sweeper.follow(version);

      expect(reports.map(({ generation, since }) => [generation, since])).toEqual([
        [2, 1],
        [3, 1],
        [3, undefined],
      ]);
      expect(await scene.readData(name)).toEqual({ new: "canary-7f3a9c1e-first" });
      expect(await scene.readData(second)).toEqual({ password: "canary-7f3a9c1e-first" });
    });

    it("handles all bindings at once if the bucket no longer has the generation before", async () => {
      const { name, bind, sweeper } = await start();
      await store.publish([]);
      const before = await store.versionInForce();
      await store.publish([bind()]);
      await store.removeVersion(before);

      const { reports } = await sweeper.follow(await store.versionInForce());

      expect(reports).toMatchObject([{ generation: 2, targets: withRow(name, "written") }]);
      expect(sweeper.logs.map(({ code }) => code)).toContain("CHANGES_UNKNOWN");
    });

    it.each(["forged", "null", "", "../other", "%2e%2e"])(
      "handles all bindings if its event names no publication, but %j",
      async (version) => {
        const { name, bind, sweeper } = await start();
        await store.publish([bind()]);

        await sweeper.follow(version);

        expect(await scene.readData(name)).toBeDefined();
      },
    );

    it("is retried if the store does not answer for the changes", async () => {
      let isCut = true;
      const { name, bind, sweeper } = await start({
        override: ({ rules }) =>
          rules.store === undefined
            ? {}
            : {
                rules: {
                  ...rules,
                  store: {
                    ...rules.store,
                    readObject: async (...request) => {
                      if (isCut) throw new BindingsStoreUnreachable({ bucket: "", key: "" }, "HTTP 503");
                      return rules.store?.readObject(...request) ?? { kind: "absent" };
                    },
                  },
                },
              },
      });
      await store.publish([bind()]);
      const version = await store.versionInForce();
      await expect(sweeper.follow(version)).rejects.toMatchObject({ retryable: true });
      isCut = false;

      await sweeper.follow(version);

      expect(await scene.readData(name)).toBeDefined();
    });

    it("queues the shards of the changes first if they exceed one shard", async () => {
      const queued: Shard[] = [];
      const { bind, sweeper } = await start({
        override: ({ settings }) => ({
          settings: { ...settings, shardBindingsMax: 2 },
          sendShards: async (shards) => {
            queued.push(...shards);
            return shards.length;
          },
        }),
      });
      const bound = (names: string[], more: object = {}) => names.map((to) => bind(more, to));
      const old = ["a1", "a2", "a3"];
      const changed = ["b1", "b2", "b3"];
      await store.publish(bound([...old, ...changed]));
      await store.publish([...bound(old), ...bound(changed, { keys: { new: "password" } })]);

      const { reports } = await sweeper.follow(await store.versionInForce());

      expect(reports).toMatchObject([{ generation: 2, bindings: 0, shardsQueued: 4 }]);
      const names = queued.map(({ items }) => items.map(({ t }) => t));
      expect(names.slice(0, 2).flat().sort()).toEqual(changed);
      expect(names.slice(2).flat().sort()).toEqual(old);
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
