import { expect, it } from "vitest";
import type { Binding } from "../../shared/bindings/binding.ts";
import { ClusterUnavailable } from "../../shared/cluster/errors.ts";
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

type Answers = {
  /** What another look records while this one records the first workload. */
  readonly recorded?: () => Readonly<Record<string, string>>;
  /** Whether this request fails. */
  readonly fails?: (request: ObjectCall) => boolean;
};

/** Looks at two StatefulSets that were restarted: the first is complete. */
function open(workloads: "auto" | "by name" = "by name", answers: Answers = {}) {
  const own: Record<string, Record<string, string>> = { first: {}, second: {} };
  const restarted = { [restartedFor("db")]: VERSION, [RESTARTED_AT]: new Date(WRITTEN_AT).toISOString() };
  const { versionId, readersDue } = RELAY_METADATA.annotations;
  const pending = printPendingRestart({ versionId: VERSION, changedAt: WRITTEN_AT, isFirst: false });
  const secret = { annotations: { [versionId]: VERSION, [readersDue]: pending } } as unknown as LiveMetadata;
  const read = (name: string) => {
    const template = {
      metadata: { annotations: restarted },
      spec: { containers: [{ envFrom: [{ secretRef: { name: "db" } }] }] },
    };
    const metadata = { name, generation: 1, annotations: { ...own[name] } };
    return { metadata, spec: { replicas: 1, template }, status: name === "first" ? COMPLETE : PROGRESSING };
  };
  const cluster = {
    callObject: async (request: ObjectCall) => {
      const { method, path, body } = request;
      if (answers.fails?.(request)) throw new ClusterUnavailable("main", "ECONNRESET");
      const name = path.split("/").at(-1) ?? "";
      if (name === "statefulsets") return { items: [read("first"), read("second")] };
      if (!(name in own)) return { items: [] };
      if (method === "PATCH") {
        Object.assign(own[name] ?? {}, (body as AnnotationsPatch).metadata.annotations);
        Object.assign(own.second ?? {}, answers.recorded?.());
      }
      return read(name);
    },
    readMetadata: async () => secret,
  };
  const named = ["first", "second"].map((name) => ({ kind: "StatefulSet", name }));
  const rule = { delaySeconds: 0, order: "together", minimumIntervalSeconds: 0 };
  const binding = {
    target: { cluster: "main", namespace: "shop", name: "db" },
    restart: { ...rule, workloads: workloads === "auto" ? workloads : named },
  } as unknown as Binding;
  const deps = { now: () => NOW, wait: async () => {}, rolloutDeadlineMs: 1_800_000 };
  const look = () =>
    followUpWith({ ...deps, connect: () => cluster })(
      { binding, ownMetadata: RELAY_METADATA, secret, was: { kind: "unchanged", versionId: VERSION } },
      { signal: new AbortController().signal, remainingMs: () => 60_000 },
    );
  return { look, own };
}

const SECOND_IS_RECORDED = { [rolledOut("db")]: `${VERSION} 2026-11-24T10:01:02.000Z` };

it("a look that records one workload measures, if another look has recorded the other meanwhile", async () => {
  const { look } = open("by name", { recorded: () => SECOND_IS_RECORDED });

  const { effective, rotation } = await look();

  expect(effective).toEqual({ at: "2026-11-24T10:01:02.000Z", afterMs: 62_000 });
  expect(rotation?.state).toBe("effective");
});

it("a look that records one workload measures nothing while the other is not complete", async () => {
  const { look } = open();

  const { effective, rotation } = await look();

  expect(effective).toBeUndefined();
  expect(rotation?.state).toBe("waiting");
});

it.each([
  { it: "a list", workloads: "auto", isOfOther: ({ path }: ObjectCall) => path.endsWith("/daemonsets") },
  { it: "a read", workloads: "by name", isOfOther: ({ path }: ObjectCall) => path.endsWith("/second") },
] as const)(
  "a look for which $it of other workloads fails records nothing, and the next look measures",
  async ({ workloads, isOfOther }) => {
    let isDown = true;
    const { look, own } = open(workloads, { fails: (request) => isDown && isOfOther(request) });
    Object.assign(own.second ?? {}, SECOND_IS_RECORDED);

    const first = await look();
    isDown = false;
    const second = await look();
    const third = await look();

    expect(first.effective).toBeUndefined();
    expect(first.rotation?.state).toBe("waiting");
    expect(second.effective).toEqual({ at: "2026-11-24T10:01:02.000Z", afterMs: 62_000 });
    expect(second.rotation?.state).toBe("effective");
    expect(third.effective).toBeUndefined();
  },
);
