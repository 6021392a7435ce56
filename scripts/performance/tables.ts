import { kB, type Recorded, type Results, thousands } from "./results.ts";

/** Each measurement with its command, date, result and limit. */
export function resultsTable(results: Results): string {
  const { rotation, rotationOnSandbox, burst, burstOnRealServers, coldStarts, sweeps, publication, publish } =
    results;
  const [, coldStart] = coldStarts;
  const cold = coldStart.result;
  const [small, , large] = sweeps;
  const growth = large.result.againPerBindingMs / small.result.againPerBindingMs;
  const ofRotation = ({ result }: typeof rotation) =>
    `p50 ${result.p50Ms} ms, p95 ${result.p95Ms} ms; a bare client takes ${result.floorP50Ms} ms, so ${result.timesFloor} times (${result.samples} samples)`;
  const ofBurst = ({ result }: typeof burst) => `${result.failed} lost, ${result.perSecond} per second`;
  return [
    "| measurement | command | date | result | limit |",
    "| --- | --- | --- | --- | --- |",
    row(rotation, "one warm rotation, real servers", ofRotation(rotation), "1.3 times the bare client"),
    row(rotationOnSandbox, "one warm rotation, sandbox", ofRotation(rotationOnSandbox), ""),
    row(
      burst,
      `${thousands(burst.result.events)} rotations at once, ${burst.result.clusters} clusters of the sandbox`,
      ofBurst(burst),
      "none lost",
    ),
    row(
      burstOnRealServers,
      `${thousands(burstOnRealServers.result.events)} rotations at once, real servers`,
      ofBurst(burstOnRealServers),
      "none lost",
    ),
    row(
      coldStart,
      "bundle of the rotation function",
      `${kB(cold.bundleBytes)} in all files, ${kB(cold.initialBytes)} loaded at start; naive bundle ${kB(cold.naiveBytes)}`,
      "950 kB in all files",
    ),
    ...coldStarts.map((start) =>
      row(start, nameOfStart(start), ofStart(start), "15 ms more than a local file"),
    ),
    row(
      coldStart,
      "its code alone, with a local file of bindings",
      `${cold.addedWithFileMs} ms, and ${cold.addedWithEksMs} ms with the EKS client; naive bundle ${cold.naiveAddedMs} ms: ratio ${cold.ratio} with published bindings; bare Node takes ${cold.bareMs} ms`,
      "half of the naive bundle",
    ),
    row(
      coldStart,
      "the same, with V8's code cache on disk",
      `${cold.addedWithCacheMs} ms`,
      "not deployed: see [below](#rejected-optimizations)",
    ),
    ...sweeps.map((sweep) =>
      row(
        sweep,
        `a sweep of ${thousands(sweep.result.bindings)} bindings without drift`,
        `the first ${sweep.result.ms} ms, later ones ${sweep.result.againMs} ms, ${sweep.result.againPerBindingMs} ms per binding; ${sweep.result.awsCalls} AWS calls, ${sweep.result.kubernetesCalls} Kubernetes calls, ${sweep.result.secretValuesRead} values read, ${sweep.result.maxRssMB} MB`,
        "no values read; linear within 20%",
      ),
    ),
    ...[results.rollouts, results.stuckRollouts].map((rollouts) =>
      row(rollouts, nameOfRollouts(rollouts), ofRollouts(rollouts), "no values read"),
    ),
    row(
      publication,
      `the time until a newly published binding has its Secret, one of ${thousands(publication.result.bindings)}`,
      ofPublication(publication.result),
      "",
    ),
    row(
      publish,
      `publishing ${thousands(publish.result.bindings)} bindings from ${publish.result.fileMB} MB of YAML`,
      ofPublish(publish.result),
      `a heap of ${publish.result.heapMB} MB`,
    ),
    "",
    `Each binding of the sweep of ${thousands(large.result.bindings)} takes ${growth.toFixed(2)} times as long as each of the ${thousands(small.result.bindings)}.`,
    "",
    `Machine: ${coldStart.machine}. The relay and its servers share the cores.`,
  ].join("\n");
}

const nameOfStart = ({ result }: Results["coldStarts"][number]): string =>
  `the time that its code and ${thousands(result.bindings)} published bindings add to a start`;

const ofStart = ({ result }: Results["coldStarts"][number]): string =>
  `${result.addedMs} ms, of which ${result.publishedMs} ms for the bindings; ${result.addedWith10Ms} ms with 10 in the same run; ${result.connectedMs} ms and ${result.maxRssMB} MB with all connections and the first event`;

const nameOfRollouts = ({ result }: Results["rollouts"]): string =>
  `following ${thousands(result.workloads)} restarted workloads, ${endOfRollouts(result)}`;

const endOfRollouts = ({ kubernetesPatches, seconds }: Results["rollouts"]["result"]): string =>
  kubernetesPatches === 0
    ? "all stuck until the deadline of half an hour"
    : `whose rollouts take ${seconds} s`;

const ofRollouts = ({ result }: Results["rollouts"]): string =>
  `${result.invocationsEach} looks each: ${thousands(result.invocations)} invocations and messages, ${thousands(result.kubernetesReads)} Kubernetes reads, ${thousands(result.kubernetesPatches)} patches, ${thousands(result.s3Reads)} S3 reads, ${result.secretValuesRead} values read; ${usdOf(result)} USD`;

const usdOf = ({ usd }: Results["rollouts"]["result"]): string => usd.toFixed(3);

const ofPublication = ({
  firstMs,
  ms,
  unnamedFirstMs,
  unnamedMs,
}: Results["publication"]["result"]): string =>
  `${Math.round(firstMs)} ms from the start of the sweep that the publication starts, which ends after ${Math.round(ms)} ms; ${Math.round(unnamedFirstMs)} ms and ${Math.round(unnamedMs)} ms with a sweep by the schedule`;

const ofPublish = ({ validate, publish }: Results["publish"]["result"]): string =>
  `\`publish\` ${publish.seconds} s, of which ${publish.cpuSeconds} s of processor time, and ${publish.maxRssMB} MB in all; \`validate\` ${validate.seconds} s and ${validate.maxRssMB} MB`;

function row(
  { command, day }: Recorded<unknown>,
  measurement: string,
  result: string,
  limit: string,
): string {
  return `| ${measurement} | \`${command}\` | ${day} | ${result} | ${limit} |`;
}

/** Each build measure, with its effect on the rotation bundle. */
export function measuresTable({ bundle: { result, command, day } }: Results): string {
  const rowOf = (variant: string, measure: string, location: string) => {
    const found = result.variants.find((candidate) => candidate.variant === variant);
    if (found === undefined) throw new TypeError(`bench/results/bundle.json lacks the variant ${variant}`);
    const { bytes, initialBytes, addedMs } = found;
    return `| ${measure} | ${kB(bytes)} | ${kB(initialBytes)} | ${addedMs} ms | ${location} |`;
  };
  return [
    `Measured on ${day} with \`${command}\`:`,
    "",
    "| variant | all files | loaded at start | added to a start | implemented in |",
    "| --- | --- | --- | --- | --- |",
    rowOf("as built", "as built", "`scripts/bundle.ts`"),
    rowOf(
      "without code splitting",
      "everything in one file instead of chunks loaded on first use",
      "every `import()`",
    ),
    rowOf(
      "without the undici stand-in",
      "with client-node's own transport, undici",
      "`shared/cluster/undici-stand-in.ts`",
    ),
    rowOf(
      "without slim-aws-sdk",
      "with all AWS schemas, and chunks for code that is never reached",
      "`scripts/slim-aws-sdk.ts`",
    ),
    rowOf("without slim-client-node", "with all 750 models of client-node", "`scripts/slim-client-node.ts`"),
  ].join("\n");
}

/** For docs/sweep.md: the cost of one sweep. */
export function sweepTable({ sweeps, driftedSweep }: Results): string {
  const [, medium, large] = sweeps;
  const { command, day, machine } = driftedSweep;
  return [
    `Measured on ${day} with \`${command}\`, and without \`--drifted\`, on ${machine}:`,
    "",
    "| bindings | drifted | AWS calls | Kubernetes calls | values read | first sweep of a process | later sweeps | memory |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...[medium, large, driftedSweep].map(({ result }) =>
      [
        "",
        thousands(result.bindings),
        result.drifted === 0 ? "0" : `${result.drifted}, of every kind`,
        result.awsCalls,
        result.kubernetesCalls,
        result.secretValuesRead,
        `${inSeconds(result.ms)} s`,
        `${inSeconds(result.againMs)} s`,
        `${Math.round(result.maxRssMB)} MB`,
        "",
      ]
        .join(" | ")
        .trim(),
    ),
  ].join("\n");
}

/** For docs/scale.md. */
export function scaleTable({ rotation, burstOnRealServers, sweeps }: Results): string {
  const [, medium, large] = sweeps;
  const ofSweep = ({ result }: typeof medium) =>
    `${result.awsCalls} AWS calls, ${result.kubernetesCalls} Kubernetes calls, no values read; the first ${inSeconds(result.ms)} s, later ones ${inSeconds(result.againMs)} s, ${Math.round(result.maxRssMB)} MB`;
  const { events, failed, perSecond } = burstOnRealServers.result;
  const rows = [
    ["one rotation, warm, real servers", `p50 ${rotation.result.p50Ms} ms`, rotation.command],
    [
      `${thousands(events)} rotations at once, real servers on the same two cores`,
      `${Math.round(perSecond)} per second, ${failed} lost`,
      burstOnRealServers.command,
    ],
    ["a sweep of 10,000 bindings, sandbox", ofSweep(medium), medium.command],
    ["a sweep of 50,000 in one invocation", ofSweep(large), large.command],
  ];
  return [
    "| measurement | result | command |",
    "| --- | --- | --- |",
    ...rows.map(([measurement, result, command]) => `| ${measurement} | ${result} | \`${command}\` |`),
    "| the report page of 10,000 bindings | 1.2 MB; ready in under a second, filters respond at once (Chromium 156, two cores) | `test/real/report.test.ts` |",
  ].join("\n");
}

const inSeconds = (ms: number): string => (ms / 1_000).toFixed(1);
