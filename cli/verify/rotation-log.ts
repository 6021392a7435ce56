import { errorNameOf } from "../../shared/cluster/credentials.ts";
import type { AwsSession } from "../live/aws-session.ts";

/** A line of the rotation function about the canary. */
export type LogLine = {
  readonly at: number;
  readonly logCode: string;
  readonly versionId?: string;
  /** Why a target was refused or failed. */
  readonly code?: string;
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

/** The lines about the source since a time; undefined if the log cannot be read. */
export async function readRotationLog(
  aws: AwsSession,
  { group, sourceName, sinceAt }: { group: string | undefined; sourceName: string; sinceAt: number },
): Promise<readonly LogLine[] | undefined> {
  if (group === undefined) return undefined;
  const { CloudWatchLogsClient, paginateFilterLogEvents } = await import("@aws-sdk/client-cloudwatch-logs");
  const client = new CloudWatchLogsClient(aws.client);
  const query = { logGroupName: group, filterPattern: `"${sourceName}"`, startTime: sinceAt };
  const lines: LogLine[] = [];
  try {
    for await (const { events = [] } of paginateFilterLogEvents({ client }, query)) {
      for (const { timestamp = 0, message = "" } of events) {
        const line = message.includes(sourceName) ? parseLine(timestamp, message) : undefined;
        if (line !== undefined) lines.push(line);
      }
    }
    return lines.toSorted((one, other) => one.at - other.at);
  } catch (error) {
    if (/^(AccessDenied|ResourceNotFound)/.test(errorNameOf(error))) return undefined;
    throw aws.classify("Reading the log of the rotation function", error);
  } finally {
    client.destroy();
  }
}

/** Keeps codes and versions only. Pure. */
export function parseLine(at: number, message: string): LogLine | undefined {
  try {
    const { logCode, versionId, code } = JSON.parse(message) as Record<string, unknown>;
    if (!isCode(logCode)) return undefined;
    return {
      at,
      logCode,
      ...(typeof versionId === "string" && { versionId }),
      ...(isCode(code) && { code }),
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

const LANDED: ReadonlySet<string> = new Set(["TARGET_WRITTEN", "TARGET_UNCHANGED"]);
