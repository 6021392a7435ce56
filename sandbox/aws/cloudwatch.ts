import { AwsError } from "./aws-error.ts";
import { type Input, list, type Operation, requiredText } from "./call.ts";

export type CloudWatch = {
  readonly monitoring: ReadonlyMap<string, Operation>;
  readonly logs: ReadonlyMap<string, Operation>;
  /** One measurement of the relay, at a time in ms. */
  addMetric(metric: SandboxMetric): void;
  addLogLine(logGroup: string, at: number, message: string): void;
  /** The group stays, as while CloudWatch delivers its lines late. */
  emptyLogGroup(logGroup: string): void;
};

export type SandboxMetric = {
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  readonly at: number;
  readonly value: number;
};

/** GetMetricData and FilterLogEvents, for metrics and logs that a test adds. */
export function createCloudWatch(): CloudWatch {
  const metrics: SandboxMetric[] = [];
  const groups = new Map<string, { at: number; message: string }[]>();

  const getMetricData: Operation = ({ input }) => {
    const from = secondsOf(input, "StartTime");
    const to = secondsOf(input, "EndTime");
    const queries = list<MetricDataQuery>(input, "MetricDataQueries") ?? [];
    return {
      Messages: [],
      MetricDataResults: queries.map(({ Id, MetricStat: { Metric, Period, Stat } }) => {
        const [dimension] = Metric.Dimensions;
        const points = Map.groupBy(
          metrics.filter(
            ({ namespace, name, service, at }) =>
              namespace === Metric.Namespace &&
              name === Metric.MetricName &&
              service === dimension?.Value &&
              at / 1_000 >= from &&
              at / 1_000 < to,
          ),
          ({ at }) => Math.floor(at / 1_000 / Period) * Period,
        );
        const sorted = [...points].sort(([a], [b]) => a - b);
        return {
          Id,
          Label: `${Metric.MetricName} ${Stat}`,
          StatusCode: "Complete",
          Timestamps: sorted.map(([time]) => time),
          Values: sorted.map(([, measured]) =>
            statistic(
              Stat,
              measured.map(({ value }) => value),
            ),
          ),
        };
      }),
    };
  };

  /** The pattern is not applied: as with any text match, callers must filter the result themselves. */
  const filterLogEvents: Operation = ({ input }) => {
    const name = requiredText(input, "logGroupName");
    const group = groups.get(name);
    if (group === undefined) {
      throw new AwsError("ResourceNotFoundException", "The specified log group does not exist.");
    }
    const { startTime = 0, endTime = Number.POSITIVE_INFINITY, nextToken = "0" } = input;
    const start = Number(nextToken);
    const inside = group.filter(({ at }) => at >= Number(startTime) && at <= Number(endTime));
    const events = inside.slice(start, start + PAGE);
    return {
      events: events.map(({ at, message }) => ({ timestamp: at, message, logStreamName: "sandbox" })),
      ...(start + PAGE < inside.length && { nextToken: String(start + PAGE) }),
    };
  };

  return {
    monitoring: new Map([["GetMetricData", getMetricData]]),
    logs: new Map([["FilterLogEvents", filterLogEvents]]),
    addMetric: (metric) => void metrics.push(metric),
    addLogLine: (logGroup, at, message) => {
      groups.set(logGroup, [...(groups.get(logGroup) ?? []), { at, message }]);
    },
    emptyLogGroup: (logGroup) => void groups.set(logGroup, []),
  };
}

type MetricDataQuery = {
  readonly Id: string;
  readonly MetricStat: {
    readonly Metric: {
      readonly Namespace: string;
      readonly MetricName: string;
      readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
    };
    readonly Period: number;
    readonly Stat: string;
  };
};

function statistic(stat: string, values: readonly number[]): number {
  if (stat === "Sum") return values.reduce((sum, value) => sum + value, 0);
  if (stat === "Maximum") return Math.max(...values);
  const [, percent] = /^p(\d+)$/.exec(stat) ?? [];
  if (percent === undefined) throw new AwsError("ValidationError", `The sandbox has no statistic ${stat}`);
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((Number(percent) / 100) * sorted.length) - 1)] ?? 0;
}

function secondsOf(input: Input, member: string): number {
  const value = input[member];
  if (typeof value === "number") return value;
  throw new AwsError("InvalidParameterValue", `${member} is not a time`);
}

/** Small, so that a caller that ignores pagination fails. */
const PAGE = 100;
