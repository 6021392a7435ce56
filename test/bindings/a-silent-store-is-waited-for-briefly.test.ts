import { expect, it } from "vitest";
import { limitStoreWait, STORE_WAIT_MS_MAX } from "../../shared/bindings/published/limit-store-wait.ts";
import { readObjectWith } from "../../shared/bindings/published/read-object.ts";
import { startTimeBudget, type TimeBudget } from "../../shared/runtime/time-budget.ts";
import { virtualTime } from "../chaos/time/virtual-time.ts";
import { interceptRequests } from "../chaos/transport/intercept-requests.ts";

const MINUTE_MS = 60_000;
/** Runs in virtual time, with a budget of one minute. */
const inVirtualTime = <T>(work: (budget: TimeBudget, now: () => number) => Promise<T>): Promise<T> => {
  const time = virtualTime(0);
  return time.run(() => work(startTimeBudget(MINUTE_MS, time.now), time.now));
};
const silent = ({ signal }: TimeBudget) =>
  new Promise<"no answer">((resolve) => {
    if (signal.aborted) resolve("no answer");
    signal.addEventListener("abort", () => resolve("no answer"));
  });
const answeringAfter = (ms: number) => () => new Promise((resolve) => void setTimeout(resolve, ms));

it("two seconds, for all reads of an event together", async () => {
  await inVirtualTime(async (budget, now) => {
    const waitForStore = limitStoreWait(budget, now);
    await waitForStore(answeringAfter(600));
    await Promise.all([waitForStore(answeringAfter(400)), waitForStore(answeringAfter(300))]); // side by side
    await answeringAfter(5_000)(); // not a wait for S3
    const startedAt = now();

    expect(await waitForStore(silent)).toBe("no answer");
    expect(now() - startedAt).toBe(STORE_WAIT_MS_MAX - 600 - 400);
    expect(await waitForStore(silent)).toBe("no answer");
    expect(now() - startedAt).toBe(STORE_WAIT_MS_MAX - 600 - 400);
  });
});

it("never longer than the invocation has", async () => {
  await inVirtualTime(async (_budget, now) => {
    const waitForStore = limitStoreWait(startTimeBudget(300, now), now);

    expect(await waitForStore(silent)).toBe("no answer");
    expect(now()).toBe(300);
  });
});

it("a second try follows after half of the time, because the first connection may be dead", async () => {
  const requestsAt: number[] = [];
  const read = await inVirtualTime(async (budget, now) => {
    const release = interceptRequests(() => async () => {
      requestsAt.push(now());
      if (requestsAt.length === 1) return new Promise(() => {});
      return { status: 200, headers: { etag: '"tag"' }, body: "{}" };
    });
    try {
      const readObject = readObjectWith({
        region: "eu-west-1",
        env: {},
        credentials: async () => ({ accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" }),
        now,
      });
      return await limitStoreWait(budget, now)((left) => readObject({ bucket: "b", key: "k" }, left));
    } finally {
      release();
    }
  });

  expect(read).toMatchObject({ kind: "object", etag: '"tag"' });
  expect(requestsAt[0]).toBe(0);
  expect(requestsAt[1]).toBeGreaterThan(STORE_WAIT_MS_MAX / 2);
  expect(requestsAt).toHaveLength(2);
});
