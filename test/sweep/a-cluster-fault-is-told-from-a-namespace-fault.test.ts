import { describe, expect, it } from "vitest";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import {
  ClusterForbidden,
  ClusterThrottled,
  ClusterTokenRefused,
  ClusterUnavailable,
  ClusterUntrusted,
} from "../../shared/cluster/errors.ts";
import { RelayError } from "../../shared/relay-error.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { circuitBreaker } from "../../shared/sweep/circuit-breaker.ts";

const budget: TimeBudget = { signal: new AbortController().signal, remainingMs: () => 60_000 };

/** A cluster whose reads and writes fail as a test says. */
const prepare = (state: { read?: Error | undefined; write?: Error | undefined }) => {
  const sent: string[] = [];
  const pauses: number[] = [];
  const call = (what: "read" | "write", namespace = "") => {
    sent.push(`${what} ${namespace}`);
    const error = state[what];
    return error === undefined ? Promise.resolve(undefined as never) : Promise.reject(error);
  };
  const cluster = circuitBreaker(
    {
      readMetadata: ({ namespace }: { namespace: string }) => call("read", namespace),
      applySecret: ({ metadata }: { metadata?: { namespace?: string } }) =>
        call("write", metadata?.namespace),
    } as unknown as ClusterConnection,
    {
      wait: async (ms) => {
        pauses.push(ms);
      },
    },
  );
  const resultOf = (promise: Promise<unknown>) =>
    promise.then(
      () => "done",
      (error: unknown) => (error instanceof RelayError ? error.code : String(error)),
    );
  const read = (namespace: string) => resultOf(cluster.readMetadata({ namespace, name: "db" }, budget));
  const write = (namespace: string) =>
    resultOf(
      cluster.applySecret({ metadata: { namespace } }, { fieldManager: "relay", force: false }, budget),
    );
  return { state, sent, pauses, read, write };
};

const times = async (count: number, run: (at: number) => Promise<unknown>): Promise<void> => {
  for (let at = 0; at < count; at += 1) await run(at);
};

/** Whether the breaker sends every further call. */
const sendsAll = async (at: ReturnType<typeof prepare>): Promise<boolean> => {
  const before = at.sent.length;
  await times(30, (index) => at.read(`other-${index}`));
  return at.sent.length - before === 30;
};

const ABOUT_THE_CLUSTER = [
  ["no connection", new ClusterUnavailable("main", "ECONNREFUSED")],
  ["a refused token", new ClusterTokenRefused("main")],
  ["another certificate", new ClusterUntrusted("main")],
] as const;

const ABOUT_ONE_OBJECT_IF_WRITTEN = [
  ["a 500", new ClusterUnavailable("main", "HTTP 500")],
  ["a 503", new ClusterUnavailable("main", "HTTP 503")],
  ["a timeout", new ClusterUnavailable("main", "timeout")],
  ["a 429", new ClusterThrottled("main", 1_000)],
] as const;

describe("five writes in a row that fail with", () => {
  it.each(ABOUT_THE_CLUSTER)("%s stop the sweep of the cluster", async (_, error) => {
    const at = prepare({ write: error, read: error });
    await times(5, () => at.write("pay"));
    expect(await sendsAll(at)).toBe(false);
  });

  it.each(ABOUT_ONE_OBJECT_IF_WRITTEN)("%s stop nothing", async (_, error) => {
    const at = prepare({ write: error });
    await times(5, () => at.write("pay"));
    expect(await sendsAll(at)).toBe(true);
  });
});

describe("reads in a row that fail with", () => {
  it.each([...ABOUT_THE_CLUSTER, ...ABOUT_ONE_OBJECT_IF_WRITTEN])(
    "%s in several namespaces stop the sweep after a few more tries",
    async (_, error) => {
      const at = prepare({ read: error });
      await times(100, (index) => at.read(`team-${index}`));
      expect(at.sent.length).toBeLessThanOrEqual(13);
      expect(at.pauses.length).toBeLessThanOrEqual(10);
    },
  );

  it("a 500 in one namespace stop nothing", async () => {
    const at = prepare({ read: new ClusterUnavailable("main", "HTTP 500") });
    await times(5, () => at.read("pay"));
    at.state.read = undefined;
    expect(await sendsAll(at)).toBe(true);
  });

  it("a refusal by RBAC stop nothing", async () => {
    const at = prepare({ read: new ClusterForbidden("main", "get", "Secret pay/db") });
    await times(5, () => at.read("pay"));
    expect(await sendsAll(at)).toBe(true);
  });
});

describe("a cluster that was given up", () => {
  it("is tried again by one call at a time, and used again after the first that works", async () => {
    const at = prepare({ read: new ClusterUnavailable("main", "HTTP 503") });
    await times(3, (index) => at.read(`team-${index}`));
    await at.read("team-3");
    at.state.read = undefined;

    expect(await Promise.all(Array.from({ length: 50 }, () => at.read("team-4")))).toEqual(
      Array(50).fill("done"),
    );
    expect(at.pauses).toEqual([250, 500]);
    expect(await sendsAll(at)).toBe(true);
  });

  it("is tried again no earlier than it asks for", async () => {
    const at = prepare({ read: new ClusterThrottled("main", 9_000) });
    await times(4, (index) => at.read(`team-${index}`));
    expect(at.pauses).toEqual([9_000]);
  });

  it("is tried from several namespaces, so that a bad one alone does not decide", async () => {
    const at = prepare({ read: new ClusterUnavailable("main", "HTTP 503") });
    await times(50, () => at.read("pay"));
    expect(at.sent).toHaveLength(6);
    at.state.read = undefined;
    expect(await at.read("shop")).toBe("done");
    expect(await at.read("pay")).toBe("done");
  });
});
