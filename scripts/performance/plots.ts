import { type Bar, barPlot } from "../bar-plot.ts";
import { kB, type Results, thousands } from "./results.ts";

/** The pictures of docs/performance.md, by their names. */
export function performancePlots(results: Results): ReadonlyMap<string, string> {
  return new Map([
    ["polling", pollingPlot(results)],
    ["rotation", rotationPlot(results)],
    ["cold-start", coldStartPlot(results)],
    ["imports", importsPlot(results)],
    ["bundle", bundlePlot(results)],
    ["bundle-history", historyPlot(results)],
    ["sweep", sweepPlot(results)],
  ]);
}

const bar = (label: string, value: number, note: string, name = ""): Bar => ({
  label,
  parts: [{ value, name }],
  note,
});

function pollingPlot({ rotation, lambdaStart }: Results): string {
  const coldMs = lambdaStart.result.totalP50Ms;
  const warmMs = rotation.result.p50Ms;
  return barPlot({
    title: "How long a rotated password is stale: polling at worst, the relay at the median",
    unit: "ms",
    isLogarithmic: true,
    bars: [
      bar("once the event is there", warmMs, `${warmMs} ms`, "relay"),
      bar("and Lambda must start it", coldMs, `${coldMs} ms, and what Lambda does before`, "relay"),
      ...[1, 5, 30].map((minutes) =>
        bar(
          `every ${minutes} min`,
          minutes * 60_000,
          `${minutes} min; ${thousands(43_200 / minutes)} calls a key and month`,
          "polling",
        ),
      ),
    ],
    limit: { value: 600_000, name: "a lost event: the next sweep, 10 min at most" },
  });
}

function rotationPlot({ rotation, rotationOnSandbox }: Results): string {
  const bars = [
    { name: "real", result: rotation.result },
    { name: "sandbox", result: rotationOnSandbox.result },
  ].flatMap(({ name, result }) => [
    bar(
      `on ${name === "real" ? "real servers" : "the sandbox"}`,
      result.p50Ms,
      `${result.p50Ms} ms, ${result.timesFloor} times`,
      "relay",
    ),
    bar("", result.floorP50Ms, `${result.floorP50Ms} ms`, "bare client"),
  ]);
  const limit = Number((LIMIT_TIMES_FLOOR * rotation.result.floorP50Ms).toFixed(2));
  return barPlot({
    title: "One warm rotation, and its three calls by a bare client",
    unit: "ms, p50",
    bars,
    limit: { value: limit, name: `1.3 times the three calls, real: ${limit} ms` },
  });
}

const LIMIT_TIMES_FLOOR = 1.3;

function coldStartPlot({ lambdaStart, coldStart }: Results): string {
  const { withoutWarmUp, ...asItIs } = lambdaStart.result;
  const ofStages = (label: string, { stagesP50Ms, startP50Ms, eventP50Ms }: typeof asItIs): Bar => ({
    label,
    parts: Object.entries(stagesP50Ms).map(([name, value]) => ({ name, value })),
    note: `start ${startP50Ms} + event ${eventP50Ms} ms`,
  });
  return barPlot({
    title: "A cold start by Lambda's runtime client, by stage: the start, and the first event",
    unit: "ms, p50",
    bars: [
      ofStages("as it is", asItIs),
      ofStages("not warmed up at the start", withoutWarmUp),
      bar("the same event again", asItIs.repeatP50Ms, `${asItIs.repeatP50Ms} ms`),
    ],
    limit: { value: coldStart.result.bareMs, name: `bare Node: ${coldStart.result.bareMs} ms` },
  });
}

function importsPlot({ imports }: Results): string {
  const { parts } = imports.result;
  const half = Number(((parts[0]?.plain?.ms ?? Number.NaN) / 2).toFixed(1));
  return barPlot({
    title: "What each part of the bundle takes to be imported",
    unit: "ms, p50",
    bars: parts.flatMap(({ part, bytes, ms, plain }) => [
      bar(part, ms, `${ms} ms, ${kB(bytes)}`, "as the functions load it"),
      ...(plain
        ? [bar("", plain.ms, `${plain.ms} ms, ${kB(plain.bytes)}`, "as its documentation shows it")]
        : []),
    ]),
    limit: { value: half, name: `half of the plain bundle: ${half} ms` },
  });
}

const LIMIT_OF_BUNDLE = { value: 700, name: "700 kB" };

function bundlePlot({ bundle }: Results): string {
  return barPlot({
    title: "The rotation bundle, without one measure at a time",
    unit: "kB in all files",
    bars: bundle.result.variants.map(({ variant, bytes, addedMs }) =>
      bar(variant.replace("the stand-in for ", ""), bytes / 1_000, `${kB(bytes)}, ${addedMs} ms`),
    ),
    limit: LIMIT_OF_BUNDLE,
  });
}

function historyPlot({ history }: Results): string {
  return barPlot({
    title: "The rotation bundle, step by step",
    unit: "kB in all files",
    bars: history.result.steps.map(({ what, bytes }) => bar(what, bytes / 1_000, kB(bytes))),
    limit: LIMIT_OF_BUNDLE,
  });
}

function sweepPlot({ sweeps }: Results): string {
  const micros = (ms: number) => Math.round(1_000 * ms);
  const limit = micros(1.2 * sweeps[0].result.againPerBindingMs);
  return barPlot({
    title: "A sweep, for each binding: the first of a process, and the next ones",
    unit: "microseconds",
    bars: sweeps.flatMap(({ result: { bindings, ms, againPerBindingMs, maxRssMB } }) => [
      bar(
        `${thousands(bindings)} bindings`,
        micros(ms / bindings),
        `${micros(ms / bindings)} µs`,
        "the first",
      ),
      bar("", micros(againPerBindingMs), `${micros(againPerBindingMs)} µs, ${maxRssMB} MB`, "the next ones"),
    ]),
    limit: { value: limit, name: `1,000 bindings and 20%: ${limit} µs` },
  });
}
