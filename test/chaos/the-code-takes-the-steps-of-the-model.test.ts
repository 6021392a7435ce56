import { afterAll, beforeAll, expect, it } from "vitest";
import { openScene, type Scene } from "../contract/scene.ts";
import { useBackend } from "../contract/use-scene.ts";
import { startSandboxBackend } from "../sandbox/start-backend.ts";
import { playSchedules, SCOPE_NAMES, type ScopeName } from "./play-schedules.ts";

// Schedules drawn from the model, some 25 steps each, on the real function. About 5 s; test/long/chaos plays more.

/** The first of them; the others are played there. */
const SCHEDULES = 10;

const served = useBackend(startSandboxBackend);
let scene: Scene;
const stageOf = (name: ScopeName) => ({
  backend: served.backend,
  scene,
  secretName: secretNames[SCOPE_NAMES.indexOf(name)] ?? "",
});
const secretNames = SCOPE_NAMES.map((_name, index) => `model-${index}`);

beforeAll(async () => {
  scene = await openScene(served.backend);
  await scene.grant(secretNames);
});
afterAll(() => scene?.close());

it.each(SCOPE_NAMES)("of %s", { timeout: 60_000 }, async (name) => {
  const taken = await playSchedules(name, [0, SCHEDULES], stageOf(name));

  // Otherwise nothing would have been compared.
  expect(taken).toEqual(
    expect.arrayContaining(["is invoked", "reads the live Secret", "reads AWSCURRENT", "applies"]),
  );
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
    const played = playSchedules(name, [0, 60], stageOf(name), protocol); // it ends with the first that differs

    await expect(played).rejects.toThrow(/in the model before/);
  },
);
