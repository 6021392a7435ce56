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

/** The world is not as the step says it should be. Written by us, so it may be printed: it never holds a value. */
export class StoryProblem extends Error {
  override readonly name = "StoryProblem";
}

export function expectThat(claim: boolean, otherwise: string): asserts claim {
  if (!claim) throw new StoryProblem(otherwise);
}
