import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import { afterEach, describe, expect, it } from "vitest";
import { type ClusterConnection, connectCluster } from "../../shared/cluster/cluster-connection.ts";
import { type ClusterDirectory, clusterDirectory } from "../../shared/cluster/cluster-directory.ts";
import type { ClusterEndpoint } from "../../shared/cluster/https-transport.ts";
import { limitFailures } from "../../shared/cluster/limit-failures.ts";
import { tokenCache } from "../../shared/cluster/token-cache.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import { circuitBreaker } from "../../shared/sweep/circuit-breaker.ts";
import { type Answer, answerJson, secretBody, startApiServer, statusBody } from "./api-server.ts";
import { aCluster, anIdentity, CANARY, NOW } from "./factories.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const budget = (remainingMs = 60_000): TimeBudget => ({
  signal: new AbortController().signal,
  remainingMs: () => remainingMs,
});

const DB = { namespace: "app", name: "db" };
const body: V1Secret = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { ...DB, resourceVersion: "7", uid: "uid-1" },
};

type Step = { status: number; body?: unknown; headers?: object };

/** A server that responds with each step in turn, then repeats the last one, and a connection to it without real pauses. */
async function prepare(steps: readonly Step[], answer?: Answer) {
  let step = 0;
  const server = await startApiServer(
    answer ??
      ((_, response) => {
        const {
          status,
          body = statusBody(status),
          headers = {},
        } = steps[Math.min(step, steps.length - 1)] ?? { status: 500 };
        step += 1;
        answerJson(response, status, body, headers);
      }),
  );
  cleanUps.push(server.stop);
  const counts = { lookups: 0, minted: 0, credentials: 1, pauses: [] as number[] };
  const credentials = {
    of: async () => anIdentity({ accessKeyId: `AKIDGENERATION${counts.credentials}` }),
    forget: () => {
      counts.credentials += 1;
    },
  };
  let minutes = 0;
  const minuteByMinute = () => ++minutes * 60_000; // so that no lookup is too soon after the previous one
  const directory: ClusterDirectory = clusterDirectory(
    async () => {
      counts.lookups += 1;
      return { ...(endpoint.firstAnswers.shift() ?? endpoint.current) };
    },
    credentials,
    minuteByMinute,
  );
  const endpoint = { current: server.endpoint, firstAnswers: [] as ClusterEndpoint[] };
  const tokens = tokenCache({
    credentials,
    now: () => NOW,
    tokenLifeMs: 600_000,
    fips: false,
    onMinted: () => {
      counts.minted += 1;
    },
  });
  const connection = connectCluster({
    clusterKey: "main",
    cluster: aCluster(),
    directory,
    tokens,
    connectionsMax: 4,
    wait: async (ms) => {
      counts.pauses.push(ms);
    },
  });
  return { server, connection, counts, endpoint };
}

const ok: Step = { status: 200, body: secretBody() };
const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => "no failure",
    (error: unknown) => error,
  );

describe("a token that the cluster refuses", () => {
  it("is replaced once, from fresh credentials, and the call is retried", async () => {
    const { connection, server, counts } = await prepare([{ status: 401 }, ok]);

    const live = await connection.readSecret(DB, budget());

    expect(live?.uid).toBe("uid-1");
    expect(new Set(server.requests.map(({ authorization }) => authorization)).size).toBe(2);
    expect(counts).toMatchObject({ minted: 2, credentials: 2, pauses: [] });
  });

  it("twice in a row is reported as refused, for a later attempt", async () => {
    const { connection, server } = await prepare([{ status: 401 }]);

    const failure = await failureOf(connection.readSecret(DB, budget()));

    expect(failure).toMatchObject({ code: "CLUSTER_TOKEN_REFUSED", retryable: true });
    expect(server.requests).toHaveLength(8); // four attempts, each with one fresh token
  });

  it("is replaced once for all calls that it failed", async () => {
    const refused = new Set<string>();
    const { connection, counts } = await prepare([], (request, response) => {
      const { authorization = "" } = request.headers;
      if (refused.size === 0) refused.add(authorization);
      const status = refused.has(authorization) ? 401 : 200;
      answerJson(response, status, status === 401 ? statusBody(401) : secretBody());
    });

    await Promise.all(Array.from({ length: 12 }, () => connection.readSecret(DB, budget())));

    expect(counts).toMatchObject({ minted: 2, credentials: 2 });
  });
});

describe("a Secret that does not exist", () => {
  it("is undefined when read, without an error", async () => {
    const { connection, server } = await prepare([{ status: 404 }]);
    expect(await connection.readSecret(DB, budget())).toBeUndefined();
    expect(server.requests).toHaveLength(1);
  });
});

describe("a write", () => {
  it("is a server-side apply by the relay's field manager, at the Secret's own path", async () => {
    const { connection, server } = await prepare([ok]);

    await connection.applySecret(body, { fieldManager: "secret-relay", force: false }, budget());

    const [request] = server.requests;
    const url = new URL(request?.url ?? "", "https://cluster");
    expect(request?.method).toBe("PATCH");
    expect(url.pathname).toBe("/api/v1/namespaces/app/secrets/db");
    expect(url.searchParams.get("fieldManager")).toBe("secret-relay");
    expect(url.searchParams.get("force")).toBe("false");
    expect(JSON.parse(request?.body ?? "")).toMatchObject({
      metadata: { resourceVersion: "7", uid: "uid-1" },
    });
  });

  it("with a fence conflict is not retried, because its resourceVersion can never succeed", async () => {
    const { connection, server } = await prepare([{ status: 409 }, ok]);
    expect(
      await failureOf(connection.applySecret(body, { fieldManager: "secret-relay", force: false }, budget())),
    ).toMatchObject({
      code: "FENCE_CONFLICT",
    });
    expect(server.requests).toHaveLength(1);
  });

  it.each([{ status: 404 }, { status: 422 }, { status: 400 }, { status: 405 }])(
    "with status $status is not retried: an operator must act",
    async (step) => {
      const { connection, server } = await prepare([step, ok]);
      expect(
        await failureOf(
          connection.applySecret(body, { fieldManager: "secret-relay", force: false }, budget()),
        ),
      ).toMatchObject({
        retryable: false,
      });
      expect(server.requests).toHaveLength(1);
    },
  );
});

const breaker = (cluster: ClusterConnection) => circuitBreaker(cluster, { wait: async () => {} });
const limiter = (cluster: ClusterConnection) => limitFailures(cluster, { atOnce: 4 });
const slowLimiter = (cluster: ClusterConnection) => {
  let ms = 0;
  return limitFailures(cluster, { atOnce: 4, now: () => (ms += 6_000) });
};

describe("a refusal", () => {
  it("by an API server that has just started and not read the Roles yet is retried", async () => {
    const { connection, server } = await prepare([{ status: 403 }, { status: 403 }, ok]);

    expect(
      (await connection.applySecret(body, { fieldManager: "secret-relay", force: false }, budget())).uid,
    ).toBe("uid-1");

    expect(server.requests).toHaveLength(3);
  });

  it("that stays is reported within a second: an operator must act", async () => {
    const { connection, server, counts } = await prepare([{ status: 403 }]);

    const failure = await failureOf(connection.readSecret(DB, budget()));

    expect(failure).toMatchObject({ code: "CLUSTER_FORBIDDEN", retryable: false });
    expect(server.requests).toHaveLength(4);
    expect(counts.pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(1_000);
  });

  it("by a cluster in trouble is retried as often", async () => {
    const { connection } = await prepare([
      { status: 500 },
      { status: 503 },
      { status: 500 },
      { status: 403 },
      ok,
    ]);

    expect((await connection.readSecret(DB, budget()))?.uid).toBe("uid-1");
  });

  describe.each([
    { it: "for which a sweep has opened its circuit breaker", guard: breaker, failed: 3 },
    { it: "to a namespace in which three calls have failed", guard: limiter, failed: 3 },
    { it: "that has already taken six seconds", guard: slowLimiter, failed: 0 },
  ])("of a call $it", ({ guard, failed }) => {
    /** A guarded connection that retries no transient failure of the next call. */
    const prepareGuarded = async (...steps: readonly Step[]) => {
      const failures = Array<Step>(4 * failed).fill({ status: 503 });
      const { connection, server } = await prepare([...failures, ...steps]);
      const guarded = guard(connection);
      const invocation = budget();
      for (let at = 0; at < failed; at += 1) await failureOf(guarded.readSecret(DB, invocation));
      return {
        read: () => guarded.readSecret(DB, invocation),
        sent: () => server.requests.length - failures.length,
      };
    };

    it("is retried, because an API server that has just started refuses every call", async () => {
      const { read } = await prepareGuarded({ status: 403 }, { status: 403 }, ok);
      expect((await read())?.uid).toBe("uid-1");
    });

    it("is retried, and a transient failure after it is not", async () => {
      const { read, sent } = await prepareGuarded({ status: 403 }, { status: 503 }, ok);
      expect(await failureOf(read())).toMatchObject({ code: "CLUSTER_UNAVAILABLE" });
      expect(sent()).toBe(2);
    });
  });

  it("is not retried when the invocation has no time left", async () => {
    const { connection, server } = await prepare([{ status: 403 }, ok]);
    expect(await failureOf(slowLimiter(connection).readSecret(DB, budget(1)))).toMatchObject({
      code: "CLUSTER_FORBIDDEN",
    });
    expect(server.requests).toHaveLength(1);
  });

  it("of a list is reported at once, because the relay does not need the permission to list", async () => {
    const { connection, server } = await prepare([{ status: 403 }]);

    const failure = await failureOf(connection.listMetadata("app", "a=b", budget()));

    expect(failure).toMatchObject({ code: "CLUSTER_FORBIDDEN" });
    expect(server.requests).toHaveLength(1);
  });
});

describe("a cluster in trouble", () => {
  it("is called again after a 5xx, at the same endpoint", async () => {
    const { connection, counts } = await prepare([{ status: 500 }, { status: 503 }, ok]);

    await connection.readSecret(DB, budget());

    expect(counts.pauses).toHaveLength(2);
    expect(counts.lookups).toBe(1);
  });

  it("fails after four attempts", async () => {
    const { connection, server } = await prepare([{ status: 500 }]);
    expect(await failureOf(connection.readSecret(DB, budget()))).toMatchObject({
      code: "CLUSTER_UNAVAILABLE",
    });
    expect(server.requests).toHaveLength(4);
  });

  it("that asks to wait is called again after exactly that time", async () => {
    const { connection, counts } = await prepare([{ status: 429, headers: { "retry-after": "9" } }, ok]);
    await connection.readSecret(DB, budget());
    expect(counts.pauses).toEqual([9_000]);
  });

  it("that asks to wait longer than the time budget fails at once", async () => {
    const { connection, server, counts } = await prepare([
      { status: 429, headers: { "retry-after": "30" } },
      ok,
    ]);

    const failure = await failureOf(connection.readSecret(DB, budget(20_000)));

    expect(failure).toMatchObject({ code: "CLUSTER_THROTTLED", retryAfterMs: 30_000 });
    expect(counts.pauses).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });

  it("that returns something other than a Secret is unavailable: no write could be fenced with it", async () => {
    const { connection } = await prepare([{ status: 200, body: { kind: "Secret", metadata: {} } }]);
    expect(await failureOf(connection.readSecret(DB, budget()))).toMatchObject({
      code: "CLUSTER_UNAVAILABLE",
    });
  });

  it("never has its text in an error", async () => {
    const { connection } = await prepare([{ status: 400, body: { ...statusBody(400), message: CANARY } }]);
    expect(
      String(
        await failureOf(
          connection.applySecret(body, { fieldManager: "secret-relay", force: false }, budget()),
        ),
      ),
    ).not.toContain(CANARY);
  });
});

describe("a cluster with a new endpoint or CA", () => {
  it("is looked up again when its endpoint fails", async () => {
    const { connection, server, counts, endpoint } = await prepare([ok]);
    await connection.readSecret(DB, budget());
    const replacement = await startApiServer((_, response) =>
      answerJson(response, 200, secretBody({ uid: "uid-2" })),
    );
    cleanUps.push(replacement.stop);

    await server.stop();
    cleanUps.shift();
    endpoint.current = replacement.endpoint;
    const live = await connection.readSecret(DB, budget());

    expect(live?.uid).toBe("uid-2");
    expect(counts.lookups).toBe(2);
  });

  it("is looked up again when its CA changed, and only the right server gets a token", async () => {
    const { connection, server, counts, endpoint } = await prepare([ok]);
    const impostor = await startApiServer((_, response) => answerJson(response, 200, secretBody()));
    cleanUps.push(impostor.stop);
    const { certificateAuthorityData } = server.endpoint;
    endpoint.firstAnswers.push({ ...impostor.endpoint, certificateAuthorityData });

    const live = await connection.readSecret(DB, budget());

    expect(live?.uid).toBe("uid-1");
    expect(impostor.requests).toEqual([]);
    expect(counts.lookups).toBe(2);
  });

  it("is looked up once per attempt, however many calls fail", async () => {
    const { connection, server, counts } = await prepare([ok]);
    await connection.readSecret(DB, budget());
    await server.stop();
    cleanUps.shift();

    const failures = await Promise.all(
      Array.from({ length: 10 }, () => failureOf(connection.readSecret(DB, budget()))),
    );

    for (const failure of failures) expect(failure).toMatchObject({ code: "CLUSTER_UNAVAILABLE" });
    expect(counts.lookups).toBe(4); // one more for each of the three tries that follow a failure
  });
});
