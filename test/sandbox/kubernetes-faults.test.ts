import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { customResource } from "../../sandbox/kubernetes/resources.ts";
import { type KubernetesSandbox, startKubernetesSandbox } from "../../sandbox/kubernetes/server.ts";
import { kubernetesCall } from "../harness/kubernetes-request.ts";
import { mintTestToken } from "../harness/mint-test-token.ts";
import { testCredentialsOf } from "../harness/test-credentials.ts";

const SECRETS = "/api/v1/namespaces/default/secrets";
const WIDGETS = "/apis/example.com/v1/namespaces/default/widgets";
const widgets = customResource({
  group: "example.com",
  version: "v1",
  resource: "widgets",
  singular: "widget",
  kind: "Widget",
});

let sandbox: KubernetesSandbox;
let call: ReturnType<typeof kubernetesCall>;
let now = new Date("2026-11-20T09:15:42Z");

beforeEach(async () => {
  sandbox = await startKubernetesSandbox({
    clusterName: "prod",
    region: "eu-west-1",
    credentialsOf: testCredentialsOf,
    now: () => now,
    resources: [widgets],
  });
  call = kubernetesCall(sandbox);
});
afterEach(async () => {
  call.close();
  await sandbox.stop();
});

const apply = (name: string, x: string) =>
  call(`${SECRETS}/${name}?fieldManager=relay`, {
    method: "PATCH",
    contentType: "application/apply-patch+yaml",
    body: { apiVersion: "v1", kind: "Secret", metadata: { name }, data: { x } },
  });

describe("a fault of the sandbox", () => {
  it("throttles the given number of times, with Retry-After", async () => {
    sandbox.faults.add({ kind: "throttle", retryAfterSeconds: 3, times: 2 });

    const answers = [await apply("a", "eA=="), await apply("a", "eA=="), await apply("a", "eA==")];

    expect(answers.map(({ status }) => status)).toEqual([429, 429, 201]);
    expect(answers[0]?.headers["retry-after"]).toBe("3");
  });

  it("affects only matching requests", async () => {
    sandbox.faults.add({ kind: "server-error", status: 503, match: ({ name }) => name === "a" });

    expect((await apply("a", "eA==")).status).toBe(503);
    expect((await apply("b", "eA==")).status).toBe(201);
  });

  it("affects the same requests for the same seed", async () => {
    const strikes = async () => {
      const end = sandbox.faults.add({ kind: "unauthorized", probability: 0.5, seed: 7 });
      const statuses = [];
      for (let i = 0; i < 12; i += 1) statuses.push((await call("/readyz")).status);
      end();
      return statuses;
    };

    const [first, second] = [await strikes(), await strikes()];

    expect(new Set(first)).toEqual(new Set([200, 401]));
    expect(second).toEqual(first);
  });

  it.each([
    { when: "before", written: false },
    { when: "after", written: true },
  ] as const)("cuts the connection $when the write was done", async ({ when, written }) => {
    sandbox.faults.add({ kind: "reset", when, times: 1 });

    await expect(apply("a", "eA==")).rejects.toMatchObject({ code: "ECONNRESET" });

    expect(sandbox.history("default", "a")).toHaveLength(written ? 1 : 0);
  });

  it("answers late, in pieces, or with something else", async () => {
    sandbox.faults.add({ kind: "latency", ms: 20, times: 1 });
    sandbox.faults.add({ kind: "slow-body", pieceMs: 5, times: 1 });
    const startedAt = performance.now();
    const slow = await call(SECRETS);
    const tookMs = performance.now() - startedAt;
    sandbox.faults.add({ kind: "wrong-content" });
    const wrong = await call(SECRETS);

    expect(slow.body.kind).toBe("SecretList");
    expect(tookMs).toBeGreaterThan(35);
    expect(wrong.headers["content-type"]).toBe("text/html");
  });

  it("lets code in between a request's arrival and its handling", async () => {
    const end = sandbox.faults.before(async ({ name }) => {
      if (name === "outer") await apply("inner", "eA==");
    });

    await apply("outer", "eA==");
    end();

    const revisions = ["inner", "outer"].map((name) =>
      Number(sandbox.history("default", name)[0]?.resourceVersion),
    );
    expect(revisions[0]).toBeLessThan(revisions[1] ?? 0);
  });
});

describe("the sandbox", () => {
  it("counts requests, and the Secrets whose values it gave out", async () => {
    await apply("a", "eA==");
    await apply("b", "eA==");
    sandbox.requests.reset();

    await call(SECRETS, { accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1" });
    await call(SECRETS, { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" });
    const valuesByMetadata = sandbox.requests.secretValuesServed;
    await call(SECRETS);
    await call(`${SECRETS}/a`);

    expect(valuesByMetadata).toBe(0);
    expect(sandbox.requests.secretValuesServed).toBe(3);
    expect(sandbox.requests.all).toEqual({ "list secrets": 3, "get secrets": 1 });
  });

  it("remembers every state of a Secret", async () => {
    await apply("a", "eA==");
    await apply("a", "eA==");
    await apply("a", "eQ==");

    expect(sandbox.history("default", "a").map(({ data }) => data)).toEqual([{ x: "eA==" }, { x: "eQ==" }]);
  });

  it("accepts a token for up to 10 seconds after it was first accepted", async () => {
    now = new Date("2026-11-20T09:15:42Z");
    const token = await mintTestToken({ ...sandbox, signingDate: new Date(now.getTime() - 899_000) });
    const statusAfter = async (ms: number) => {
      now = new Date(Date.parse("2026-11-20T09:15:42Z") + ms);
      return (await call("/api", { token })).status;
    };

    expect([await statusAfter(0), await statusAfter(9_999), await statusAfter(10_000)]).toEqual([
      200, 200, 401,
    ]);
  });

  it("stores configured custom resources, counts changes of their spec, and has no strategic patch for them", async () => {
    const body = { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w" }, spec: { size: 1 } };
    const patch = (contentType: string, patched: object) =>
      call(`${WIDGETS}/w`, { method: "PATCH", contentType, body: patched });

    const created = await call(WIDGETS, { method: "POST", body });
    const annotated = await patch("application/merge-patch+json", { metadata: { annotations: { a: "1" } } });
    const resized = await patch("application/merge-patch+json", { spec: { size: 2 } });
    const refused = await patch("application/strategic-merge-patch+json", {});
    const groups = await call("/apis");

    expect(created.status).toBe(201);
    expect([created, annotated, resized].map((each) => each.body.metadata.generation)).toEqual([1, 1, 2]);
    expect(refused.status).toBe(415);
    expect(groups.body.groups).toContainEqual(expect.objectContaining({ name: "example.com" }));
  });
});
