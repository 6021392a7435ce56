// Renews what docs/performance.md says of bench/results/, and its pictures in docs/performance/:
//
//   npx node scripts/generate-performance-docs.ts
//
// Needs nothing; a moment. scripts/record-bench.ts makes the results.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { barPlot } from "./bar-plot.ts";

type Recorded<Result> = {
  readonly command: string;
  readonly day: string;
  readonly machine: string;
  readonly result: Result;
};
type Rotation = { p50Ms: number; p95Ms: number; samples: number; floorP50Ms: number; timesFloor: number };
type Burst = { events: number; clusters: number; failed: number; seconds: number; perSecond: number };
type Sweep = {
  bindings: number;
  awsCalls: number;
  kubernetesCalls: number;
  secretValuesRead: number;
  ms: number;
  maxRssMB: number;
};
type ColdStart = Record<
  | "bundleBytes"
  | "addedMs"
  | "naiveBytes"
  | "naiveAddedMs"
  | "ratio"
  | "initialBytes"
  | "addedWithEksMs"
  | "bareMs",
  number
>;
type LambdaStart = {
  totalP50Ms: number;
  stagesP50Ms: Record<string, number>;
  repeatP50Ms: number;
  maxRssMB: number;
};
type Bundle = {
  variants: { variant: string; bytes: number; initialBytes: number; addedMs: number }[];
  bareMs: number;
};
type History = { steps: { what: string; bytes: number }[] };

const root = new URL("../", import.meta.url);
const recorded = <Result>(name: string): Recorded<Result> =>
  JSON.parse(readFileSync(new URL(`bench/results/${name}.json`, root), "utf8")) as Recorded<Result>;

/** The page's part between its two marks, and the pictures by their names. */
export function performanceDocs(): { table: string; plots: ReadonlyMap<string, string> } {
  const rotation = {
    sandbox: recorded<Rotation>("rotation-sandbox"),
    real: recorded<Rotation>("rotation-real"),
  };
  const burst = recorded<Burst>("burst");
  const sweeps = [recorded<Sweep>("sweep-1k"), recorded<Sweep>("sweep-10k"), recorded<Sweep>("sweep-50k")];
  const coldStart = recorded<ColdStart>("cold-start");
  const lambda = recorded<LambdaStart>("lambda-start");
  const bundle = recorded<Bundle>("bundle");
  const history = recorded<History>("bundle-history");

  const kB = (bytes: number) => `${Math.round(bytes / 1_000)} kB`;
  const perBinding = ({ result }: Recorded<Sweep>) => result.ms / result.bindings;
  const [small, , large] = sweeps;
  const growth = small && large ? perBinding(large) / perBinding(small) : Number.NaN;
  const row = (
    { command, day }: { command: string; day: string },
    what: string,
    seen: string,
    limit: string,
  ) => `| ${what} | \`${command}\` | ${day} | ${seen} | ${limit} |`;

  const ofRotation = ({ result }: Recorded<Rotation>) =>
    `p50 ${result.p50Ms} ms, p95 ${result.p95Ms} ms; its three calls by a bare client ${result.floorP50Ms} ms: ${result.timesFloor} times (${result.samples} samples)`;
  const cold = coldStart.result;
  const table = [
    "| what | command | measured on | seen | held against |",
    "| --- | --- | --- | --- | --- |",
    row(
      rotation.real,
      "one warm rotation, real servers",
      ofRotation(rotation.real),
      "1.3 times the three calls",
    ),
    row(rotation.sandbox, "one warm rotation, sandbox in the same process", ofRotation(rotation.sandbox), ""),
    row(
      burst,
      `${burst.result.events} rotations at once, ${burst.result.clusters} clusters`,
      `${burst.result.failed} lost, ${burst.result.perSecond} a second`,
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
      "what it adds to a start",
      `${cold.addedMs} ms, and ${cold.addedWithEksMs} ms with the EKS client; plainly bundled ${cold.naiveAddedMs} ms: ratio ${cold.ratio}`,
      `half of the plain bundle; bare Node takes ${cold.bareMs} ms`,
    ),
    row(
      lambda,
      "a cold start by Lambda's runtime client",
      `${lambda.result.totalP50Ms} ms from nothing to the answer, ${lambda.result.maxRssMB} MB`,
      "bare Node",
    ),
    ...sweeps.map((sweep) =>
      row(
        sweep,
        `a sweep of ${sweep.result.bindings.toLocaleString("en-US")} bindings, none drifted`,
        `${sweep.result.ms} ms, ${sweep.result.awsCalls} AWS calls, ${sweep.result.kubernetesCalls} Kubernetes calls, ${sweep.result.secretValuesRead} values, ${sweep.result.maxRssMB} MB`,
        "no value read",
      ),
    ),
    "",
    `A binding of a sweep of 50,000 takes ${growth.toFixed(2)} times as long as one of a sweep of 1,000 (${large && perBinding(large).toFixed(3)} and ${small && perBinding(small).toFixed(3)} ms).`,
    "",
    `All on ${coldStart.machine}: two cores for the relay, its servers and whatever else there was.`,
  ].join("\n");

  const stages = Object.entries(lambda.result.stagesP50Ms);
  const relayMs = rotation.real.result.p50Ms;
  const polls = [1, 5, 30].map((minutes) => ({ minutes, worstMs: minutes * 60_000 }));
  const plots = new Map([
    [
      "rotation",
      barPlot({
        title: "One warm rotation, and its three calls by a bare client",
        unit: "ms, p50",
        bars: [
          ...(["real", "sandbox"] as const).flatMap((name) => [
            {
              label: `relay, ${name}`,
              parts: [{ value: rotation[name].result.p50Ms, name: "" }],
              note: `${rotation[name].result.p50Ms} ms, ${rotation[name].result.timesFloor} times`,
            },
            {
              label: `bare client, ${name}`,
              parts: [{ value: rotation[name].result.floorP50Ms, name: "" }],
              note: `${rotation[name].result.floorP50Ms} ms`,
            },
          ]),
        ],
      }),
    ],
    [
      "cold-start",
      barPlot({
        title: "A cold start by Lambda's runtime client, by stage",
        unit: "ms, p50",
        bars: [
          {
            label: "first rotation",
            parts: stages.map(([name, value]) => ({ name, value })),
            note: `${lambda.result.totalP50Ms} ms`,
          },
          {
            label: "same event again",
            parts: [{ name: "all of it", value: lambda.result.repeatP50Ms }],
            note: `${lambda.result.repeatP50Ms} ms`,
          },
        ],
        limit: { value: cold.bareMs, name: `bare Node: ${cold.bareMs} ms` },
      }),
    ],
    [
      "bundle",
      barPlot({
        title: "The rotation bundle, without one measure at a time",
        unit: "kB in all files",
        bars: bundle.result.variants.map(({ variant, bytes, addedMs }) => ({
          label: variant.replace("the stand-in for ", ""),
          parts: [{ value: bytes / 1_000, name: "" }],
          note: `${kB(bytes)}, ${addedMs} ms`,
        })),
        limit: { value: 700, name: "700 kB" },
      }),
    ],
    [
      "bundle-history",
      barPlot({
        title: "The rotation bundle, step by step",
        unit: "kB in all files",
        bars: history.result.steps.map(({ what, bytes }) => ({
          label: what,
          parts: [{ value: bytes / 1_000, name: "" }],
          note: kB(bytes),
        })),
        limit: { value: 700, name: "700 kB" },
      }),
    ],
    [
      "sweep",
      barPlot({
        title: "A sweep, for each binding",
        unit: "microseconds",
        bars: sweeps.map((sweep) => ({
          label: `${sweep.result.bindings.toLocaleString("en-US")} bindings`,
          parts: [{ value: 1_000 * perBinding(sweep), name: "" }],
          note: `${(1_000 * perBinding(sweep)).toFixed(0)} µs, ${sweep.result.maxRssMB} MB`,
        })),
      }),
    ],
    [
      "polling",
      barPlot({
        title: "How long a rotated password is stale: polling at worst, the relay at the median",
        unit: "ms",
        isLogarithmic: true,
        bars: [
          {
            label: "relay, once the event is there",
            parts: [{ value: relayMs, name: "" }],
            note: `${relayMs} ms; a lost event: until the sweep`,
          },
          ...polls.map(({ minutes, worstMs }) => ({
            label: `polling every ${minutes} min`,
            parts: [{ value: worstMs, name: "" }],
            note: `${minutes} min; ${(43_200 / minutes).toLocaleString("en-US")} calls a key and month`,
          })),
        ],
      }),
    ],
  ]);
  return { table, plots };
}

/** The page with its generated part renewed. */
export function renewPage(page: string, { table }: { table: string }): string {
  const [before, after] = [page.split("<!-- results -->\n")[0], page.split("\n<!-- end -->")[1]];
  if (before === undefined || after === undefined) throw new TypeError("The page has lost its marks");
  return `${before}<!-- results -->\n${table}\n<!-- end -->${after}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const docs = performanceDocs();
  const page = new URL("docs/performance.md", root);
  writeFileSync(page, renewPage(readFileSync(page, "utf8"), docs));
  mkdirSync(new URL("docs/performance/", root), { recursive: true });
  for (const [name, svg] of docs.plots) writeFileSync(new URL(`docs/performance/${name}.svg`, root), svg);
}
