import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { RotationReport } from "../../functions/rotation/settle.ts";
import type { Wait } from "../../shared/runtime/retry.ts";
import type { Backend } from "../harness/backend.ts";
import { type EsoScene, esoScene } from "../harness/eso-scene.ts";
import { applyManifests, type Narrow, printedManifests, singleRights } from "../harness/printed-roles.ts";
import { labelUpdated, pinnedCluster, startRelay } from "../harness/relay.ts";
import { openScene, type Scene, type TestSource } from "../harness/scene.ts";
import { useBackend } from "../harness/use-scene.ts";

/** What `secret-relay rbac` prints for trigger mode is enough for everything that it does, and nothing is too much. */
export function describeTriggerRbacContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);

  describe.each(["each by its name", "all"] as const)("the printed roles for namespaces: %s", (said) => {
    const namespacesOf = (namespace: string) => (said === "all" ? "all" : [namespace]);
    const printed = (namespace: string) => {
      const { clusterName: name, region } = used.backend.kubernetes;
      const externalSecrets = { namespaces: namespacesOf(namespace) };
      return printedManifests(used.backend, {
        clusters: { main: { name, region, externalSecrets } },
        bindings: [],
      });
    };
    const tryWith = async (narrow: Narrow): Promise<string[]> => {
      const scene = await openScene(used.backend);
      const takeAway = await applyManifests(used.backend, scene, await printed(scene.namespace), narrow);
      try {
        return await liveThrough(used.backend, scene, namespacesOf(scene.namespace));
      } finally {
        await takeAway(); // a ClusterRole holds in the next scene, too
        scene.close();
      }
    };

    it("are sufficient", async () => {
      expect(await tryWith((rules) => rules)).toEqual([]);
    }, 30_000);

    it("are minimal: without any single verb on any kind, something fails", async () => {
      const rights = singleRights(await printed("any"));
      expect(rights.length).toBeGreaterThanOrEqual(10);

      const needless: string[] = [];
      for (const { what, narrow } of rights) {
        if ((await tryWith(narrow)).length === 0) needless.push(what);
      }

      expect(needless).toEqual([]);
    }, 120_000);
  });
}

/**
 * One rotation that concerns ExternalSecrets in every way that asks for a right, and what pushes their Secrets on: the
 * answer is what did not work.
 */
async function liveThrough(
  backend: Backend,
  scene: Scene,
  namespaces: "all" | readonly string[],
): Promise<string[]> {
  const { namespace } = scene;
  const eso = esoScene(backend, scene, "v1");
  const rest = `db-${randomUUID().slice(0, 8)}`;
  const source = await scene.createSource(`prod/${rest}`, '{"password":"first"}');
  const [store, maker] = [`store-${rest}`, `maker-${rest}`];
  await eso.createStore("own", { prefix: "prod/" });
  await eso.createStore(store, { prefix: "prod/" }, { kind: "ClusterSecretStore" });
  // The stores show that these read the source; the webhook id of its owner shows the third.
  await eso.createExternalSecret("by-store", reads(rest, { name: "own" }));
  await eso.createExternalSecret(
    "by-cluster-store",
    reads(rest, { name: store, kind: "ClusterSecretStore" }),
  );
  const { uid } = await eso.createClusterExternalSecret(maker, {
    annotations: { [WEBHOOK_ID]: source.name },
  });
  const owner = { apiVersion: "external-secrets.io/v1", kind: "ClusterExternalSecret", name: maker, uid };
  await eso.createExternalSecret("made", reads(rest, { name: "own" }, `uuid/${source.versionId}`), {
    ownerReferences: [{ ...owner, controller: true }],
  });
  await eso.createPushSecret("onward", {
    secretStoreRefs: [{ name: "own", kind: "SecretStore" }],
    selector: { secret: { name: "by-store" } },
    data: [{ match: { secretKey: "password", remoteRef: { remoteKey: "copy/db" } } }],
  });

  const controller = eso.startEso();
  const wait: Wait = async (ms, signal) => {
    await eso.wait(ms, signal);
    await pushWhatIsNudged(eso, "onward", backend.clock.now());
  };
  try {
    const externalSecrets = { namespaces, deadlineSeconds: 2 };
    const clusters = { main: { ...pinnedCluster(backend), externalSecrets } };
    const relay = await startRelay(backend, { bindings: [], clusters, wait });
    const second: TestSource = await scene.rotate(source, '{"password":"second"}');
    let report: RotationReport;
    try {
      report = await relay.invoke(labelUpdated(backend, second));
    } catch {
      return ["the invocation failed"];
    }
    const wanted = ["ExternalSecret/by-cluster-store", "ExternalSecret/by-store", "ExternalSecret/made"];
    const done = (report.externalSecrets ?? []).flatMap(({ kind, object }) =>
      kind === "refreshed" || kind === "already" ? [object.replace(`/${namespace}/`, "/")] : [],
    );
    const missed = [...wanted, "PushSecret/onward"].filter((each) => !done.includes(each));
    const isMakerNudged = (await eso.nudgeOf("ClusterExternalSecret", maker)) !== undefined;
    return [...missed, ...(isMakerNudged ? [] : ["ClusterExternalSecret"])];
  } finally {
    await controller.stop();
  }
}

/** Plays ESO for PushSecrets, as far as a nudge sees it. */
async function pushWhatIsNudged(eso: EsoScene, name: string, now: number): Promise<void> {
  const nudge = await eso.nudgeOf("PushSecret", name);
  if (nudge === undefined) return;
  await eso.writeStatus("PushSecret", name, {
    refreshTime: `${new Date(now).toISOString().slice(0, 19)}Z`,
    syncedResourceVersion: nudge,
    conditions: [{ type: "Ready", status: "True", reason: "Synced" }],
  });
}

const WEBHOOK_ID = "reconcile.external-secrets.io/webhook-id";

const reads = (key: string, store: object, version?: string) => ({
  secretStoreRef: store,
  refreshInterval: "1h0m0s",
  data: [{ secretKey: "password", remoteRef: { key, property: "password", ...(version && { version }) } }],
});
