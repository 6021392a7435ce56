import { randomUUID } from "node:crypto";
import type { Context } from "aws-lambda";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { followRotation } from "../../functions/rotation/follow-rotation.ts";
import type { RotationReport } from "../../functions/rotation/settle.ts";
import { type Sandbox, startSandbox } from "../../sandbox/start-sandbox.ts";
import type { RelayError } from "../../shared/relay-error.ts";
import type { Backend } from "../harness/backend.ts";
import { lambdaContext, type TestRelay } from "../harness/relay.ts";
import { openScene, type Scene, type TestSource } from "../harness/scene.ts";

/** A sandbox with faults and a clock that a test controls, and a fresh namespace for each test. */
export type FaultScene = {
  readonly backend: Backend;
  readonly sandbox: Sandbox;
  readonly scene: Scene;
  /** Ms since the epoch: the clock of the sandbox and, if a test passes it on, of the relay. */
  readonly now: () => number;
  passTime(ms: number): void;
  createSource(password?: string): Promise<TestSource>;
  rotate(source: TestSource, password: string): Promise<TestSource>;
  bindTo(source: TestSource, name?: string, cluster?: string): object;
};

/** Call it once in a test file. Its properties are available when a test runs. */
export function useFaultScene(): FaultScene {
  let sandbox: Sandbox;
  let scene: Scene;
  let aheadMs = 0;
  const now = () => Date.now() + aheadMs;

  beforeAll(async () => {
    sandbox = await startSandbox({ now });
  });
  afterAll(() => sandbox?.stop());
  beforeEach(async () => {
    for (const [name, value] of Object.entries(sandbox.aws.env)) vi.stubEnv(name, value);
    scene = await openScene(backend);
    await scene.grant(["db", "other"]);
    sandbox.aws.counters.reset();
    sandbox.kubernetes.requests.reset();
  });
  afterEach(() => {
    aheadMs = 0;
    sandbox.aws.faults.clear();
    sandbox.kubernetes.faults.clear();
    scene.close();
    vi.unstubAllEnvs();
  });

  const backend: Backend = {
    name: "sandbox",
    get aws() {
      return sandbox.aws;
    },
    get kubernetes() {
      return sandbox.kubernetes;
    },
    clock: {
      now,
      advance: async (ms) => {
        aheadMs += ms;
      },
    },
    stop: async () => {},
  };
  return {
    backend,
    get sandbox() {
      return sandbox;
    },
    get scene() {
      return scene;
    },
    now,
    passTime: (ms) => {
      aheadMs += ms;
    },
    createSource: (password = "first") =>
      scene.createSource(`prod/${randomUUID().slice(0, 8)}`, JSON.stringify({ password })),
    rotate: (source, password) => scene.rotate(source, JSON.stringify({ password })),
    bindTo: (source, name = "db", cluster = "main") => ({
      source: source.name,
      targets: [{ cluster, namespace: scene.namespace, name }],
    }),
  };
}

/** One invocation with the given remaining Lambda time; a failed one returns its error. */
export async function invokeWithin(
  relay: TestRelay,
  { backend }: FaultScene,
  input: unknown,
  remainingMs: number,
): Promise<{ report?: RotationReport; error?: RelayError }> {
  const context: Context = lambdaContext(backend, remainingMs);
  const { dependencies } = relay;
  const run = followRotation({ open: async () => dependencies, now: dependencies.now });
  return run(input, context).then(
    (report) => ({ report: report as RotationReport }),
    (error: RelayError) => ({ error }),
  );
}

export function totalOf(relay: TestRelay, metric: string): number {
  return relay.metrics.filter(({ name }) => name === metric).reduce((sum, { value }) => sum + value, 0);
}
