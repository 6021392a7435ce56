import { errorNameOf } from "../../shared/cluster/credentials.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { AwsSession } from "../live/aws-session.ts";
import type { Measured } from "../report/measured.ts";
import { type LogLine, lastSweepOf, SWEEP_CODES } from "./last-sweep.ts";
import { type GetMetricData, readMeasured } from "./read-measured.ts";

export type FromCloudWatch = {
  readonly measured?: Measured;
  readonly sweeps: readonly SweepReport[];
  /** Missing data, with the advice for each. */
  readonly missing: readonly string[];
};

/** Reads the metrics and the newest sweep of a stack. If one of the two is forbidden, the other is still returned. */
export async function readCloudWatch(
  aws: AwsSession,
  stack: {
    readonly namespace: string;
    readonly from: number;
    readonly to: number;
    /** The log with the newest sweep, if it is wanted. */
    readonly logGroup: string | undefined;
  },
): Promise<FromCloudWatch> {
  const [metrics, log] = await Promise.all([
    orReason(aws, "cloudwatch:GetMetricData", readMetrics(aws, stack)),
    orReason(aws, "logs:FilterLogEvents", readNewestSweep(aws, stack)),
  ]);
  const measured = "value" in metrics ? metrics.value : undefined;
  const isEmpty =
    measured !== undefined && [measured.latency, measured.checked].every(({ length }) => length === 0);
  return {
    ...(measured !== undefined && !isEmpty && { measured }),
    sweeps: "value" in log ? log.value : [],
    missing: [
      ...[metrics, log].flatMap((part) => ("reason" in part ? [part.reason] : [])),
      ...(isEmpty
        ? [
            `CloudWatch has no metrics in namespace ${stack.namespace}. Set --metrics-namespace to the stack's MetricsNamespace, or increase --hours.`,
          ]
        : []),
    ],
  };
}

async function orReason<T>(
  aws: AwsSession,
  permission: string,
  reading: Promise<T>,
): Promise<{ value: T } | { reason: string }> {
  try {
    return { value: await reading };
  } catch (error) {
    if (errorNameOf(error).startsWith("AccessDenied")) {
      return { reason: `Not shown: ${CONTENT[permission]}. It needs the permission ${permission}.` };
    }
    if (errorNameOf(error) === "ResourceNotFoundException")
      return { reason: "The log group of the stack does not exist." };
    throw aws.classify("Reading CloudWatch", error);
  }
}

const CONTENT: Readonly<Record<string, string>> = {
  "cloudwatch:GetMetricData": "the trend over time",
  "logs:FilterLogEvents": "the newest sweep",
};

async function readMetrics(
  aws: AwsSession,
  { namespace, from, to }: { namespace: string; from: number; to: number },
): Promise<Measured> {
  const { CloudWatchClient, GetMetricDataCommand } = await import("@aws-sdk/client-cloudwatch");
  const client = new CloudWatchClient({ ...aws.client, maxAttempts: 3 });
  const getMetricData: GetMetricData = (input) => client.send(new GetMetricDataCommand(input));
  try {
    return await readMeasured(getMetricData, { namespace, from, to });
  } finally {
    client.destroy();
  }
}

/** The default schedule sweeps several times in half an hour. For a rarer schedule the whole range is read. */
async function readNewestSweep(
  aws: AwsSession,
  { logGroup: logGroupName, from, to }: { logGroup: string | undefined; from: number; to: number },
): Promise<SweepReport[]> {
  if (logGroupName === undefined) return [];
  const { CloudWatchLogsClient, FilterLogEventsCommand } = await import("@aws-sdk/client-cloudwatch-logs");
  const client = new CloudWatchLogsClient({ ...aws.client, maxAttempts: 3 });
  const readLines = async (startTime: number): Promise<LogLine[]> => {
    const lines: LogLine[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(
        new FilterLogEventsCommand({
          logGroupName,
          startTime,
          endTime: to,
          filterPattern: `{ ${SWEEP_CODES.map((code) => `$.logCode = "${code}"`).join(" || ")} }`,
          ...(nextToken !== undefined && { nextToken }),
        }),
      );
      lines.push(
        ...(page.events ?? []).map(({ timestamp = 0, message = "" }) => ({ at: timestamp, message })),
      );
      nextToken = page.nextToken;
    } while (nextToken !== undefined && lines.length < LINES_MAX);
    return lines;
  };
  try {
    const recent = lastSweepOf(await readLines(Math.max(from, to - HALF_HOUR_MS)));
    return recent.length > 0 ? recent : lastSweepOf(await readLines(from));
  } finally {
    client.destroy();
  }
}

const HALF_HOUR_MS = 1_800_000;
/** More findings than this have one common cause, and no reader would use such a page. */
const LINES_MAX = 100_000;
