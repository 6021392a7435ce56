import type { Narrator } from "./narrator.ts";
import type { StoryWorld } from "./open-world.ts";
import { problemOf } from "./story-problem.ts";
import type { StoryStep } from "./story-step.ts";

/** The output of `--json`; scripts rely on it. */
export type StoryReport = { readonly ok: boolean; readonly steps: readonly StepReport[] };

export type StepReport = {
  readonly name: string;
  readonly ok: boolean;
  /** The measured time of the step; for a failed one, its duration. */
  readonly ms: number;
  readonly problem?: string;
};

/** Runs every step, even after a failed one, to show what works. */
export async function runStory(
  steps: readonly StoryStep[],
  world: StoryWorld,
  narrator: Narrator,
): Promise<StoryReport> {
  const reports: StepReport[] = [];
  for (const step of steps) {
    narrator.step(step.name, step.title);
    const report = await runStep(step, world);
    if (report.problem !== undefined) narrator.problem(report.problem);
    reports.push(report);
  }
  return { ok: reports.every(({ ok }) => ok), steps: reports };
}

async function runStep(step: StoryStep, world: StoryWorld): Promise<StepReport> {
  const startedAt = performance.now();
  try {
    const { ms } = await step.run(world);
    return { name: step.name, ok: true, ms: tenths(ms) };
  } catch (error) {
    return {
      name: step.name,
      ok: false,
      ms: tenths(performance.now() - startedAt),
      problem: problemOf(error),
    };
  }
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10;
