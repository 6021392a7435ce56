import { expect, it } from "vitest";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import type { ObjectCall } from "../../shared/cluster/secrets-api.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { followUpWith } from "../../shared/workloads/follow-up.ts";
import { printPendingRestart } from "../../shared/workloads/pending-restart.ts";
import {
  type AnnotationsPatch,
  RESTARTED_AT,
  restartedFor,
  rolledOut,
} from "../../shared/workloads/restart-annotations.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";

const NOW = Date.parse("2026-11-24T10:01:00.000Z");
const WRITTEN_AT = Date.parse("2026-11-24T10:00:00.000Z");
const VERSION = "v2" as VersionId;
const READY = { observedGeneration: 1, readyReplicas: 1, replicas: 1, updatedReplicas: 1 };
const COMPLETE = { ...READY, currentRevision: "new", updateRevision: "new" };
const PROGRESSING = { ...READY, readyReplicas: 0, currentRevision: "old", updateRevision: "new" };

/** A look at two StatefulSets that were restarted: the first is complete. `recorded` happens when this look records it. */
async function look(recorded: () => Readonly<Record<string, string>>) {
  const own: Record<string, Record<string, string>> = { first: {}, second: {} };
  const restarted = { [restartedFor("db")]: VERSION, [RESTARTED_AT]: new Date(WRITTEN_AT).toISOString() };
  const { versionId, readersDue } = RELAY_METADATA.annotations;
  const pending = printPendingRestart({ versionId: VERSION, changedAt: WRITTEN_AT, isFirst: false });
  const secret = { annotations: { [versionId]: VERSION, [readersDue]: pending } } as unknown as LiveMetadata;
  const cluster = {
    callObject: async ({ method, path, body }: ObjectCall) => {
      const name = path.endsWith("first") ? "first" : "second";
      if (method === "PATCH") {
        Object.assign(own[name] ?? {}, (body as AnnotationsPatch).metadata.annotations);
        Object.assign(own.second ?? {}, recorded());
      }
      const metadata = { generation: 1, annotations: own[name] };
      const status = name === "first" ? COMPLETE : PROGRESSING;
      return { metadata, spec: { replicas: 1, template: { metadata: { annotations: restarted } } }, status };
    },
    readMetadata: async () => secret,
  };
  const workloads = ["first", "second"].map((name) => ({ kind: "StatefulSet", name }));
  const binding = {
    target: { cluster: "main", namespace: "shop", name: "db" },
    restart: { workloads, delaySeconds: 0, order: "together", minimumIntervalSeconds: 0 },
  } as unknown as Binding;
  const deps = { now: () => NOW, wait: async () => {}, rolloutDeadlineMs: 1_800_000 };
  return followUpWith({ ...deps, connect: () => cluster })(
    { binding, ownMetadata: RELAY_METADATA, secret, was: { kind: "unchanged", versionId: VERSION } },
    { signal: new AbortController().signal, remainingMs: () => 60_000 },
  );
}

it("a look that records one workload measures, if another look has recorded the other meanwhile", async () => {
  const { effective, rotation } = await look(() => ({
    [rolledOut("db")]: `${VERSION} 2026-11-24T10:01:02.000Z`,
  }));

  expect(effective).toEqual({ at: "2026-11-24T10:01:02.000Z", afterMs: 62_000 });
  expect(rotation?.state).toBe("effective");
});

it("a look that records one workload measures nothing while the other is not complete", async () => {
  const { effective, rotation } = await look(() => ({}));

  expect(effective).toBeUndefined();
  expect(rotation?.state).toBe("waiting");
});
