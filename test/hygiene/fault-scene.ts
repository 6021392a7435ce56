import { afterEach, beforeEach, expect } from "vitest";
import type { RotationDependencies } from "../../functions/rotation/dependencies.ts";
import { newLongCanary } from "../harness/canary.ts";
import { labelUpdated, lambdaContext, pinnedCluster } from "../harness/relay.ts";
import type { Scene, TestSource } from "../harness/scene.ts";
import { type SandboxBackend, startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";
import { expectNoTrace, objectsOf, startWatchedRelay, type WatchedRelay } from "./watched-relay.ts";

/** A sandbox, and for each test a source whose password is a canary, bound to the Secrets `db` and `fresh`. */
export type StruckScene = {
  readonly backend: SandboxBackend;
  readonly scene: Scene;
  readonly source: TestSource;
  /** Of its cluster's settings, some may be others. */
  startRelay(cluster?: object, override?: Partial<RotationDependencies>): Promise<WatchedRelay>;
  /** A fault strikes while one Secret is updated and one created; it passes, both are brought right, nothing was seen. */
  rotateUnder(strike: () => void, soothe: () => void, remainingMs?: number): Promise<void>;
};

/** Call it once in a test file. Its fields are set when a test runs. */
export function useFaultScene(): StruckScene {
  let backend: SandboxBackend;
  let scene: Scene;
  let source: TestSource;

  const used = useBackend(startSandboxBackend);
  const at = useScene(used);
  beforeEach(async () => {
    ({ backend } = used);
    ({ scene } = at);
    await scene.grant(["db", "fresh"]);
    source = await scene.createSource(`prod/${scene.namespace}`, secretText());
  });
  afterEach(() => {
    backend.sandbox.aws.faults.clear();
    backend.sandbox.kubernetes.faults.clear();
  });

  const targetNamed = (name: string) => ({ cluster: "struck", namespace: scene.namespace, name });
  const startRelay: StruckScene["startRelay"] = (cluster = {}, override = {}) =>
    startWatchedRelay(backend, {
      clusters: { struck: { ...pinnedCluster(backend), ...cluster } },
      bindings: [{ source: source.name, targets: ["db", "fresh"].map(targetNamed) }],
      override: () => override,
    });

  const rotateUnder: StruckScene["rotateUnder"] = async (strike, soothe, remainingMs = 15_000) => {
    const relay = await startRelay();
    const before = await relay.invoke(labelUpdated(backend, source));
    await scene.deleteSecret("fresh");
    const value = secretText();
    const rotated = await scene.rotate(source, value);

    strike();
    const during = await relay.invoke(labelUpdated(backend, rotated), lambdaContext(backend, remainingMs));
    soothe();
    const after = await relay.invoke(labelUpdated(backend, rotated));

    expect(await scene.readData("db")).toEqual(JSON.parse(value));
    expect(await scene.readData("fresh")).toEqual(JSON.parse(value));
    const evidence = [before, during, after].flatMap((each) => each.evidence);
    expectNoTrace([...evidence, ...(await objectsOf(scene))], backend);
  };

  return {
    get backend() {
      return backend;
    },
    get scene() {
      return scene;
    },
    get source() {
      return source;
    },
    startRelay,
    rotateUnder,
  };
}

export function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

const secretText = () => JSON.stringify({ username: "app", password: newLongCanary() });
