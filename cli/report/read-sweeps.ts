import { Ajv2020 } from "ajv/dist/2020.js";
import schema from "../../shared/sweep/report.schema.json" with { type: "json" };
import type { SweepReport } from "../../shared/sweep/report.ts";
import { UsageError } from "../errors.ts";

/**
 * The sweep reports in a file: one report, a list, one per line, or wrapped in the JSON output of a command.
 * Throws UsageError with the location of the problem, and quotes nothing from the file.
 */
export function parseSweeps(text: string, file: string): SweepReport[] {
  const found = parseDocuments(text, file).flatMap((document) => reportsIn(document, 0));
  if (found.length === 0) {
    throw new UsageError(
      `${file} holds no report of a sweep. Create one: secret-relay sweep --plan --out ${file}`,
    );
  }
  for (const report of found) {
    if (hasVersion(report) && report.version !== schema.properties.version.const) {
      throw new UsageError(
        `${file}: this release cannot read this version of a report. Use the release that wrote it.`,
      );
    }
    if (!validate(report)) {
      const [problem] = validate.errors ?? [];
      throw new UsageError(
        `${file} is not a valid report of a sweep: ${problem?.instancePath || "the report"} ${problem?.message ?? "is wrong"}. \`secret-relay schema report\` prints its schema.`,
      );
    }
  }
  return found as SweepReport[];
}

/** Joins the reports of the shards of each sweep. */
export function joinShards(reports: readonly SweepReport[]): SweepReport[] {
  return [...Map.groupBy(reports, ({ sweepId }) => sweepId).values()].flatMap((shards) => {
    const [first] = shards;
    if (first === undefined) return [];
    // An invocation that only queued shards is represented by the reports of those shards.
    const queued = shards.reduce((sum, { shardsQueued }) => sum + shardsQueued, 0);
    const swept = shards.filter(({ bindings, shardsQueued }) => bindings > 0 || shardsQueued === 0);
    const sum = (of: (report: SweepReport) => number) =>
      shards.reduce((total, report) => total + of(report), 0);
    return [
      {
        ...first,
        endedAt:
          shards
            .map(({ endedAt }) => endedAt)
            .sort()
            .at(-1) ?? first.endedAt,
        bindings: sum(({ bindings }) => bindings),
        checked: sum(({ checked }) => checked),
        shardsQueued: Math.max(0, queued - (queued > 0 ? swept.length : 0)),
        targets: shards.flatMap(({ targets }) => targets),
        orphansUnknown: shards.flatMap(({ orphansUnknown }) => orphansUnknown),
        calls: {
          aws: sum(({ calls }) => calls.aws),
          kubernetes: sum(({ calls }) => calls.kubernetes),
          throttles: sum(({ calls }) => calls.throttles),
        },
      },
    ];
  });
}

const validate = new Ajv2020({ strict: true }).compile(schema);

const hasVersion = (report: object): report is { version: unknown } => "version" in report;

function parseDocuments(text: string, file: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    // One report per line, as in a log.
  }
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, at) => {
    try {
      return JSON.parse(line) as unknown;
    } catch {
      throw new UsageError(`${file} is not JSON${lines.length > 1 ? ` (line ${at + 1})` : ""}.`);
    }
  });
}

/** A report, or the output of a command that contains one: `{"ok":true,"report":{…}}`. */
function reportsIn(document: unknown, depth: number): object[] {
  if (typeof document !== "object" || document === null || depth > WRAPS_MAX) return [];
  if (Array.isArray(document)) return document.flatMap((each) => reportsIn(each, depth + 1));
  if ("sweepId" in document) return [document];
  const { report, reports } = document as { report?: unknown; reports?: unknown };
  return [report, reports].flatMap((each) => reportsIn(each, depth + 1));
}

const WRAPS_MAX = 3;
