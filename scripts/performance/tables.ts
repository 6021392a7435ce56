import { type Bundle, kB, type Recorded, type Results, thousands } from "./results.ts";

/** What was measured, by which command and when, and the limit that it is held against. */
export function resultsTable(results: Results): string {
  const { rotation, rotationOnSandbox, burst, burstOnRealServers, coldStart, lambdaStart, sweeps } = results;
  const cold = coldStart.result;
  const lambda = lambdaStart.result;
  const [small, , large] = sweeps;
  const growth = large.result.againPerBindingMs / small.result.againPerBindingMs;
  const ofRotation = ({ result }: typeof rotation) =>
    `p50 ${result.p50Ms} ms, p95 ${result.p95Ms} ms; its three calls by a bare client ${result.floorP50Ms} ms: ${result.timesFloor} times (${result.samples} samples)`;
  const ofBurst = ({ result }: typeof burst) => `${result.failed} lost, ${result.perSecond} a second`;
  return [
    "| what | command | measured on | seen | held against |",
    "| --- | --- | --- | --- | --- |",
    row(rotation, "one warm rotation, real servers", ofRotation(rotation), "1.3 times the three calls"),
    row(
      rotationOnSandbox,
      "one warm rotation, sandbox in the same process",
      ofRotation(rotationOnSandbox),
      "",
    ),
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
      `${kB(cold.bundleBytes)} in all files, ${kB(cold.initialBytes)} loaded at start; plainly bundled ${kB(cold.naiveBytes)}`,
      "700 kB in all files",
    ),
    row(
      coldStart,
      "what its code adds to a start",
      `${cold.addedMs} ms, and ${cold.addedWithEksMs} ms with the EKS client; plainly bundled ${cold.naiveAddedMs} ms: ratio ${cold.ratio}`,
      `half of the plain bundle; bare Node takes ${cold.bareMs} ms`,
    ),
    row(
      coldStart,
      "the same, with V8's code cache on disk",
      `${cold.addedWithCacheMs} ms`,
      "not how it is deployed: see [below](#tried-and-left-out)",
    ),
    row(
      lambdaStart,
      "a cold start by Lambda's runtime client",
      `${lambda.startP50Ms} ms until it asks for an event, ${lambda.eventP50Ms} ms from the event to the answer, ${lambda.maxRssMB} MB; the event again ${lambda.repeatP50Ms} ms`,
      `bare Node; not warmed up: ${lambda.withoutWarmUp.startP50Ms} and ${lambda.withoutWarmUp.eventP50Ms} ms`,
    ),
    ...sweeps.map((sweep) =>
      row(
        sweep,
        `a sweep of ${thousands(sweep.result.bindings)} bindings, none drifted`,
        `the first ${sweep.result.ms} ms, then ${sweep.result.againMs} ms: ${sweep.result.againPerBindingMs} ms a binding; ${sweep.result.awsCalls} AWS calls, ${sweep.result.kubernetesCalls} Kubernetes calls, ${sweep.result.secretValuesRead} values, ${sweep.result.maxRssMB} MB`,
        "no value read; linear within 20%",
      ),
    ),
    "",
    `A binding of a sweep of ${thousands(large.result.bindings)} takes ${growth.toFixed(2)} times as long as one of a sweep of ${thousands(small.result.bindings)}.`,
    "",
    `All on ${coldStart.machine}: two cores for the relay, its servers and whatever else there was.`,
  ].join("\n");
}

function row({ command, day }: Recorded<unknown>, what: string, seen: string, limit: string): string {
  return `| ${what} | \`${command}\` | ${day} | ${seen} | ${limit} |`;
}

/** Every measure, with what there would be without it. */
export function measuresTable({ bundle, lambdaStart, connect }: Results): string {
  const lambda = lambdaStart.result;
  const tls = connect.result;
  return [
    "| measure | without it | with it | where |",
    "| --- | --- | --- | --- |",
    ...MEASURES_OF_THE_BUILD.map(([variant, measure, where]) =>
      bundleRow(bundle.result, variant, measure, where),
    ),
    `| credentials, token and connections are had when Lambda starts the function | first event ${lambda.withoutWarmUp.eventP50Ms} ms, start ${lambda.withoutWarmUp.startP50Ms} ms | ${lambda.eventP50Ms} ms, ${lambda.startP50Ms} ms | \`shared/wiring/warm-up.ts\` |`,
    `| TLS sessions are kept beyond their connections | ${tls.fullP50Ms} ms for a connection, ${tls.fullCpuP50Ms} ms of the processor | ${tls.resumedP50Ms} ms, ${tls.resumedCpuP50Ms} ms | \`shared/cluster/https-transport.ts\` |`,
  ].join("\n");
}

const AS_BUILT = "as it is built";

const MEASURES_OF_THE_BUILD: readonly (readonly [variant: string, measure: string, where: string])[] = [
  [
    "without code splitting",
    "what only some need is loaded when they do: the EKS and STS clients, expressions, templates, restarts, trigger mode, YAML",
    "every `import()` in `shared/`",
  ],
  [
    "without the stand-in for undici",
    "client-node's own transport (undici) is replaced by one over node:https",
    "`shared/cluster/https-transport.ts`, `shared/cluster/undici-stand-in.ts`",
  ],
  [
    "without a slim client-node",
    "of client-node's 750 models, the four of a Secret are kept",
    "`scripts/slim-client-node.ts`",
  ],
  [
    "without a slim AWS SDK",
    "schemas of AWS operations that nobody calls, and what only browsers and event streams need, are left out",
    "`scripts/slim-aws-sdk.ts`",
  ],
  [
    "without a slim JMESPath",
    "the functions of JMESPath that ours replace are left out",
    "`scripts/slim-jmespath.ts`",
  ],
  [
    "without a slim YAML parser",
    "YAML is read by the package's ES modules, without what writes it",
    "`scripts/bundle.ts`, `scripts/slim-yaml.ts`",
  ],
  [
    "without the stand-in for profiles",
    "sources of credentials that only a person's machine has are left out",
    "`shared/wiring/no-shared-profiles.ts`",
  ],
];

function bundleRow({ variants }: Bundle, variant: string, measure: string, where: string): string {
  const told = (name: string) => {
    const found = variants.find((candidate) => candidate.variant === name);
    if (found === undefined) throw new TypeError(`bench/results/bundle.json has nothing about: ${name}`);
    return `${kB(found.bytes)}, ${kB(found.initialBytes)} at start, ${found.addedMs} ms`;
  };
  return `| ${measure} | ${told(variant)} | ${told(AS_BUILT)} | ${where} |`;
}

export function importsTable({ imports }: Results): string {
  return [
    "| part | when it is loaded | as the functions load it | as its documentation shows it |",
    "| --- | --- | --- | --- |",
    ...imports.result.parts.map(
      ({ part, when, bytes, ms, plain }) =>
        `| ${part} | ${when} | ${kB(bytes)}, ${ms} ms | ${plain ? `${kB(plain.bytes)}, ${plain.ms} ms` : ""} |`,
    ),
  ].join("\n");
}

/** For docs/sweep.md: what one sweep costs. */
export function sweepTable({ sweeps, driftedSweep }: Results): string {
  const [, medium, large] = sweeps;
  const { command, day, machine } = driftedSweep;
  return [
    `Measured on ${day} with \`${command}\`, and without \`--drifted\`, on ${machine}:`,
    "",
    "| bindings | drifted | AWS calls | Kubernetes calls | values read | first of a process | the next ones | memory |",
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
    `${result.awsCalls} AWS calls, ${result.kubernetesCalls} Kubernetes calls, no value read; the first ${inSeconds(result.ms)} s, the next ones ${inSeconds(result.againMs)} s, ${Math.round(result.maxRssMB)} MB`;
  const { events, failed, perSecond } = burstOnRealServers.result;
  const rows = [
    ["one rotation, warm, real servers", `p50 ${rotation.result.p50Ms} ms`, rotation.command],
    [
      `${thousands(events)} rotations at once, real servers on the same two cores`,
      `${Math.round(perSecond)} a second, ${failed} lost`,
      burstOnRealServers.command,
    ],
    ["a sweep of 10,000 bindings, sandbox", ofSweep(medium), medium.command],
    ["a sweep of 50,000 in one invocation", ofSweep(large), large.command],
  ];
  return [
    "| what | seen | by |",
    "| --- | --- | --- |",
    ...rows.map(([what, seen, command]) => `| ${what} | ${seen} | \`${command}\` |`),
    "| the report page of 10,000 bindings | 1.2 MB; loaded and ready in under a second, a filter at once (Chromium 156, two cores) | `test/real/report.test.ts` |",
  ].join("\n");
}

const inSeconds = (ms: number): string => (ms / 1_000).toFixed(1);
