import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RestartRule, TargetRef, WorkloadKind } from "../../shared/bindings/binding.ts";
import { ClusterForbidden, ClusterUnavailable, FenceConflict } from "../../shared/cluster/errors.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import type { ObjectCall } from "../../shared/cluster/secrets-api.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { parsePendingRestart, printPendingRestart } from "../../shared/workloads/pending-restart.ts";
import { recordedVersions, restartedFor } from "../../shared/workloads/restart-annotations.ts";
import { restartWorkloads } from "../../shared/workloads/restart-workloads.ts";
import { runs } from "../harness/property-runs.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";

const { readersDue } = RELAY_METADATA.annotations;
const BUDGET = { signal: new AbortController().signal, remainingMs: () => 60_000 };

type Annotations = Record<string, string>;

/** A Deployment that reads Secrets, in a cluster that answers when `turn` says. Pods take the values at their patch. */
function setUp({ turn = async () => {}, kind = "Deployment" as WorkloadKind } = {}) {
  let now = Date.parse("2026-11-24T10:00:00.000Z");
  let resourceVersion = 1;
  let metadata: Annotations = {};
  let template: Annotations = {};
  const secrets = new Map<string, string>(); // the annotation readers-due
  const unreadable = new Map<string, Error>();
  const running = new Map<string, string>();
  const reads: string[] = [];
  let restarts = 0;

  const write = (name: string, version: string, isFirst = false): void => {
    now += 1_000;
    secrets.set(name, printPendingRestart({ versionId: version as VersionId, changedAt: now, isFirst }));
    if (isFirst) running.set(name, version);
  };
  const callObject = async ({ method, body }: ObjectCall): Promise<unknown> => {
    await turn();
    if (method === "PATCH") patch(body as PatchBody);
    return {
      metadata: { name: "shop", resourceVersion: String(resourceVersion), annotations: metadata },
      spec: { template: { metadata: { annotations: template } } },
    };
  };
  const patch = ({ metadata: patched, spec }: PatchBody): void => {
    if (patched.resourceVersion !== String(resourceVersion)) throw new FenceConflict("Deployment shop");
    resourceVersion += 1;
    metadata = { ...metadata, ...patched.annotations };
    const annotations = spec?.template?.metadata.annotations;
    template = { ...template, ...annotations };
    if (spec === undefined) return;
    restarts += 1;
    for (const [name, due] of secrets) running.set(name, versionIn(due));
  };
  const readMetadata = async ({ name }: Pick<TargetRef, "name">) => {
    await turn();
    reads.push(name);
    const error = unreadable.get(name);
    if (error !== undefined) throw error;
    const due = secrets.get(name);
    return due === undefined
      ? undefined
      : ({ annotations: { [readersDue]: due } } as unknown as LiveMetadata);
  };
  const restart = (name: string, rule: Partial<RestartRule> = {}) => {
    const pending = parsePendingRestart(secrets.get(name));
    if (pending === undefined) throw new TypeError("The Secret is written first");
    const workloads = [{ kind, name: "shop" }];
    return restartWorkloads(
      {
        cluster: { callObject, readMetadata },
        now: () => now,
        wait: turn,
        rolloutDeadlineMs: 1_800_000,
      },
      {
        target: { cluster: "main", namespace: "shop", name },
        rule: { workloads, delaySeconds: 0, order: "together", minimumIntervalSeconds: 0, ...rule },
        pending,
        plan: false,
        ownMetadata: RELAY_METADATA,
        budget: BUDGET,
      },
    );
  };
  const records = () => ({ ...metadata, ...template });
  return { write, restart, running, secrets, reads, unreadable, records, restarts: () => restarts };
}

type PatchBody = {
  readonly metadata: { readonly resourceVersion?: string; readonly annotations?: Annotations };
  readonly spec?: { readonly template?: { readonly metadata: { readonly annotations: Annotations } } };
};

const versionIn = (due = "") => parsePendingRestart(due)?.versionId ?? "";

/** Both Secrets exist, and the workload started with them. */
async function started(options: Parameters<typeof setUp>[0] = {}) {
  const scene = setUp(options);
  for (const name of ["db", "cache"]) {
    scene.write(name, "v1", true);
    await scene.restart(name);
  }
  return scene;
}

describe("a restart", () => {
  it("also serves another Secret whose new value is already written", async () => {
    const { write, restart, restarts } = await started();
    write("db", "v2");
    write("cache", "v2");

    const [first] = await restart("db");
    const [second] = await restart("cache");

    expect(first).toEqual({ workload: "Deployment/shop", outcome: "restarted", alsoFor: ["cache"] });
    expect(second).toMatchObject({ outcome: "already" });
    expect(restarts()).toBe(1);
  });

  it("of a Rollout does so too", async () => {
    const { write, restart, restarts } = await started({ kind: "Rollout" });
    write("db", "v2");
    write("cache", "v2");

    expect(await restart("db")).toMatchObject([{ outcome: "restarted", alsoFor: ["cache"] }]);
    expect(await restart("cache")).toMatchObject([{ outcome: "already" }]);
    expect(restarts()).toBe(1);
  });

  it("does not serve a Secret that is written after it", async () => {
    const { write, restart, restarts } = await started();
    write("db", "v2");
    await restart("db");
    write("cache", "v2");

    expect(await restart("cache")).toEqual([{ workload: "Deployment/shop", outcome: "restarted" }]);
    expect(restarts()).toBe(2);
  });

  it("records nothing for a Secret that the workload has no record of, or that is in order", async () => {
    const { write, restart, records, reads } = await started();
    write("other", "v2");
    write("db", "v2");
    reads.length = 0;

    expect(await restart("db")).toEqual([{ workload: "Deployment/shop", outcome: "restarted" }]);
    expect(records()[restartedFor("other")]).toBeUndefined();
    expect(reads.sort()).toEqual(["cache", "db"]);
  });

  it.each([
    ["the relay may not read", new ClusterForbidden("main", "get", "Secret shop/cache")],
    ["cannot be read now", new ClusterUnavailable("main", "HTTP 500")],
  ])("leaves alone a Secret that %s, which then restarts the workload itself", async (_, error) => {
    const { write, restart, unreadable } = await started();
    write("db", "v2");
    write("cache", "v2");
    unreadable.set("cache", error);

    expect(await restart("db")).toEqual([{ workload: "Deployment/shop", outcome: "restarted" }]);
    unreadable.clear();
    expect(await restart("cache")).toMatchObject([{ outcome: "restarted" }]);
  });

  it("does not serve the version that a Secret gets between its read and the patch", async () => {
    let onTurn = () => {};
    const scene = await started({ turn: async () => onTurn() });
    scene.write("db", "v2");
    scene.write("cache", "v2");
    onTurn = () => {
      if (scene.reads.at(-1) === "cache") scene.write("cache", "v3");
    };
    scene.reads.length = 0;

    expect(await scene.restart("db")).toMatchObject([{ outcome: "restarted", alsoFor: ["cache"] }]);
    onTurn = () => {};
    expect(scene.records()[restartedFor("cache")]).toBe("v2");
    expect(await scene.restart("cache")).toMatchObject([{ outcome: "restarted" }]);
  });

  it("takes the delay of its own binding, and serves what was written meanwhile", async () => {
    let onWait = () => {};
    const scene = await started({ turn: async () => onWait() });
    scene.write("db", "v2");
    onWait = () => {
      onWait = () => {};
      scene.write("cache", "v2");
    };

    expect(await scene.restart("db", { delaySeconds: 20 })).toMatchObject([{ alsoFor: ["cache"] }]);
  });
});

it("the records of a workload are read by the name of their Secret, except for a name that is a digest", () => {
  const annotations = { [restartedFor("db")]: "v1", [restartedFor("a".repeat(60))]: "v1", other: "v1" };
  const workload = { metadata: { annotations }, spec: { template: { metadata: {} } } };

  expect([...recordedVersions("Deployment", workload)]).toEqual([["db", "v1"]]);
});

describe("in any order of writes, reads and patches", () => {
  const NAMES = ["db", "cache", "mail"];

  it("no restart is lost, at most one is made for each write, and none is left for a sweep", async () => {
    const anyWrites = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), anyWrites, async (scheduler, writes) => {
        const scene = setUp({ turn: () => scheduler.schedule(Promise.resolve()) });
        const first = NAMES.map(async (name) => {
          scene.write(name, "v0", true);
          await scene.restart(name);
        });
        await scheduler.waitFor(Promise.all(first));

        const invocations = writes.map(async (name, index) => {
          await scheduler.schedule(Promise.resolve());
          scene.write(name, `v${index + 1}`);
          await scene.restart(name);
        });
        await scheduler.waitFor(Promise.all(invocations));
        const swept = await scheduler.waitFor(Promise.all(NAMES.map((name) => scene.restart(name))));

        expect(swept.flat().map(({ outcome }) => outcome)).toEqual(NAMES.map(() => "already"));
        for (const [name, due] of scene.secrets) expect(scene.running.get(name)).toBe(versionIn(due));
        expect(scene.restarts()).toBeLessThanOrEqual(writes.length);
      }),
      { numRuns: runs(500) },
    );
  });
});
