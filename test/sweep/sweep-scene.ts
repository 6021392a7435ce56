import { afterAll, afterEach, beforeAll, vi } from "vitest";
import type { ReconcileDependencies } from "../../functions/reconcile/dependencies.ts";
import { type Sandbox, startSandbox } from "../../sandbox/start-sandbox.ts";
import type { Backend } from "../harness/backend.ts";
import { type Fleet, type FleetOptions, openFleet } from "../harness/fleet.ts";
import { startSweeper, type TestSweeper } from "../harness/relay.ts";

/** A sandbox for a test file, with a clock that tests can advance, and fleets that are closed after each test. */
export type SweepScene = {
  readonly sandbox: Sandbox;
  readonly backend: Backend;
  now(): number;
  passTime(ms: number): void;
  /** Each with namespaces and sources of its own. */
  openFleet(options: FleetOptions): Promise<Fleet>;
};

export function useSweepScene(): SweepScene {
  let sandbox: Sandbox;
  let aheadMs = 0;
  let fleets: Fleet[] = [];
  let opened = 0;
  const now = () => Date.now() + aheadMs;

  beforeAll(async () => {
    sandbox = await startSandbox({ now });
    for (const [name, value] of Object.entries(sandbox.aws.env)) vi.stubEnv(name, value);
  });
  afterEach(async () => {
    sandbox.aws.faults.clear();
    sandbox.kubernetes.faults.clear();
    sandbox.aws.options.listStaleMs = 0;
    for (const fleet of fleets) await fleet.close();
    fleets = [];
    aheadMs = 0;
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await sandbox?.stop();
  });

  const scene: SweepScene = {
    get sandbox() {
      return sandbox;
    },
    get backend(): Backend {
      const { aws, kubernetes, stop } = sandbox;
      return {
        name: "sandbox",
        aws,
        kubernetes,
        clock: { now, advance: async (ms) => scene.passTime(ms) },
        stop,
      };
    },
    now,
    passTime: (ms) => {
      aheadMs += ms;
    },
    openFleet: async (options) => {
      opened += 1;
      const fleet = await openFleet(scene.backend, { name: `fleet-${opened}`, ...options });
      fleets.push(fleet);
      return fleet;
    },
  };
  return scene;
}

export type SweeperOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly override?: (real: ReconcileDependencies) => Partial<ReconcileDependencies>;
  readonly remainingMs?: number;
  readonly now?: () => number;
};

/** The reconcile function with the bindings of a fleet. */
export function sweeperOf(fleet: Fleet, { env, ...options }: SweeperOptions = {}): Promise<TestSweeper> {
  return startSweeper(fleet.backend, {
    bindings: [],
    env: { BINDINGS_FILE: fleet.bindingsFile, ...env },
    ...options,
  });
}

export const METADATA = { sweep: "metadata" };
export const VALUES = { sweep: "values" };
