import { isDeepStrictEqual } from "node:util";
import type { Backend } from "../test/harness/backend.ts";
import { buildFunction } from "../test/harness/build-function.ts";
import { LASTING, mixDrifts, REPAIRABLE } from "../test/harness/drifts.ts";
import { type Drift, expectedFindings, type Fleet, foundBy, openFleet } from "../test/harness/fleet.ts";
import { pinnedCluster } from "../test/harness/relay.ts";
import { type Invocation, startLambdaProcess } from "../test/harness/start-lambda-process.ts";
import type { SandboxBackend } from "../test/harness/start-sandbox-backend.ts";
import { type Bench, machine, quantile, round } from "./bench.ts";
import { type CountingProxy, startCountingProxy } from "./counting-proxy.ts";
import { startBackend } from "./start-backend.ts";

/**
 * Sweeps by metadata over sources that are each bound to one Secret, with the built reconcile function in its own process.
 * `ms` is the first sweep, which connects and runs code that V8 has not compiled yet. `againMs` is the median of the next
 * ones, as in a Lambda environment that is reused. The servers run in the bench's process, so `maxRssMB` is the relay's
 * alone, with the NODE_OPTIONS of the template; calls and values are counted on the server side.
 *
 * With `--drifted N`, N bindings differ, in every kind of drift that a sweep detects. The sweep must report each with its
 * code and repair it where possible. Later sweeps must report only the remaining ones.
 */
export const sweep: Bench = {
  summary: "one sweep by metadata over many bindings",
  hasBackend: true,
  counts: {
    bindings: { meaning: "bindings to check", fallback: 1_000 },
    drifted: { meaning: "bindings that differ", fallback: 0 },
    again: { meaning: "sweeps after the first", fallback: 5 },
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

/** The sandbox counts its calls; calls to real servers go through a counting proxy. */
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

function mustHaveFound(
  fleet: Fleet,
  { answer, error }: Invocation,
  actionOf: (drift: Drift) => string | undefined,
): void {
  if (answer === undefined) throw new Error(`The sweep failed: ${error?.name}: ${error?.message}`);
  const bound = fleet.members.filter(({ drift }) => !drift?.isUnbound).length;
  const unknown = answer.targets.find(({ action }) => action === "unknown");
  if (answer.checked !== bound || unknown !== undefined) {
    throw new Error(`The sweep checked ${answer.checked} of ${bound} bindings: ${JSON.stringify(unknown)}`);
  }
  const [found, expected] = [foundBy(answer), expectedFindings(fleet, actionOf)];
  if (isDeepStrictEqual(found, expected)) return;
  const wrong = [...new Set(found).symmetricDifference(new Set(expected))];
  throw new Error(`Findings differ from those expected: ${wrong.slice(0, 20).join("; ")}`);
}
