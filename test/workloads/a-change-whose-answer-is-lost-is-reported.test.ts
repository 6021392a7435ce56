import { describe, expect, it } from "vitest";
import { FenceConflict } from "../../shared/cluster/errors.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import type { ObjectCall } from "../../shared/cluster/secrets-api.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { type PendingRestart, printPendingRestart } from "../../shared/workloads/pending-restart.ts";
import {
  type AnnotationsPatch,
  RESTARTED_AT,
  restartedFor,
  rolledOut,
} from "../../shared/workloads/restart-annotations.ts";
import { restartWorkloads } from "../../shared/workloads/restart-workloads.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";

const NOW = Date.parse("2026-11-24T10:00:00.250Z");
const pending: PendingRestart = { versionId: "v2" as VersionId, changedAt: NOW, isFirst: false };
const COMPLETE = {
  ...{ observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
  conditions: [
    { type: "Progressing", reason: "NewReplicaSetAvailable", lastUpdateTime: "2026-11-24T09:59:00Z" },
  ],
};

type Annotations = Readonly<Record<string, string | null>>;

/** A Deployment whose first patch meets another version of it: `patchBy` changes the Deployment in between. */
async function restart(
  annotations: Record<string, string>,
  patchBy: (sent: AnnotationsPatch) => { own?: Annotations; template?: Annotations },
) {
  let own: Annotations = {};
  let template: Annotations = annotations;
  let patches = 0;
  const outcomes = await restartWorkloads(
    {
      cluster: {
        callObject: async ({ method, body }: ObjectCall) => {
          if (method === "PATCH") {
            patches += 1;
            if (patches > 1) return {};
            const changed = patchBy(body as AnnotationsPatch);
            own = { ...own, ...changed.own };
            template = { ...template, ...changed.template };
            throw new FenceConflict("Deployment shop/api");
          }
          const metadata = { generation: 1, annotations: own };
          return { metadata, spec: { template: { metadata: { annotations: template } } }, status: COMPLETE };
        },
        readMetadata: async () => {
          const { readersDue } = RELAY_METADATA.annotations;
          return { annotations: { [readersDue]: printPendingRestart(pending) } } as unknown as LiveMetadata;
        },
      },
      now: () => NOW,
      wait: async () => {},
      rolloutDeadlineMs: 1_800_000,
    },
    {
      target: { cluster: "main", namespace: "shop", name: "db" },
      rule: {
        workloads: [{ kind: "Deployment", name: "api" }],
        ...{ delaySeconds: 0, order: "together", minimumIntervalSeconds: 0 },
      },
      pending,
      plan: false,
      ownMetadata: RELAY_METADATA,
      budget: { signal: new AbortController().signal, remainingMs: () => 60_000 },
    },
  );
  return { outcomes, patches };
}

const asSent = ({ metadata, spec }: AnnotationsPatch) => ({
  own: metadata.annotations ?? {},
  template: spec && "template" in spec ? spec.template.metadata.annotations : {},
});
const RESTARTED = { [restartedFor("db")]: "v2", [RESTARTED_AT]: "2026-11-24T09:58:00.000Z" };

describe("a patch of a workload that was carried out, but whose answer was lost,", () => {
  it("counts as this invocation's restart, so its rollout is followed", async () => {
    const { outcomes, patches } = await restart({}, asSent);

    expect(outcomes).toMatchObject([{ outcome: "restarted" }]);
    expect(patches).toBe(1);
  });

  it("counts as this invocation's record, so the time to effective is measured", async () => {
    const { outcomes, patches } = await restart(RESTARTED, asSent);

    const completedAt = Date.parse("2026-11-24T09:59:00.250Z");
    expect(outcomes).toMatchObject([{ outcome: "already", rollout: { state: "complete", completedAt } }]);
    expect(patches).toBe(1);
  });
});

describe("the same change by another invocation at almost the same time", () => {
  it("does not count as this invocation's restart", async () => {
    const other = { ...RESTARTED, [RESTARTED_AT]: "2026-11-24T10:00:00.251Z" };

    const { outcomes } = await restart({}, () => ({ template: other }));

    expect(outcomes).not.toMatchObject([{ outcome: "restarted" }]);
  });

  it("does not count as this invocation's record", async () => {
    const own = { [rolledOut("db")]: "v2 2026-11-24T09:59:00.251Z" };

    const { outcomes } = await restart(RESTARTED, () => ({ own }));

    expect(outcomes).toEqual([
      { workload: "Deployment/api", outcome: "already", effectiveAt: expect.any(String) },
    ]);
  });
});
