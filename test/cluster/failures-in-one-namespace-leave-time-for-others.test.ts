import { describe, expect, it } from "vitest";
import { budgetForRetries } from "../../shared/cluster/call-budget.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import { ClusterForbidden, ClusterUnavailable, FenceConflict } from "../../shared/cluster/errors.ts";
import { limitFailures } from "../../shared/cluster/limit-failures.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";

const AT_ONCE = 4;

/** A connection on which time passes only in calls, and which notes what each call may do. */
const prepare = (options: { fails: (namespace: string) => Error | undefined; takesMs: number }) => {
  const clock = { ms: 0 };
  const calls: { namespace: string; mayRetry: boolean }[] = [];
  const running = { now: 0, most: 0 };
  const apply: ClusterConnection["applySecret"] = async ({ metadata }, _how, budget) => {
    const { namespace = "" } = metadata ?? {};
    running.now += 1;
    running.most = Math.max(running.most, running.now);
    const startedAt = clock.ms;
    const call = { namespace, mayRetry: budgetForRetries(budget).remainingMs() > 0 };
    calls.push(call);
    await Promise.resolve();
    const error = options.fails(namespace);
    if (error !== undefined) {
      clock.ms = Math.max(clock.ms, startedAt + options.takesMs);
      call.mayRetry = budgetForRetries(budget).remainingMs() > 0;
    }
    running.now -= 1;
    if (error !== undefined) throw error;
    return {} as Awaited<ReturnType<ClusterConnection["applySecret"]>>;
  };
  const cluster = limitFailures({ applySecret: apply } as unknown as ClusterConnection, {
    atOnce: AT_ONCE,
    now: () => clock.ms,
  });
  const write = (namespace: string, budget: TimeBudget) =>
    cluster
      .applySecret({ metadata: { namespace, name: "db" } }, { fieldManager: "relay", force: false }, budget)
      .then(
        () => "written",
        (error: unknown) => (error as Error).name,
      );
  return { clock, calls, running, write };
};

const anInvocation = (): TimeBudget => ({
  signal: new AbortController().signal,
  remainingMs: () => 60_000,
});

const inPay = (error: Error) => (namespace: string) => (namespace === "pay" ? error : undefined);
const down = new ClusterUnavailable("main", "HTTP 500");

describe("writes of a namespace that fail", () => {
  it("are attempted with retries three times, then once each, so that a working one among them is written", async () => {
    let fails = true;
    const { calls, write } = prepare({ fails: (at) => (fails ? inPay(down)(at) : undefined), takesMs: 5 });
    const budget = anInvocation();
    for (let at = 0; at < 20; at += 1) expect(await write("pay", budget)).toBe("ClusterUnavailable");
    fails = false;

    expect(await write("pay", budget)).toBe("written");
    expect(await write("shop", budget)).toBe("written");

    expect(calls.map(({ mayRetry }) => mayRetry)).toEqual([
      ...[true, true, true],
      ...Array(17).fill(false),
      false,
      true,
    ]);
  });

  it("are retried again after one that succeeded", async () => {
    let fails = true;
    const { calls, write } = prepare({ fails: () => (fails ? down : undefined), takesMs: 5 });
    const budget = anInvocation();
    for (let at = 0; at < 3; at += 1) await write("pay", budget);
    fails = false;
    await write("pay", budget);
    await write("pay", budget);
    expect(calls.map(({ mayRetry }) => mayRetry)).toEqual([true, true, true, false, true]);
  });

  it("slowly are not retried, and soon not sent: 200 of them hold up one of another namespace for 10 s", async () => {
    const { clock, calls, running, write } = prepare({
      fails: inPay(new ClusterUnavailable("main", "timeout")),
      takesMs: 10_000,
    });
    const budget = anInvocation();

    const all = await Promise.all([
      ...Array.from({ length: 200 }, () => write("pay", budget)),
      write("shop", budget),
    ]);

    expect(all.slice(0, 200)).toEqual(Array(200).fill("ClusterUnavailable"));
    expect(all.at(-1)).toBe("written");
    expect(clock.ms).toBe(10_000);
    expect(calls.filter(({ namespace }) => namespace === "pay")).toEqual(
      Array(AT_ONCE).fill({ namespace: "pay", mayRetry: false }),
    );
    expect(running.most).toBe(AT_ONCE + 1);
  });

  it.each([
    { it: "a refusal", error: new ClusterForbidden("main", "patch", "Secret pay/db") },
    { it: "a fence conflict", error: new FenceConflict("Secret pay/db") },
  ])("do not count when it is $it", async ({ error }) => {
    const { calls, write } = prepare({ fails: () => error, takesMs: 5 });
    const budget = anInvocation();
    for (let at = 0; at < 6; at += 1) await write("pay", budget);
    expect(calls.every(({ mayRetry }) => mayRetry)).toBe(true);
  });

  it("are forgotten in the next invocation", async () => {
    const { calls, write } = prepare({ fails: inPay(down), takesMs: 10_000 });
    const first = anInvocation();
    for (let at = 0; at < 6; at += 1) await write("pay", first);
    expect(calls).toHaveLength(2);
    await write("pay", anInvocation());
    expect(calls).toHaveLength(3);
  });
});
