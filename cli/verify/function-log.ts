import type {
  FilterLogEventsCommandInput,
  FilterLogEventsCommandOutput,
} from "@aws-sdk/client-cloudwatch-logs";
import { errorNameOf } from "../../shared/cluster/credentials.ts";
import type { AwsSession } from "../live/aws-session.ts";

/** A line of a function about the canary. */
export type LogLine = {
  readonly at: number;
  readonly logCode: string;
  readonly versionId?: string;
  /** Why a target was refused or failed. */
  readonly code?: string;
  /** A sweep reports that it wrote the Secret. */
  readonly isRepair?: true;
};

/** What the log says of one rotation. */
export type LoggedRotation = {
  /** Absent if the function has no event of it. */
  readonly eventAt?: number;
  readonly functionAt?: number;
  /** The code of the last failure. */
  readonly failedWith?: string;
  /** A retry cannot help. */
  readonly isRefused: boolean;
};

type LogQuery = { readonly group: string | undefined; readonly sinceAt: number };

/** The lines about the source since a time; undefined if the log cannot be read. */
export async function readFunctionLog(
  aws: AwsSession,
  { sourceName, ...query }: LogQuery & { readonly sourceName: string },
): Promise<readonly LogLine[] | undefined> {
  return readPages(aws, query, { filterPattern: `"${sourceName}"` }, async (pages) => {
    const lines: LogLine[] = [];
    for await (const { events = [] } of pages) {
      for (const { timestamp = 0, message = "" } of events) {
        const line = message.includes(sourceName) ? parseLine(timestamp, message) : undefined;
        if (line !== undefined) lines.push(line);
      }
    }
    return lines.toSorted((one, other) => one.at - other.at);
  });
}

/** Whether the log has no line at all since a time, not even one of Lambda; undefined if the log cannot be read. */
export async function isLogSilent(aws: AwsSession, query: LogQuery): Promise<boolean | undefined> {
  return readPages(aws, query, { limit: 1 }, async (pages) => {
    // A page can be empty although a later one is not.
    for await (const { events = [] } of pages) if (events.length > 0) return false;
    return true;
  });
}

async function readPages<T>(
  aws: AwsSession,
  { group, sinceAt }: LogQuery,
  select: Pick<FilterLogEventsCommandInput, "filterPattern" | "limit">,
  read: (pages: AsyncIterable<FilterLogEventsCommandOutput>) => Promise<T>,
): Promise<T | undefined> {
  if (group === undefined) return undefined;
  const { CloudWatchLogsClient, paginateFilterLogEvents } = await import("@aws-sdk/client-cloudwatch-logs");
  const client = new CloudWatchLogsClient(aws.client);
  const query = { ...select, logGroupName: group, startTime: sinceAt };
  try {
    return await read(paginateFilterLogEvents({ client }, query));
  } catch (error) {
    if (/^(AccessDenied|ResourceNotFound)/.test(errorNameOf(error))) return undefined;
    throw aws.classify(`Reading the log group ${group}`, error);
  } finally {
    client.destroy();
  }
}

/**
 * Keeps codes, versions and the time at which the function wrote the line. The time of the log can be a later one, at
 * which the line arrived. Pure.
 */
export function parseLine(at: number, message: string): LogLine | undefined {
  try {
    const { logCode, versionId, code, timestamp, action } = JSON.parse(message) as Record<string, unknown>;
    if (!isCode(logCode)) return undefined;
    const loggedAt = typeof timestamp === "string" ? Date.parse(timestamp) : Number.NaN;
    return {
      at: Number.isNaN(loggedAt) ? at : loggedAt,
      logCode,
      ...(typeof versionId === "string" && { versionId }),
      ...(isCode(code) && { code }),
      ...(logCode === "DRIFT_FOUND" && action === "written" && { isRepair: true }),
    };
  } catch {
    return undefined; // Lambda's own lines are not all JSON
  }
}

const isCode = (text: unknown): text is string =>
  typeof text === "string" && /^[A-Z][A-Z_]{1,60}$/.test(text);

/** The rotation to this version. Lambda may repeat its event. Pure. */
export function findRotation(lines: readonly LogLine[], versionId: string): LoggedRotation {
  const named = lines.find((line) => line.versionId === versionId);
  if (named === undefined) return { isRefused: false };
  const began = lines.findLast(({ logCode, at }) => logCode === "SYNC_STARTED" && at <= named.at) ?? named;
  const since = lines.filter(({ at }) => at >= began.at);
  const landed = since.find((line) => LANDED.has(line.logCode) && line.versionId === versionId);
  const ended = landed && since.find(({ logCode, at }) => logCode === "SYNC_COMPLETED" && at >= landed.at);
  const failed = landed ? undefined : since.findLast(({ code }) => code !== undefined);
  return {
    eventAt: began.at,
    ...(ended && { functionAt: ended.at }),
    ...(failed?.code !== undefined && { failedWith: failed.code }),
    isRefused: failed?.logCode === "TARGET_REFUSED",
  };
}

/** Whether a sweep reports that it wrote the canary at this time or later. Pure. */
export const isWrittenBySweep = (lines: readonly LogLine[], sinceAt: number): boolean =>
  lines.some(({ isRepair, at }) => isRepair === true && at >= sinceAt);

const LANDED: ReadonlySet<string> = new Set(["TARGET_WRITTEN", "TARGET_UNCHANGED"]);
