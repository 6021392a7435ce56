import type { ReconcileDependencies } from "../../functions/reconcile/dependencies.ts";
import { waitFor } from "../../shared/runtime/retry.ts";
import { type FollowUp, followUpWith, type Settled } from "../../shared/workloads/follow-up.ts";
import type { ReaderCluster } from "../../shared/workloads/workload.ts";
import type { Mutation } from "./mutation.ts";
import type { Transport } from "./transport/transport.ts";
import { parseWorkloadPath } from "./world/workloads.ts";

/** Bugs in restarts and in what follows them. */
export const ROLLOUT_MUTATIONS = {
  "restart-not-recorded": {
    description: "notes the version only at the second restart for it",
    transport: (transport) => changePatch(transport, withoutFirstNote()),
  },
  "restart-unfenced": {
    description: "restarts a workload without the resourceVersion that it has read",
    transport: (transport) => changePatch(transport, withoutFence),
  },
  "superseded-watch-restarts": {
    description: "restarts for the version that the Secret had when the watch began",
    reconcile: (real) => ({ followUp: alsoForTheFirstVersion(real) }),
  },
  "sweep-ignores-rollouts": {
    description: "leaves restarted workloads to the messages, also when those are lost",
    reconcile: (real) => ({
      followUp: async (settled, budget) => {
        const isOfSweep = settled.following === undefined && settled.was.kind === "unchanged";
        return isOfSweep ? {} : real.followUp(settled, budget);
      },
    }),
  },
  "generation-ignored": {
    description: "takes the status of the generation before for that of the restart",
    transport: (transport) => takeForObserved(transport),
  },
  "stuck-followed-without-end": {
    description: "looks at a rollout after its deadline, and does not report it",
    env: { ROLLOUT_DEADLINE_SECONDS: "86400" },
  },
} as const satisfies Record<string, Mutation>;

type Patch = {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly spec?: {
    readonly template: { readonly metadata: { readonly annotations: Readonly<Record<string, string>> } };
  };
};

/** Changes the restarts that the functions send. */
function changePatch(transport: Transport, change: (patch: Patch, path: string) => Patch): void {
  transport.listeners.unshift({
    sending: (host, request) => {
      const isWorkload = parseWorkloadPath(request.url.pathname) !== undefined;
      if (host.kind !== "cluster" || request.method !== "PATCH" || !isWorkload) return;
      const patch = JSON.parse(request.body.toString()) as Patch;
      if (patch.spec === undefined) return;
      Object.assign(request, { body: Buffer.from(JSON.stringify(change(patch, request.url.pathname))) });
    },
    served: () => {},
  });
}

function withoutFirstNote(): (patch: Patch, path: string) => Patch {
  const restarted = new Set<string>();
  return ({ spec, ...patch }, path) => {
    const all = Object.entries(spec?.template.metadata.annotations ?? {});
    const others = all.filter(([key]) => !key.startsWith("secret-relay/restarted-for-"));
    const restart = `${path} ${JSON.stringify(all.filter((each) => !others.includes(each)))}`;
    const isFirst = !restarted.has(restart);
    restarted.add(restart);
    const annotations = Object.fromEntries(isFirst ? others : all);
    return { ...patch, spec: { template: { metadata: { annotations } } } };
  };
}

function withoutFence({ metadata: _fence, ...patch }: Patch): Patch {
  return patch;
}

/** Makes each status that a function reads look like one of the latest generation. */
function takeForObserved(transport: Transport): void {
  transport.listeners.unshift({
    served: ({ host, request, answer, environment }) => {
      const named = parseWorkloadPath(request.url.pathname);
      const isRead = host.kind === "cluster" && request.method === "GET" && answer.status === 200;
      if (environment === undefined || named === undefined || named.name === "" || !isRead) return;
      const { status, ...live } = JSON.parse(answer.body);
      const seen = { ...live, status: { ...status, observedGeneration: live.metadata.generation } };
      Object.assign(answer, { body: JSON.stringify(seen) });
    },
  });
}

function alsoForTheFirstVersion({ connect, followUp, now }: ReconcileDependencies): FollowUp {
  const first = new Map<string, Settled>();
  return async (settled, budget) => {
    const { following, secret } = settled;
    if (following === undefined || secret === undefined) return followUp(settled, budget);
    const series = JSON.stringify([following.target, following.startedAt]);
    const begun = first.get(series) ?? settled;
    first.set(series, begun);
    const asThen = (clusterKey: string): ReaderCluster => ({
      ...connect(clusterKey),
      readMetadata: async () => begun.secret,
    });
    const deps = { connect: asThen, now, wait: waitFor, rolloutDeadlineMs: Number.POSITIVE_INFINITY };
    if (begun !== settled) await followUpWith(deps)(begun, budget);
    return followUp(settled, budget);
  };
}
