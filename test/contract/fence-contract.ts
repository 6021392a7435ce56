import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SyncCluster } from "../../shared/sync/sync-source.ts";
import type { Backend } from "../harness/backend.ts";
import { type Choose, everySchedule, Interleaver } from "../harness/interleaver.ts";
import { labelUpdated, startRelay } from "../harness/relay.ts";
import { relayMetadataOf } from "../harness/relay-metadata.ts";
import { openScene, type Scene, type TestSource } from "../harness/scene.ts";
import { useBackend } from "../harness/use-scene.ts";

/** An accepted write: its version, and its position in the order of the API server. */
type Landed = {
  readonly versionId: string;
  /** Of each source, where there are several. */
  readonly versions: readonly string[];
  readonly resourceVersion: number;
};

/**
 * Two concurrent invocations in every possible order of their steps, or in random orders. In each order, the Secret
 * ends with AWSCURRENT, and no value is written after one that became current later.
 */
export function describeFenceContract(start: () => Promise<Backend>, drawn: number | "every schedule"): void {
  let backend: Backend;
  let scene: Scene;
  const granted = Array.from({ length: 50 }, (_, index) => `fence-${index}`);
  let used = 0;

  const served = useBackend(start);
  beforeAll(async () => {
    ({ backend } = served);
    scene = await openScene(backend);
    await scene.grant(granted);
  });
  afterAll(() => scene?.close());

  const inSchedules = async (play: (choose: Choose) => Promise<void>, draw = drawn): Promise<void> => {
    if (draw === "every schedule") {
      expect(await everySchedule(play)).toBeGreaterThan(3); // a tree without branches would prove nothing
      return;
    }
    const anyChoices = fc.infiniteStream(fc.nat({ max: 999 }));
    const isFine = (choices: Iterator<number>) => play((waiting) => choices.next().value % waiting.length);
    await fc.assert(fc.asyncProperty(anyChoices, isFine), { numRuns: draw, endOnFailure: true });
  };

  /** A relay that is bound to one Secret and pauses before each of its steps. */
  const startSteppedRelay = async (
    actor: string,
    bound: { sourceNames: readonly string[]; secretName: string },
    interleaver: Interleaver,
    landed: Landed[],
  ) => {
    const { annotations } = relayMetadataOf(backend);
    let lastRead: Promise<unknown> = Promise.resolve();
    return startRelay(backend, {
      bindings: [bindingOf(bound)],
      override: (real) => ({
        wait: async () => {},
        // Of several sources one after the other: an actor waits in one step at a time.
        readCurrent: (source, budget) => {
          const read = lastRead.then(() =>
            interleaver.step(actor, `reads ${bound.sourceNames.indexOf(source.id)} at AWSCURRENT`, () =>
              real.readCurrent(source, budget),
            ),
          );
          lastRead = read.catch(() => {});
          return read;
        },
        connect: (clusterKey): SyncCluster => {
          const cluster = real.connect(clusterKey);
          return {
            readSecret: (secret, budget) =>
              interleaver.step(actor, "reads the live Secret", () => cluster.readSecret(secret, budget)),
            applySecret: (body, how, budget) =>
              interleaver.step(actor, "applies", async () => {
                const live = await cluster.applySecret(body, how, budget);
                const versionId = live.annotations[annotations.versionId] ?? "";
                const versions = live.annotations[annotations.sourceVersions]?.split(" ") ?? [versionId];
                landed.push({ versionId, versions, resourceVersion: Number(live.resourceVersion) });
                return live;
              }),
            deleteSecret: (secret, only, budget) => cluster.deleteSecret(secret, only, budget),
            patchMetadata: (secret, patch, budget) =>
              interleaver.step(actor, "patches the metadata", () =>
                cluster.patchMetadata(secret, patch, budget),
              ),
          };
        },
      }),
    });
  };

  const bindingOf = (bound: { sourceNames: readonly string[]; secretName: string }) => ({
    sources: bound.sourceNames.map((source) => ({ source })),
    targets: [{ namespace: scene.namespace, name: bound.secretName }],
  });

  /** Plays a scene in one schedule, then checks what must hold in all of them. */
  const playRotation = async (
    choose: Choose,
    { isBoundBefore, meddle }: { isBoundBefore: boolean; meddle?: (secretName: string) => Promise<void> },
  ): Promise<void> => {
    const secretName = granted[used++ % granted.length] ?? "";
    await scene.deleteSecret(secretName).catch(() => {}); // of an earlier schedule
    const zeroth = await scene.createSource(`fence/${randomUUID()}`, '{"password":"canary-7f3a9c1e-zeroth"}');
    const bound = { sourceNames: [zeroth.name], secretName };
    const order = [zeroth];
    if (isBoundBefore) {
      const before = await startRelay(backend, {
        bindings: [{ source: zeroth.name, targets: [{ namespace: scene.namespace, name: secretName }] }],
      });
      await before.invoke(labelUpdated(backend, zeroth));
    }
    const first = await scene.rotate(zeroth, '{"password":"canary-7f3a9c1e-first"}');
    order.push(first);
    const interleaver = new Interleaver();
    const landed: Landed[] = [];
    const relayOfFirst = await startSteppedRelay("A", bound, interleaver, landed);
    const relayOfSecond = await startSteppedRelay("B", bound, interleaver, landed);
    const actors = [
      () => relayOfFirst.invoke({ secretId: first.name }), // an event that names a version reads again and again
      async () => {
        const second = await interleaver.step("B", "sees the label move", () =>
          scene.rotate(first, '{"password":"canary-7f3a9c1e-second"}'),
        );
        order.push(second);
        await relayOfSecond.invoke(labelUpdated(backend, second));
      },
      ...(meddle ? [() => interleaver.step("C", "meddles", () => meddle(secretName))] : []),
    ];

    await interleaver.run(actors, choose);

    const trace = interleaver.trace.join("\n");
    // A deleted Secret takes the fence with it: an older value can then be recreated for the moment that it takes to
    // check AWSCURRENT once more, but it never stays.
    if (meddle === undefined) expect(landed, trace).toEqual(inOrder(landed, order));
    const final = await scene.readData(secretName);
    // If the other client deletes it last, it stays deleted. The relay never leaves an old value.
    if (final !== undefined || meddle === undefined)
      expect(final, trace).toEqual({ password: "canary-7f3a9c1e-second" });
  };

  describe("two invocations at once", () => {
    it("over an existing Secret leave AWSCURRENT, and no older value is written after a newer one", async () => {
      await inSchedules((choose) => playRotation(choose, { isBoundBefore: true }));
    });

    it("over an absent Secret leave AWSCURRENT, and neither overwrites the Secret that the other created", async () => {
      // The check after a create makes some thousand schedules: some of them are drawn.
      await inSchedules((choose) => playRotation(choose, { isBoundBefore: false }), 100);
    });

    it.each([
      { it: "that exists", isBoundBefore: true },
      { it: "that does not exist yet", isBoundBefore: false },
    ])(
      "for one source each, over a Secret of both $it, leave both as they are now",
      async ({ isBoundBefore }) => {
        const play = async (choose: Choose): Promise<void> => {
          const secretName = granted[used++ % granted.length] ?? "";
          await scene.deleteSecret(secretName).catch(() => {});
          const create = (key: string) =>
            scene.createSource(`fence/${randomUUID()}`, `{"${key}":"canary-7f3a9c1e-old"}`);
          const zeroth = [await create("a"), await create("b")] as const;
          const bound = { sourceNames: zeroth.map(({ name }) => name), secretName };
          if (isBoundBefore) {
            // Minutes ago, so that no read has to be confirmed: each would multiply the schedules.
            const now = () => Date.now() - 3 * 60_000;
            const before = await startRelay(backend, { bindings: [bindingOf(bound)], now });
            await before.invoke(labelUpdated(backend, zeroth[0]));
          }
          const orders: TestSource[][] = zeroth.map((source) => [source]);
          const interleaver = new Interleaver();
          const landed: Landed[] = [];
          const actors = await Promise.all(
            zeroth.map(async (source, index) => {
              const actor = index === 0 ? "A" : "B";
              const relay = await startSteppedRelay(actor, bound, interleaver, landed);
              const value = `{"${index === 0 ? "a" : "b"}":"canary-7f3a9c1e-new"}`;
              return async () => {
                const next = await interleaver.step(actor, "sees the label move", () =>
                  scene.rotate(source, value),
                );
                orders[index]?.push(next);
                await relay.invoke(labelUpdated(backend, next));
              };
            }),
          );

          await interleaver.run(actors, choose);

          const trace = interleaver.trace.join("\n");
          expect(await scene.readData(secretName), trace).toEqual({
            a: "canary-7f3a9c1e-new",
            b: "canary-7f3a9c1e-new",
          });
          for (const [index, order] of orders.entries()) {
            const ofSource = landed.map((each) => ({ ...each, versionId: each.versions[index] ?? "" }));
            expect(ofSource, trace).toEqual(inOrder(ofSource, order));
          }
        };
        await (isBoundBefore ? inSchedules(play) : inSchedules(play, 60));
      },
    );

    it("leave a rollback in place, although the rotation before it is still in progress", async () => {
      const play = async (choose: Choose): Promise<void> => {
        const secretName = granted[used++ % granted.length] ?? "";
        await scene.deleteSecret(secretName).catch(() => {});
        const old = await scene.createSource(`fence/${randomUUID()}`, '{"password":"canary-7f3a9c1e-old"}');
        const bound = { sourceNames: [old.name], secretName };
        const targets = [{ namespace: scene.namespace, name: secretName }];
        const before = await startRelay(backend, { bindings: [{ source: old.name, targets }] });
        await before.invoke(labelUpdated(backend, old));
        const rotated = await scene.rotate(old, '{"password":"canary-7f3a9c1e-new"}');
        const interleaver = new Interleaver();
        const relayOfRotation = await startSteppedRelay("A", bound, interleaver, []);
        const relayOfRollback = await startSteppedRelay("B", bound, interleaver, []);
        const rollBack = async () => {
          await interleaver.step("B", "sees the label move back", () => scene.rollBack(rotated, old));
          // The clock of events has whole seconds: it went back in a later one than the Secret was written in.
          await relayOfRollback.invoke(labelUpdated(backend, old, Date.now() + 1_000));
        };

        await interleaver.run([() => relayOfRotation.invoke({ secretId: old.name }), rollBack], choose);

        expect(await scene.readData(secretName), interleaver.trace.join("\n")).toEqual({
          password: "canary-7f3a9c1e-old",
        });
      };
      await inSchedules(play);
    });

    it("while another client deletes the Secret leave no old value behind", async () => {
      const meddle = (name: string) => scene.deleteSecret(name).catch(() => {});
      // A third actor makes thousands of schedules: some of them are drawn.
      await inSchedules((choose) => playRotation(choose, { isBoundBefore: true, meddle }), 40);
    });

    it("while another client recreates the Secret leave the new one unchanged", async () => {
      const play = async (choose: Choose): Promise<void> => {
        const secretName = granted[used++ % granted.length] ?? "";
        await scene.deleteSecret(secretName).catch(() => {});
        const source = await scene.createSource(
          `fence/${randomUUID()}`,
          '{"password":"canary-7f3a9c1e-ours"}',
        );
        const interleaver = new Interleaver();
        const bound = { sourceNames: [source.name], secretName };
        const relay = await startSteppedRelay("A", bound, interleaver, []);
        await relay.dependencies.connect("main"); // opened outside the schedule
        const meddle = () =>
          interleaver.step("B", "makes a Secret of its own", async () => {
            await scene.deleteSecret(secretName).catch(() => {});
            await scene.createSecret(secretName, { password: "canary-7f3a9c1e-theirs" });
          });

        await interleaver.run([() => relay.invoke(labelUpdated(backend, source)), meddle], choose);

        expect(await scene.readData(secretName), interleaver.trace.join("\n")).toEqual({
          password: "canary-7f3a9c1e-theirs",
        });
      };
      await inSchedules(play);
    });
  });
}

/** What landed, as it must have landed: by the order in which the versions became current. */
function inOrder(landed: readonly Landed[], order: readonly TestSource[]): readonly Landed[] {
  const rank = (versionId: string): number => order.findIndex((source) => source.versionId === versionId);
  const byServer = [...landed].sort((one, other) => one.resourceVersion - other.resourceVersion);
  return byServer.toSorted((one, other) => rank(one.versionId) - rank(other.versionId));
}
