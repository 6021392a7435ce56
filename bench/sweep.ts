import { isDeepStrictEqual } from "node:util";
import type { Backend } from "../test/contract/backend.ts";
import { pinnedCluster } from "../test/contract/relay.ts";
import { type Invocation, startLambdaProcess } from "../test/reconcile/start-lambda-process.ts";
import { buildFunction } from "../test/rotation/build-function.ts";
import type { SandboxBackend } from "../test/sandbox/start-backend.ts";
import { LASTING, mixDrifts, REPAIRABLE } from "../test/sweep/drifts.ts";
import { type Drift, expectedFindings, type Fleet, foundBy, openFleet } from "../test/sweep/fleet.ts";
import { type Bench, machine, quantile, round } from "./bench.ts";
import { type CountingProxy, startCountingProxy } from "./counting-proxy.ts";
import { startBackend } from "./start-backend.ts";

/**
 * Sweeps by metadata over sources that are each bound to one Secret, by the built reconcile function in a process of its
 * own. `ms` is the first of them, which connects and whose code V8 compiles as it runs; `againMs` is the median of the
 * next ones, as every sweep is while Lambda keeps the function. The servers are in this process, so `maxRssMB` is the
 * relay's alone, and calls and values are counted where they arrive.
 *
 * With `--drifted`, as many of the bindings are made to differ in every way that a sweep knows: each must be found under
 * its code, what can be repaired must be, and later sweeps must find only what a person has to settle.
 */
export const sweep: Bench = {
  summary: "one sweep by metadata over many bindings",
  hasBackend: true,
  counts: {
    bindings: { means: "bindings to look at", otherwise: 1_000 },
    drifted: { means: "of those, how many differ", otherwise: 0 },
    again: { means: "sweeps after the first", otherwise: 5 },
  },
  run: async ({ backend: name, counts: { bindings = 0, drifted = 0, again: sweepsAgain = 0 } }) => {
    const backend = await startBackend(name);
    const counter = await startCounter(backend);
    const built = await buildFunction("reconcile");
    const drifts = mixDrifts([...REPAIRABLE, ...LASTING], drifted);
    const clusters = { main: { ...pinnedCluster(backend), ...counter.cluster } };
    const fleet = await openFleet(backend, { size: bindings, drifts, clusters });
    try {
      await fleet.drift();
      const relay = await startLambdaProcess(built.handlerFile, {
        ...counter.env,
        BINDINGS_FILE: fleet.bindingsFile,
      });
      try {
        const before = counter.read();
        const first = await relay.invoke({ sweep: "metadata" });
        const after = counter.read();
        mustHaveFound(fleet, first, ({ action }) => action);
        const again: Invocation[] = [];
        while (again.length < sweepsAgain) {
          const next = await relay.invoke({ sweep: "metadata" });
          mustHaveFound(fleet, next, ({ again: action }) => action);
          again.push(next);
        }
        const median = (of: (next: Invocation) => number) => quantile(again.map(of), 0.5);
        return {
          backend: name,
          bindings,
          drifted,
          awsCalls: after.aws - before.aws,
          kubernetesCalls: after.kubernetes - before.kubernetes,
          secretValuesRead: after.values - before.values,
          ms: round(first.ms),
          cpuMs: round(first.cpuMs),
          againMs: round(median(({ ms }) => ms)),
          againCpuMs: round(median(({ cpuMs }) => cpuMs)),
          againPerBindingMs: round(median(({ ms }) => ms) / bindings, 4),
          maxRssMB: round(Math.max(...again.map(({ maxRssMB }) => maxRssMB))),
          machine: machine(),
        };
      } finally {
        await relay.stop();
      }
    } finally {
      await fleet.close();
      await built.remove();
      await counter.stop();
      await backend.stop();
    }
  },
};

type Counts = { readonly aws: number; readonly kubernetes: number; readonly values: number };

type Counter = Pick<CountingProxy, "env" | "stop"> & {
  readonly cluster?: CountingProxy["cluster"];
  read(): Counts;
};

/** The sandbox counts by itself; what goes to real servers is counted on its way. */
async function startCounter(backend: Backend): Promise<Counter> {
  if (!isSandbox(backend)) {
    const proxy = await startCountingProxy(backend);
    return { ...proxy, read: () => ({ ...proxy.counts }) };
  }
  const { aws, kubernetes } = backend.sandbox;
  const read = () => ({
    aws: aws.counters.callsTotal,
    kubernetes: kubernetes.requests.total,
    values: aws.counters.secretValuesServed + kubernetes.requests.secretValuesServed,
  });
  return { env: aws.env, read, stop: async () => {} };
}

function isSandbox(backend: Backend): backend is SandboxBackend {
  return backend.name === "sandbox";
}

/** A fast wrong answer stops the bench. */
function mustHaveFound(
  fleet: Fleet,
  { answer, error }: Invocation,
  actionOf: (drift: Drift) => string | undefined,
): void {
  if (answer === undefined) throw new Error(`The sweep failed: ${error?.name}: ${error?.message}`);
  const bound = fleet.members.filter(({ drift }) => !drift?.isUnbound).length;
  const unknown = answer.targets.find(({ action }) => action === "unknown");
  if (answer.checked !== bound || unknown !== undefined) {
    throw new Error(`${answer.checked} of ${bound} were checked: ${JSON.stringify(unknown)}`);
  }
  const [found, expected] = [foundBy(answer), expectedFindings(fleet, actionOf)];
  if (isDeepStrictEqual(found, expected)) return;
  const wrong = [...new Set(found).symmetricDifference(new Set(expected))];
  throw new Error(`Found or expected, not both: ${wrong.slice(0, 20).join("; ")}`);
}
