import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { triggerChange } from "../../functions/rotation/trigger-change.ts";
import type { BindingIndex } from "../../shared/bindings/binding-index.ts";
import { startTimeBudget } from "../../shared/runtime/time-budget.ts";

const SELF = { partition: "aws", region: "eu-west-1", accountId: "111122223333" };
const index = {
  clusters: { main: { name: "main", region: "eu-west-1", externalSecrets: { namespaces: "all" } } },
} as unknown as BindingIndex;

function announce(all: readonly Promise<unknown>[], budget = startTimeBudget(60_000)) {
  const calls: string[] = [];
  const deps = {
    log: () => {},
    trigger: async () => {
      calls.push("trigger");
      return [];
    },
  };
  const event = { webhookIds: ["shop"], self: SELF, requestId: "request-1" };
  const done = triggerChange(deps, index, event, { ofChange: Promise.resolve([]), all }, budget);
  return { calls, done };
}

it("starts when every write of the invocation has ended, also one that failed", async () => {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { calls, done } = announce([first.promise, second.promise]);

  first.resolve();
  await nextTurn();
  expect(calls).toEqual([]);

  second.reject(new Error("a cluster is down"));
  await done;
  expect(calls).toEqual(["trigger"]);
});

it("starts at once without a write", async () => {
  const { calls, done } = announce([]);
  await done;
  expect(calls).toEqual(["trigger"]);
});

it("starts before the time of the invocation ends, while a write does not end", async () => {
  const { calls, done } = announce([new Promise(() => {})], startTimeBudget(20));
  await done;
  expect(calls).toEqual(["trigger"]);
});
