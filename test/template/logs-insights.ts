import { readFileSync } from "node:fs";
import { LOG } from "../../shared/runtime/log.ts";

/** The fields of a log line: the closed list in shared/runtime/log.ts, and the standard ones. */
const FIELDS: ReadonlySet<string> = new Set([
  ...fieldsOfLog(),
  "logCode",
  // Powertools and CloudWatch Logs put these into every line.
  ...["level", "message", "service", "timestamp", "function_name", "function_request_id"],
  ...["@timestamp", "@message", "@log", "@logStream"],
  // Lambda's own lines, in the JSON log format.
  ...["type", "record.metrics.durationMs", "record.metrics.initDurationMs", "record.metrics.maxMemoryUsedMB"],
]);
const COMMANDS = ["fields", "filter", "stats", "sort", "limit"];
const FUNCTIONS = ["latest", "count", "max", "pct", "sum", "ispresent"];
const WORDS: ReadonlySet<string> = new Set([
  ...FUNCTIONS,
  "as",
  "by",
  "in",
  "or",
  "and",
  "like",
  "asc",
  "desc",
]);

/** Unknown fields and codes in a Logs Insights query; empty if it is fine. */
export function problemsOfQuery(query: string): string[] {
  const pipes = query.split("|").map((pipe) => pipe.trim());
  const made = new Set([...query.matchAll(/\bas (\w+)/g)].map(([, name]) => name ?? ""));
  return [...pipes.flatMap((pipe) => problemsOfPipe(pipe, made)), ...problemsOfCodes(query)];
}

function problemsOfPipe(pipe: string, made: ReadonlySet<string>): string[] {
  const [command = "", ...rest] = pipe.split(/\s+/);
  if (!COMMANDS.includes(command)) return [`unknown command ${command}`];
  const names =
    rest
      .join(" ")
      .replaceAll(/"[^"]*"|'[^']*'/g, "")
      .match(/[@A-Za-z_][\w.]*/g) ?? [];
  return names
    .filter((name) => !FIELDS.has(name) && !WORDS.has(name) && !made.has(name))
    .map((name) => `${name} is not a field of a log line`);
}

/** Codes that logCode is compared with. */
function problemsOfCodes(query: string): string[] {
  const compared = [...query.matchAll(/logCode (?:=|in) (\[[^\]]*\]|["'][^"']*["'])/g)].map(
    ([, list]) => list ?? "",
  );
  return compared
    .flatMap((list) => list.match(/[A-Z_]+/g) ?? ["nothing"])
    .filter((code) => !(code in LOG))
    .map((code) => `${code} is not a code of a log line`);
}

function fieldsOfLog(): string[] {
  const source = readFileSync(new URL("../../shared/runtime/log.ts", import.meta.url), "utf8");
  const type = /export type LogFields = \{([^}]*)\}/.exec(source)?.[1] ?? "";
  return [...type.matchAll(/readonly (\w+)\?:/g)].map(([, name]) => name ?? "");
}
