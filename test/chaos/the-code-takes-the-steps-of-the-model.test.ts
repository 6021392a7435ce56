import { afterAll, beforeAll, expect, it } from "vitest";
import { openScene, type Scene } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend } from "../harness/use-scene.ts";
import { playSchedules, SCOPE_NAMES, type ScopeName } from "./play-schedules.ts";

// Schedules drawn from the model, some 25 steps each, on the real function. About 5 s; test/long/chaos replays more.

/** The first schedules; test/long/chaos replays the others. */
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
  "does not match a model with the mistake: $protocol",
  { timeout: 60_000 },
  async ({ protocol, name }) => {
    const played = playSchedules(name, [0, 60], stageOf(name), protocol); // it ends with the first difference

    await expect(played).rejects.toThrow(/in the model before/);
  },
);
