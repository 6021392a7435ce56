import { expect, it } from "vitest";
import { type Narrator, silentNarrator } from "../../sandbox/story/narrator.ts";
import type { StoryWorld } from "../../sandbox/story/open-world.ts";
import { runStory } from "../../sandbox/story/run-story.ts";
import { STEPS } from "../../sandbox/story/steps.ts";
import { StoryProblem } from "../../sandbox/story/story-problem.ts";
import type { StoryStep } from "../../sandbox/story/story-step.ts";

const noWorld = {} as StoryWorld;
const step = (name: string, run: StoryStep["run"]): StoryStep => ({ name, title: `about ${name}`, run });
const fails = (name: string, error: unknown) => step(name, () => Promise.reject(error));

it("reports every step, and is not ok if one failed", async () => {
  const steps = [
    fails("first", new StoryProblem("The Secret does not exist")),
    step("second", async () => ({ ms: 12.34 })),
  ];

  const report = await runStory(steps, noWorld, silentNarrator);

  expect(report).toEqual({
    ok: false,
    steps: [
      { name: "first", ok: false, ms: expect.any(Number), problem: "The Secret does not exist" },
      { name: "second", ok: true, ms: 12.3 },
    ],
  });
});

it("does not repeat the message of a foreign error", async () => {
  const said: string[] = [];
  const narrator: Narrator = { ...silentNarrator, problem: (text) => void said.push(text) };

  const report = await runStory([fails("first", new Error("body: hunter2"))], noWorld, narrator);

  expect(said).toHaveLength(1);
  expect(JSON.stringify([said, report])).not.toContain("hunter2");
});

it("gives each step a unique name for scripts", () => {
  const names = STEPS.map(({ name }) => name);

  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
});
