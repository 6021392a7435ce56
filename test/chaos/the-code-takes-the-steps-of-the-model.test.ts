import { afterAll, beforeAll, expect, it } from "vitest";
import { SCOPES } from "../../chaos/model/scopes.ts";
import type { Scope } from "../../chaos/model/state.ts";
import { Random } from "../../chaos/random.ts";
import { openScene, type Scene } from "../contract/scene.ts";
import { useBackend } from "../contract/use-scene.ts";
import { startSandboxBackend } from "../sandbox/start-backend.ts";
import { playOnTheCode } from "./play-on-the-code.ts";

// Schedules drawn from the model, some 25 steps each, on the real function. About 15 s. MODEL_SCHEDULES takes more.

const SCHEDULES = Number(process.env.MODEL_SCHEDULES ?? 60);
/** As the code has them, and not as small as the exhaustive walk needs them. */
const LIMITS = { conflictsMax: 7, confirmationsMax: 3, rereadsMax: 3 } as const;

const served = useBackend(startSandboxBackend);
let scene: Scene;
const names = Object.keys(SCOPES).map((_name, index) => `model-${index}`);

beforeAll(async () => {
  scene = await openScene(served.backend);
  await scene.grant(names);
});
afterAll(() => scene?.close());

it.each(Object.entries(SCOPES))("of %s", { timeout: 60_000 }, async (name, scope: Scope) => {
  const secretName = names[Object.keys(SCOPES).indexOf(name)] ?? "";
  const taken = new Set<string>();
  for (let schedule = 0; schedule < SCHEDULES; schedule += 1) {
    const stage = { backend: served.backend, scene, secretName };
    const trace = await playOnTheCode({ scope: { ...scope, ...LIMITS } }, new Random(schedule, name), stage);
    for (const step of trace) taken.add(step.slice(2));
  }

  // Otherwise nothing of what the scope is about would have been compared.
  expect([...taken]).toEqual(
    expect.arrayContaining([
      "is invoked",
      "reads the live Secret",
      "reads AWSCURRENT",
      "applies",
      "applies, and gets 409",
    ]),
  );
  const budget = Object.entries(scope.budget).filter(([what, count]) => count > 0 && what in SHOWS);
  for (const [what] of budget) expect([...taken].join("\n")).toContain(SHOWS[what]);
});

it.each([
  { protocol: "source before live", name: "three invocations" },
  { protocol: "no confirming read", name: "stale reads of AWSCURRENT" },
  { protocol: "no check after the create", name: "no Secret yet" },
  { protocol: "leaves without a fence", name: "a rotation and its rollback" },
] as const)(
  "is not of a model with the mistake: $protocol",
  { timeout: 60_000 },
  async ({ protocol, name }) => {
    const stage = { backend: served.backend, scene, secretName: names[0] ?? "" };
    const scope = { ...SCOPES[name], ...LIMITS };
    const play = async () => {
      for (let schedule = 0; schedule < SCHEDULES; schedule += 1) {
        await playOnTheCode({ scope, protocol }, new Random(schedule, name), stage);
      }
    };

    await expect(play()).rejects.toThrow(/in the model before/);
  },
);

const SHOWS: Readonly<Record<string, string>> = {
  crashes: "is killed, and invoked again",
  orphans: "orphaned apply arrives",
  lostAnswers: "hears nothing",
  staleReads: "stale: ",
  foreign: "makes a Secret of that name",
  deletions: "deletes the Secret",
  minutes: "a minute passes",
};
