import { errorNameOf } from "../../shared/cluster/credentials.ts";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { AwsSession } from "../live/aws-session.ts";
import type { Measured } from "../report/measured.ts";
import { type LogLine, lastSweepOf, SWEEP_CODES } from "./last-sweep.ts";
import { type GetMetricData, readMeasured } from "./read-measured.ts";

export type FromCloudWatch = {
  readonly measured?: Measured;
  readonly sweeps: readonly SweepReport[];
  /** What could not be read, and what to do, in words. */
  readonly missing: readonly string[];
};

/** Metrics and the newest sweep of a stack, as far as the caller may see them: one of the two is better than none. */
export async function readCloudWatch(
  aws: AwsSession,
  stack: {
    readonly namespace: string;
    readonly from: number;
    readonly to: number;
    /** Where the newest sweep is to be read from, if it is. */
    readonly sweepsFrom?: { readonly logGroup: string | undefined };
  },
): Promise<FromCloudWatch> {
  const [metrics, log] = await Promise.all([
    orWhy(aws, "cloudwatch:GetMetricData", readMetrics(aws, stack)),
    orWhy(aws, "logs:FilterLogEvents", readNewestSweep(aws, stack)),
  ]);
  const measured = "value" in metrics ? metrics.value : undefined;
  const isEmpty =
    measured !== undefined && [measured.latency, measured.checked].every(({ length }) => length === 0);
  return {
    ...(measured !== undefined && !isEmpty && { measured }),
    sweeps: "value" in log ? log.value : [],
    missing: [
      ...[metrics, log].flatMap((part) => ("why" in part ? [part.why] : [])),
      ...(isEmpty
        ? [
            `There are no metrics in namespace ${stack.namespace}: give the stack's MetricsNamespace by --metrics-namespace, or look at the time range.`,
          ]
        : []),
    ],
  };
}

async function orWhy<T>(
  aws: AwsSession,
  permission: string,
  reading: Promise<T>,
): Promise<{ value: T } | { why: string }> {
  try {
    return { value: await reading };
  } catch (error) {
    if (errorNameOf(error).startsWith("AccessDenied")) {
      return { why: `Not shown, because it needs the permission ${permission}: ${SHOWS[permission]}.` };
    }
    if (errorNameOf(error) === "ResourceNotFoundException") return { why: "There is no such log group." };
    throw aws.classify("Reading CloudWatch", error);
  }
}

const SHOWS: Readonly<Record<string, string>> = {
  "cloudwatch:GetMetricData": "what changed over time",
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

/** The last half hour holds several sweeps of the ordinary schedule; a rarer one is looked for in the whole range. */
async function readNewestSweep(
  aws: AwsSession,
  { sweepsFrom, from, to }: { sweepsFrom?: { logGroup: string | undefined }; from: number; to: number },
): Promise<SweepReport[]> {
  const logGroupName = sweepsFrom?.logGroup;
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
/** A sweep with more findings than this has one cause, and its page would help nobody. */
const LINES_MAX = 100_000;
