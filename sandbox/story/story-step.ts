import type { StoryWorld } from "./open-world.ts";

/**
 * One step of the story. To add one, write its file in this folder and its line in steps.ts.
 *
 * Steps run in the order of that list, in one world: a later step finds what an earlier one left behind.
 */
export type StoryStep = {
  /** Scripts know it by this name. */
  readonly name: string;
  /** What happens, for a person. */
  readonly title: string;
  /** Resolves to the time that the step is about, and rejects when the world is not as it should be. */
  run(world: StoryWorld): Promise<{ readonly ms: number }>;
};
