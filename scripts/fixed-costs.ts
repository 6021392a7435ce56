/**
 * The fixed monthly price of the two stacks: what CloudWatch charges although nothing rotates. Storage of logs is not
 * included. scripts/generate-reference.ts writes the table into docs/deploy.md.
 */
import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { KNOWN } from "../cli/tune/known-numbers.ts";
import type { SweepReport } from "../shared/sweep/report.ts";
import { measureProgress, reportSweep } from "../shared/sweep/report-sweep.ts";
import { tableOf } from "./reference/markdown.ts";

export type FixedCosts = {
  /** CloudWatch charges an alarm for each metric that it reads. */
  readonly alarmMetrics: number;
  readonly customMetrics: number;
  readonly dashboards: number;
  readonly usd: number;
};

/** A choice of an operator, or none. */
export type Choice = "default" | "UsesCloudTrail" | "HasWebhook";

/** Pure. What a template costs by default, or what a choice adds. */
export function fixedCosts(template: string, choice: Choice = "default"): FixedCosts {
  // Silent, since CloudFormation's short forms are unknown tags: an !If becomes a list.
  const { Resources } = parseDocument(template, { logLevel: "silent" }).toJS() as Template;
  const all = Object.values(Resources);
  const chosen = all.filter(({ Condition = "" }) => isOf(choice, Condition.split(" ")[0] ?? ""));
  const alarmMetrics =
    chosen.filter(({ Type }) => Type === ALARM).reduce((sum, alarm) => sum + metricsOf(alarm).always, 0) +
    (choice === "UsesCloudTrail"
      ? all.reduce((sum, one) => sum + (one.Type === ALARM ? metricsOf(one).optional : 0), 0)
      : 0);
  const dashboards = chosen.filter(({ Type }) => Type === "AWS::CloudWatch::Dashboard").length;
  const emits = all.some(({ Properties }) => Properties?.CodeUri === "dist/reconcile/");
  const customMetrics = emits && choice === "default" ? STEADY_METRICS.length : 0;
  const usd =
    alarmMetrics * KNOWN.alarm.value +
    customMetrics * KNOWN.customMetric.value +
    dashboards * KNOWN.dashboard.value;
  return { alarmMetrics, customMetrics, dashboards, usd };
}

/** The metrics that sweeps publish in every hour, with nothing to repair. The others cost only for hours with an event. */
export const STEADY_METRICS: readonly string[] = steadyMetrics();

export function fixedCostsTable(): string {
  const [own, further] = ["template.yaml", "monitoring.yaml"].map((file) => {
    const text = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
    return (choice?: Choice) => fixedCosts(text, choice);
  }) as [(choice?: Choice) => FixedCosts, (choice?: Choice) => FixedCosts];
  const row = (what: string, of: (costs: FixedCosts) => string) => [what, of(own()), of(further())];
  const added = (what: string, choice: Choice) => [
    what,
    `+ ${dollars(own(choice).usd)}`,
    `+ ${dollars(further(choice).usd)}`,
  ];
  const times = (count: number, price: number) => (count === 0 ? "" : `${count}, ${dollars(count * price)}`);
  const table = tableOf(
    ["USD a month", "template.yaml", "monitoring.yaml"],
    [
      row(`metrics that alarms read, ${dollars(KNOWN.alarm.value)} each`, ({ alarmMetrics }) =>
        times(alarmMetrics, KNOWN.alarm.value),
      ),
      row(
        `metrics that every sweep publishes, ${dollars(KNOWN.customMetric.value)} each`,
        ({ customMetrics }) => times(customMetrics, KNOWN.customMetric.value),
      ),
      row(`dashboard, ${dollars(KNOWN.dashboard.value)}`, ({ dashboards }) =>
        times(dashboards, KNOWN.dashboard.value),
      ),
      row("**together, by default**", ({ usd }) => `**${dollars(usd)}**`),
      added("with `CloudTrailEvents`", "UsesCloudTrail"),
      added("with a webhook", "HasWebhook"),
    ],
  );
  return `${table}\n\nSource: ${KNOWN.alarm.source} (<https://aws.amazon.com/cloudwatch/pricing/>), ${KNOWN.alarm.seenOn}. Free tiers and the storage of logs are not counted.`;
}

type Alarm = { readonly Metrics?: readonly (readonly unknown[] | { readonly MetricStat?: object })[] };
type Template = {
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Condition?: string;
        readonly Properties?: Alarm & { readonly CodeUri?: unknown };
      }
    >
  >;
};

const ALARM = "AWS::CloudWatch::Alarm";
const CHOICES: readonly string[] = ["UsesCloudTrail", "HasWebhook"] satisfies readonly Choice[];

/** A condition that is no choice holds by default. */
const isOf = (choice: Choice, condition: string): boolean =>
  CHOICES.includes(condition) ? condition === choice : choice === "default";

function metricsOf({ Properties: { Metrics } = {} }: { readonly Properties?: Alarm }) {
  if (Metrics === undefined) return { always: 1, optional: 0 };
  return {
    always: Metrics.filter((metric) => !Array.isArray(metric) && "MetricStat" in metric).length,
    optional: Metrics.filter(Array.isArray).length,
  };
}

function steadyMetrics(): string[] {
  const names = new Set<string>(["TokenRefreshes"]); // a token lasts ten minutes
  const measure = (name: string) => void names.add(name);
  const at = "2026-01-01T00:00:00Z";
  const report: SweepReport = {
    version: 1,
    ...{ sweepId: "", mode: "metadata", plan: false, startedAt: at, endedAt: at },
    ...{ bindings: 1, checked: 1, shardsQueued: 0, targets: [], orphansUnknown: [] },
    calls: { aws: 0, kubernetes: 0, throttles: 0 },
  };
  reportSweep(() => {}, measure, report);
  measureProgress(measure, report, false);
  return [...names];
}

const dollars = (usd: number): string => usd.toFixed(2);
