import { addCounts, type Counts, countOf } from "./counts.ts";
import type { ChaosSettings } from "./settings.ts";
import type { ChaosResult } from "./simulate.ts";

export type ChaosSummary = ReturnType<typeof summarize>;

export function summarize({ seed: _seed, ...settings }: ChaosSettings, results: readonly ChaosResult[]) {
  const violations = results.flatMap((result) => result.violations).length;
  const total: Counts = results.map((result) => result.counts).reduce(addCounts, {});
  return {
    ok: results.every(({ ok }) => ok),
    settings,
    total: { seeds: results.length, violations, ...total } as Counts,
    runs: results,
  };
}

export function printResult({ seed, ok, violations, counts, digest }: ChaosResult): string {
  const of = (path: string): number => countOf(counts, path);
  const moves = of("rotations") + of("rollbacks");
  const head = `seed ${seed}: ${ok ? "ok" : `${violations.length} VIOLATION(S)`}, ${moves} moves, ${of("invocations")} invocations, ${of("kills")} killed, ${of("apiServers.killed")} API servers killed, ${of("applies")} applies, digest ${digest}\n`;
  const shown = violations.slice(0, SHOWN_MAX).map(({ rule, what }) => `  ${rule}: ${what}\n`);
  return head + shown.join("");
}

export function printCounts(counts: Counts, indent = ""): string {
  const lines = Object.entries(counts).map(([kind, count]) =>
    typeof count === "number"
      ? `${indent}${kind}: ${count}\n`
      : `${indent}${kind}: ${countOf(counts, kind)}\n${printCounts(count, `${indent}  `)}`,
  );
  return lines.join("");
}

const SHOWN_MAX = 20;

export function replayCommand(settings: ChaosSettings): string {
  const options = Object.entries(settings).map(([name, value]) => `--${name} ${value}`);
  return `npm run chaos -- ${options.join(" ")}`;
}
