import { afterAll, beforeAll, expect, it } from "vitest";
import { SCOPES } from "../../chaos/model/scopes.ts";
import { playSchedules, SCOPE_NAMES, type ScopeName, SHOWS } from "../../chaos/play-schedules.ts";
import { openScene, type Scene } from "../../harness/scene.ts";
import { startSandboxBackend } from "../../harness/start-sandbox-backend.ts";
import { useBackend } from "../../harness/use-scene.ts";

// The same as test/chaos/the-code-takes-the-steps-of-the-model.test.ts, with 90 further schedules of each scope,
// until each kind of trouble has occurred. About 25 s.

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

it.each(SCOPE_NAMES)("of %s", async (name) => {
  const taken = await playSchedules(name, [10, 100], stageOf(name));

  // Otherwise the subject of the scope would not have been compared.
  expect(taken).toEqual(
    expect.arrayContaining([
      "is invoked",
      "reads the live Secret",
      "reads AWSCURRENT",
      "applies",
      "applies, and gets 409",
    ]),
  );
  const budget = Object.entries(SCOPES[name].budget).filter(([what, count]) => count > 0 && what in SHOWS);
  for (const [what] of budget) expect(taken.join("\n")).toContain(SHOWS[what]);
});
