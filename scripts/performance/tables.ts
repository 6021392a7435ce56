import { code, tableOf } from "../reference/markdown.ts";
import { kB, type Recorded, type Results, type Sweep, thousands } from "./results.ts";

/** Each measurement with its result and the arguments of its bench. */
export function resultsTable(results: Results): string {
  const { rotation, rotationOnSandbox, burst, burstOnRealServers, coldStarts, sweeps, publication, publish } =
    results;
  const [, coldStart] = coldStarts;
  const cold = coldStart.result;
  const ofRotation = ({ result }: typeof rotation) => `p50 ${result.p50Ms} ms, p95 ${result.p95Ms} ms`;
  const ofBurst = ({ result }: typeof burst) => `${result.failed} lost, ${result.perSecond} per second`;
  const ofStarts = (pick: (result: typeof cold) => number) =>
    coldStarts.map(({ result }) => pick(result)).join(", ");
  const rows = [
    row(
      rotation,
      "rotation, real servers",
      `${ofRotation(rotation)}; ${rotation.result.timesFloor} times a bare client (limit 1.3)`,
    ),
    row(rotationOnSandbox, "rotation, sandbox", ofRotation(rotationOnSandbox)),
    row(
      burstOnRealServers,
      `${thousands(burstOnRealServers.result.events)} at once, real servers`,
      ofBurst(burstOnRealServers),
    ),
    row(burst, `${thousands(burst.result.events)} at once, sandbox`, ofBurst(burst)),
    row(
      coldStart,
      "bundle",
      `${kB(cold.bundleBytes)} (limit 1000 kB), ${kB(cold.initialBytes)} loaded at start; naive ${kB(cold.naiveBytes)}`,
    ),
    row(
      coldStart,
      "added to a start",
      `${cold.addedWithFileMs} ms; naive bundle ${cold.naiveAddedMs} ms; with V8's code cache ${cold.addedWithCacheMs} ms`,
    ),
    row(
      coldStart,
      `the same, with ${coldStarts.map(({ result }) => thousands(result.bindings)).join(", ")} published bindings`,
      `${ofStarts(({ addedMs }) => addedMs)} ms; with connections and first event ${ofStarts(({ connectedMs }) => connectedMs)} ms`,
    ),
    ...[...sweeps, results.driftedSweep].map((sweep) =>
      row(sweep, nameOfSweep(sweep.result), costOfSweep(sweep.result)),
    ),
    ...[results.rollouts, results.stuckRollouts].map((rollouts) =>
      row(
        rollouts,
        `${thousands(rollouts.result.workloads)} workloads, ${endOfRollouts(rollouts.result)}`,
        `${thousands(rollouts.result.invocations)} invocations, ${usdOf(rollouts)} USD`,
      ),
    ),
    row(
      publication,
      "new binding to Secret",
      `${Math.round(publication.result.firstMs)} ms; by schedule ${Math.round(publication.result.unnamedFirstMs)} ms`,
    ),
    row(
      publish,
      `\`publish\` of ${thousands(publish.result.bindings)}`,
      `${publish.result.publish.seconds} s, ${publish.result.publish.maxRssMB} MB (limit: heap of ${publish.result.heapMB} MB)`,
    ),
  ];
  const days = [rotation, coldStart, publish].map(({ day }) => day).sort();
  return [
    `Measured from ${days[0]} to ${days.at(-1)} on ${coldStart.machine}, which the servers share:`,
    "",
    tableOf(["measurement", "result", "arguments"], rows),
  ].join("\n");
}

const endOfRollouts = ({ kubernetesPatches, seconds }: Results["rollouts"]["result"]): string =>
  kubernetesPatches === 0
    ? "all stuck until the deadline of half an hour"
    : `whose rollouts take ${seconds} s`;

const usdOf = ({ result }: Results["rollouts"]): string => result.usd.toFixed(3);

const BENCH = "npm run bench -- ";

function row({ command }: Recorded<unknown>, measurement: string, result: string): string[] {
  if (!command.startsWith(BENCH)) throw new TypeError(`${command} is not a bench`);
  return [measurement, result, code(command.slice(BENCH.length))];
}

/** Each build measure, with its effect on the rotation bundle. */
export function measuresTable({ bundle: { result, command, day } }: Results): string {
  const rowOf = (variant: string, measure: string, location: string) => {
    const found = result.variants.find((candidate) => candidate.variant === variant);
    if (found === undefined) throw new TypeError(`bench/results/bundle.json lacks the variant ${variant}`);
    const { bytes, initialBytes, addedMs } = found;
    return [measure, kB(bytes), kB(initialBytes), `${addedMs} ms`, location];
  };
  return [
    `Measured on ${day} with \`${command}\`:`,
    "",
    tableOf(
      ["variant", "all files", "at start", "added to a start", "code"],
      [
        rowOf("as built", "as built", "`scripts/bundle.ts`"),
        rowOf("without code splitting", "one file, no chunks", "every `import()`"),
        rowOf("without the undici stand-in", "with undici", "`shared/cluster/undici-stand-in.ts`"),
        rowOf("without slim-aws-sdk", "with all AWS schemas", "`scripts/slim-aws-sdk.ts`"),
        rowOf(
          "without slim-client-node",
          "with all 750 models of client-node",
          "`scripts/slim-client-node.ts`",
        ),
      ],
    ),
  ].join("\n");
}

const inSeconds = (ms: number): string => (ms / 1_000).toFixed(1);

function nameOfSweep({ bindings, drifted }: Sweep): string {
  return `sweep of ${thousands(bindings)}${drifted === 0 ? "" : `, ${drifted} drifted`}`;
}

function costOfSweep({ ms, againMs, awsCalls, kubernetesCalls, secretValuesRead, maxRssMB }: Sweep): string {
  const times = `first ${inSeconds(ms)} s, later ${inSeconds(againMs)} s, ${Math.round(maxRssMB)} MB`;
  return `${times}; ${awsCalls} AWS calls, ${kubernetesCalls} Kubernetes calls, ${secretValuesRead} values read`;
}
