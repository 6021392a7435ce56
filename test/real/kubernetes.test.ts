import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startKubernetesSandbox } from "../../sandbox/kubernetes/server.ts";
import { describeKubernetesContract } from "../contract/kubernetes-contract.ts";
import type { KubernetesBackend } from "../harness/backend.ts";
import { realClock } from "../harness/clock.ts";
import { type KubernetesResponse, kubernetesCall } from "../harness/kubernetes-request.ts";
import { testCredentialsOf } from "../harness/test-credentials.ts";
import { startControlPlane } from "./control-plane/start.ts";

describe("a real kube-apiserver keeps the contract", () => {
  describeKubernetesContract(() => startControlPlane(), realClock);
});

/** One write, as any of several managers. */
type Write = {
  how: "apply" | "merge" | "delete" | "replace";
  manager: string;
  force: boolean;
  data: Record<string, string>;
  labels: Record<string, string>;
  /** Keys that a merge patch deletes. */
  gone: string[];
};

describe("the sandbox and a real kube-apiserver", () => {
  let backends: KubernetesBackend[] = [];
  let calls: ReturnType<typeof kubernetesCall>[] = [];
  let names = 0;

  beforeAll(async () => {
    const cluster = { clusterName: "relay-test", region: "eu-west-1", credentialsOf: testCredentialsOf };
    backends = await Promise.all([startControlPlane(cluster), startKubernetesSandbox(cluster)]);
    calls = backends.map(kubernetesCall);
  });
  afterAll(async () => {
    for (const call of calls) call.close();
    await Promise.all(backends.map((backend) => backend.stop()));
  });

  it("agree on every answer to any sequence of writes by several managers", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyWrite, { minLength: 2, maxLength: 14 }), async (writes) => {
        names += 1;
        for (const write of writes) {
          const [real, sandbox] = await Promise.all(calls.map((call) => run(call, `any-${names}`, write)));
          expect(sandbox).toEqual(real);
        }
      }),
      { seed: 20_261_120, numRuns: 100, endOnFailure: false },
    );
  });
});

const anyValue = fc.constantFrom("eA==", "eQ==", "");
const anyFields = fc.dictionary(fc.constantFrom("a", "b", "c"), anyValue, {
  maxKeys: 3,
  noNullPrototype: true,
});
const anyLabels = fc.dictionary(fc.constantFrom("l", "m"), fc.constantFrom("1", "2"), {
  noNullPrototype: true,
});

const anyWrite: fc.Arbitrary<Write> = fc.record({
  how: fc.oneof(
    { weight: 6, arbitrary: fc.constant("apply" as const) },
    { weight: 3, arbitrary: fc.constant("merge" as const) },
    { weight: 1, arbitrary: fc.constant("replace" as const) },
    { weight: 1, arbitrary: fc.constant("delete" as const) },
  ),
  manager: fc.constantFrom("relay", "second", "editor"),
  force: fc.boolean(),
  data: anyFields,
  labels: anyLabels,
  gone: fc.subarray(["a", "b", "c"]),
});

async function run(call: ReturnType<typeof kubernetesCall>, name: string, write: Write): Promise<unknown> {
  const path = `/api/v1/namespaces/default/secrets/${name}`;
  const { manager, force, labels, gone, how } = write;
  const query = `fieldManager=${manager}${force && how === "apply" ? "&force=true" : ""}`;
  const object = { apiVersion: "v1", kind: "Secret", metadata: { name, labels }, data: write.data };
  const removed = Object.fromEntries(gone.map((key) => [key, null]));
  const requests = {
    apply: { method: "PATCH", contentType: "application/apply-patch+yaml", body: object },
    merge: {
      method: "PATCH",
      contentType: "application/merge-patch+json",
      body: { metadata: { labels }, data: { ...write.data, ...removed } },
    },
    replace: { method: "PUT", body: object },
    delete: { method: "DELETE" },
  };
  const answer = await call(`${path}?${how === "delete" ? "" : query}`, requests[how]);
  return comparable(answer);
}

/** All but what differs by nature: uids, times, versions, and the order that times give the ledger. */
function comparable({ status, body }: KubernetesResponse): unknown {
  const { reason, details, data, type, metadata = {} } = body;
  const { managedFields = [], labels, annotations } = metadata;
  const owners = managedFields.map(({ time, ...entry }: { time?: string }) =>
    JSON.stringify({ ...sorted(entry), timed: time !== undefined }),
  );
  const causes = details?.causes?.map((cause: unknown) => JSON.stringify(cause)).sort();
  return { status, reason, causes, data, type, labels, annotations, owners: owners.sort() };
}

/** Keys in order, at every depth: the real server's own order is by kind of element. */
function sorted(value: unknown): object {
  const entries = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([key, each]) => [key, each && typeof each === "object" ? sorted(each) : each]),
  );
}
