import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { publishBindings } from "../cli/publish/publish-bindings.ts";
import type { CompiledBindings } from "../shared/bindings/binding.ts";
import { openBindingsStore } from "../test/harness/bindings-store.ts";
import { buildFunction } from "../test/harness/build-function.ts";
import { type Fleet, type Member, must, openFleet, pathOf } from "../test/harness/fleet.ts";
import { startLambdaProcess } from "../test/harness/start-lambda-process.ts";
import { type Bench, machine, round } from "./bench.ts";
import { startBackend } from "./start-backend.ts";

/**
 * One more binding is published beside many, and its Secret is the only one that is missing: the time from the start of
 * the sweep until that Secret exists (`firstMs`) and until the sweep ends (`ms`), with the built reconcile function in its
 * own process. `unnamedFirstMs` and `unnamedMs`: the same if the input names no publication, as that of the schedule.
 *
 * The sweeps run in one invocation, without a queue, and each starts a process of its own. The Secret is the last one of
 * the bindings.
 */
export const publication: Bench = {
  summary: "the time until a newly bound Secret exists",
  hasBackend: true,
  counts: { bindings: { meaning: "published bindings", fallback: 10_000 } },
  run: async ({ backend: name, counts: { bindings = 0 } }) => {
    const backend = await startBackend(name);
    const built = await buildFunction("reconcile");
    const fleet = await openFleet(backend, { size: bindings });
    const store = await openBindingsStore(backend);
    try {
      const all = JSON.parse(await readFile(fleet.bindingsFile, "utf8")) as CompiledBindings;
      const added = fleet.members.at(-1);
      if (added === undefined) throw new RangeError("The bench needs a binding");
      const publish = async (compiled: CompiledBindings) =>
        publishBindings(store.bucket, compiled, await store.bucket.readPointer(), PUBLISHER);
      await publish({ ...all, bindings: all.bindings.slice(0, -1) });
      await publish(all);
      const version = await store.versionInForce();
      const run = async (input: object) => {
        await remove(fleet, added);
        const env = { ...backend.aws.env, BINDINGS_BUCKET: store.bucket.name, BINDINGS_FILE: "" };
        const relay = await startLambdaProcess(built.handlerFile, env);
        try {
          return await timeSweep(fleet, added, () => relay.invoke(input));
        } finally {
          await relay.stop();
        }
      };
      const unnamed = await run({ sweep: "metadata" });
      const named = await run({ sweep: "metadata", publication: version });
      return {
        backend: name,
        bindings,
        firstMs: round(named.firstMs),
        ms: round(named.ms),
        unnamedFirstMs: round(unnamed.firstMs),
        unnamedMs: round(unnamed.ms),
        machine: machine(),
      };
    } finally {
      store.close();
      await fleet.close();
      await built.remove();
      await backend.stop();
    }
  },
};

const PUBLISHER = {
  callerArn: "arn:aws:iam::111122223333:role/publisher",
  now: Date.now,
  reportProgress: () => {},
};

async function remove({ admin }: Fleet, { binding }: Member): Promise<void> {
  await must(admin, pathOf(binding.target), { method: "DELETE" });
}

async function timeSweep(
  fleet: Fleet,
  added: Member,
  invoke: () => Promise<{ readonly error?: { readonly message?: string } }>,
): Promise<{ readonly firstMs: number; readonly ms: number }> {
  const startedAt = performance.now();
  let isEnded = false;
  const ended = invoke().then(({ error }) => {
    isEnded = true;
    if (error !== undefined) throw new Error(`The sweep failed: ${error.message}`);
    return performance.now() - startedAt;
  });
  let firstMs: number | undefined;
  while (firstMs === undefined) {
    const wasEnded = isEnded;
    const secret = await fleet.readSecret(added).catch(() => undefined);
    if (secret?.kind === "Secret") firstMs = performance.now() - startedAt;
    else if (wasEnded) throw new Error("The sweep has not written the Secret");
    else await sleep(POLL_MS);
  }
  return { firstMs, ms: await ended };
}

const POLL_MS = 10;
