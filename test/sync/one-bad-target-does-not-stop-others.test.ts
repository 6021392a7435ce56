import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { ClusterForbidden, ClusterUnavailable } from "../../shared/cluster/errors.ts";
import type { CurrentSource } from "../../shared/source/source.ts";
import { type SyncCluster, type SyncDependencies, syncSource } from "../../shared/sync/sync-source.ts";
import { CANARY, desiredOf, liveAfter, NOW } from "../assess/factories.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { aBinding, textSource } from "../render/factories.ts";

const current: CurrentSource = textSource(`{"password":"${CANARY}"}`);

/** A connection without live Secrets, where every write succeeds except for the names that a test makes fail. */
const connection = (failing: Record<string, unknown> = {}): SyncCluster => ({
  readSecret: async ({ name }) => {
    if (name in failing) throw failing[name];
    return undefined;
  },
  applySecret: async () => liveAfter(desiredOf()),
  deleteSecret: async () => true,
  patchMetadata: async () => ({ uid: "uid-1", resourceVersion: "8" }),
});

const run = (names: readonly string[], overrides: Partial<SyncDependencies> = {}) =>
  syncSource(
    {
      readCurrent: async () => current,
      checkRules: async () => "in-force",
      connect: () => connection(),
      now: () => NOW,
      wait: async () => {},
      followUp: async () => ({}),
      ...overrides,
    },
    {
      bindings: names.map((name) =>
        aBinding({ target: { cluster: "main", namespace: "app", name }, events: true }),
      ),
      budget: { signal: new AbortController().signal, remainingMs: () => 60_000 },
      ownMetadata: RELAY_METADATA,
    },
  );

describe("one bad target does not stop others", () => {
  it.each([
    {
      it: "terminal",
      error: new ClusterForbidden("main", "get", "Secret app/bad"),
      kind: "refused",
      code: "CLUSTER_FORBIDDEN",
    },
    {
      it: "retryable",
      error: new ClusterUnavailable("main", "ECONNRESET"),
      kind: "failed",
      code: "CLUSTER_UNAVAILABLE",
    },
    {
      it: "from a library",
      error: new TypeError(`cannot read ${CANARY}`),
      kind: "failed",
      code: "UNEXPECTED_FAULT",
    },
    { it: "not even an error", error: CANARY, kind: "failed", code: "UNEXPECTED_FAULT" },
  ])("when its error is $it", async ({ error, kind, code }) => {
    const outcomes = await run(["good", "bad", "fine"], { connect: () => connection({ bad: error }) });

    expect(Object.fromEntries(outcomes.map(({ target, kind }) => [target.name, kind]))).toEqual({
      good: "written",
      bad: kind,
      fine: "written",
    });
    expect(outcomes.find(({ target }) => target.name === "bad")).toMatchObject({ code });
    expect(inspect(outcomes, { depth: null })).not.toContain(CANARY);
  });

  it("nor delays the follow-up actions of another while its write hangs", async () => {
    const followed = Promise.withResolvers<void>();
    const hangs: SyncCluster = {
      ...connection(),
      applySecret: async ({ metadata }) => {
        if (metadata?.name === "bad") await followed.promise;
        return liveAfter(desiredOf());
      },
    };
    const outcomes = await run(["bad", "good"], {
      connect: () => hangs,
      followUp: async () => {
        followed.resolve();
        return {};
      },
    });
    expect(outcomes.map(({ kind }) => kind)).toEqual(["written", "written"]);
  });

  it("and a source that cannot be read is the outcome of each target", async () => {
    const readCurrent = () => Promise.reject(new SyntaxError(`Unexpected token in ${CANARY}`));
    const outcomes = await run(["one", "two"], { readCurrent });
    expect(outcomes.map(({ kind }) => kind)).toEqual(["failed", "failed"]);
    expect(inspect(outcomes, { depth: null })).not.toContain(CANARY);
  });
});
