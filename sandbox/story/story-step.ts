import type { StoryWorld } from "./open-world.ts";

/**
 * One step of the story. To add one, write its file in this folder and its line in steps.ts.
 *
 * Steps run in the order of that list, in one world: a later step finds the state of the earlier ones.
 */
export type StoryStep = {
  /** Its name for scripts. */
  readonly name: string;
  /** What happens, for readers. */
  readonly title: string;
  /** Resolves to the measured time of the step, and rejects when a check fails. */
  run(world: StoryWorld): Promise<{ readonly ms: number }>;
};
