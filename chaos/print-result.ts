import type { ChaosSettings } from "./settings.ts";
import type { ChaosResult } from "./simulate.ts";

export type ChaosSummary = ReturnType<typeof summarize>;

export function summarize({ seed: _seed, ...settings }: ChaosSettings, results: readonly ChaosResult[]) {
  const violations = results.flatMap((result) => result.violations).length;
  const total: Record<string, number> = { seeds: results.length, violations };
  for (const { counts } of results) {
    for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
  }
  return {
    ok: results.every(({ ok }) => ok),
    settings,
    total,
    runs: results,
  };
}

export function printResult({ seed, ok, violations, counts, digest }: ChaosResult): string {
  const { rotations = 0, rollbacks = 0, invocations = 0, killed = 0, applies = 0 } = counts;
  const head = `seed ${seed}: ${ok ? "ok" : `${violations.length} VIOLATION(S)`}, ${rotations + rollbacks} moves, ${invocations} invocations, ${killed} killed, ${applies} applies, digest ${digest}\n`;
  const shown = violations.slice(0, SHOWN_MAX).map(({ rule, what }) => `  ${rule}: ${what}\n`);
  return head + shown.join("");
}

const SHOWN_MAX = 20;

export function replayCommand(settings: ChaosSettings): string {
  const options = Object.entries(settings).map(([name, value]) => `--${name} ${value}`);
  return `npm run chaos -- ${options.join(" ")}`;
}
