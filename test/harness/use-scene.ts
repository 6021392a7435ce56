import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import type { Backend } from "./backend.ts";
import { openScene, type Scene } from "./scene.ts";

/** A backend for all tests of a suite, with its AWS settings in process.env. Read it in a test, not while collecting. */
export function useBackend<B extends Backend>(start: () => Promise<B>): { readonly backend: B } {
  let started: B | undefined;
  beforeAll(async () => {
    started = await start();
    for (const [name, value] of Object.entries(started.aws.env)) vi.stubEnv(name, value);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await started?.stop();
  });
  return {
    get backend() {
      if (started === undefined) throw new Error("The backend is available once the tests run");
      return started;
    },
  };
}

/** A scene, with its namespace, for each test. */
export function useScene(used: { readonly backend: Backend }): { readonly scene: Scene } {
  let opened: Scene | undefined;
  beforeEach(async () => {
    opened = await openScene(used.backend);
  });
  afterEach(() => opened?.close());
  return {
    get scene() {
      if (opened === undefined) throw new Error("The scene is available once a test runs");
      return opened;
    },
  };
}
