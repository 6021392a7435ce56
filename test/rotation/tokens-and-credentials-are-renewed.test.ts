import { describe, expect, it, vi } from "vitest";
import { labelUpdated, pinnedCluster, startRelay } from "../harness/relay.ts";
import { invokeWithin, totalOf, useFaultScene } from "./fault-scene.ts";

const struck = useFaultScene();
const MINUTE_MS = 60_000;
const ROLE_ARN = "arn:aws:iam::111122223333:role/cluster-writer";

describe("a token", () => {
  it("that the cluster refuses is replaced once, and the call is retried", async () => {
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });
    struck.sandbox.kubernetes.faults.add({ kind: "unauthorized", times: 1 });

    const { targets } = await relay.invoke({ secretId: source.name });

    expect(targets).toMatchObject([{ outcome: "written" }]);
    expect(totalOf(relay, "TokenRefreshes")).toBe(2);
  });

  it("serves many rotations", async () => {
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });

    for (let round = 0; round < 5; round += 1) await relay.invoke({ secretId: source.name });

    expect(totalOf(relay, "TokenRefreshes")).toBe(1);
  });

  it("is never used at an age of 15 minutes: a new one is minted before the cluster can refuse it", async () => {
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)], now: struck.now });
    await relay.invoke({ secretId: source.name });
    struck.sandbox.kubernetes.requests.reset();

    const rotated = await struck.rotate(source, "second");
    struck.passTime(15 * MINUTE_MS);
    const { targets } = await relay.invoke(labelUpdated(struck.backend, rotated, struck.now()));

    expect(targets).toMatchObject([{ outcome: "written" }]);
    expect(totalOf(relay, "TokenRefreshes")).toBe(2);
    expect(struck.sandbox.kubernetes.requests.count("get", "secrets")).toBe(1); // no 401 came in between
  });
});

describe("credentials", () => {
  const useCredentials = (lifeMs: number) => {
    const issued = struck.sandbox.aws.issueCredentials({
      roleName: "relay",
      sessionName: "rotation",
      lifeMs,
    });
    vi.stubEnv("AWS_ACCESS_KEY_ID", issued.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", issued.secretAccessKey);
    vi.stubEnv("AWS_SESSION_TOKEN", issued.sessionToken);
    return issued;
  };

  it("that expired since the last rotation are renewed, for Secrets Manager and for the cluster", async () => {
    const source = await struck.createSource();
    useCredentials(10 * MINUTE_MS);
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)], now: struck.now });
    await relay.invoke({ secretId: source.name });
    const rotated = await struck.rotate(source, "second");
    struck.passTime(12 * MINUTE_MS);
    useCredentials(60 * MINUTE_MS);

    const { targets } = await relay.invoke(labelUpdated(struck.backend, rotated, struck.now()));

    expect(targets).toMatchObject([{ outcome: "written" }]);
    expect(await struck.scene.readData("db")).toEqual({ password: "second" });
  });

  it("that expire between the read of the Secret and the read of the source are renewed during the rotation", async () => {
    const source = await struck.createSource();
    useCredentials(10 * MINUTE_MS);
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)], now: struck.now });
    const stop = struck.sandbox.aws.faults.add({ kind: "expiredCredentials", match: accessKeyNow() });
    struck.sandbox.kubernetes.faults.before(({ verb }) => {
      if (verb === "get") useCredentials(60 * MINUTE_MS);
    });

    const { targets } = await relay.invoke({ secretId: source.name });

    expect(targets).toMatchObject([{ outcome: "written" }]);
    expect(stop.hits).toBe(1);
  });

  it("that stay expired fail the invocation, which is retried", async () => {
    const source = await struck.createSource();
    const relay = await startRelay(struck.backend, { bindings: [struck.bindTo(source)] });
    struck.sandbox.aws.faults.add({ kind: "expiredCredentials", match: { operation: "GetSecretValue" } });

    const { error } = await invokeWithin(relay, struck, { secretId: source.name }, 15_000);

    expect(error?.message).toContain("SOURCE_CREDENTIALS_EXPIRED");
  });

  const accessKeyNow = () => ({ accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? "" });
});

describe("a role", () => {
  const withRole = () => ({ behind: { ...pinnedCluster(struck.backend), roleArn: ROLE_ARN } });

  it("is assumed once for many rotations", async () => {
    const source = await struck.createSource();
    const bindings = [struck.bindTo(source, "db", "behind")];
    const relay = await startRelay(struck.backend, { clusters: withRole(), bindings });

    await relay.invoke({ secretId: source.name });
    await relay.invoke({ secretId: source.name });

    expect(await struck.scene.readData("db")).toEqual({ password: "first" });
    expect(struck.sandbox.aws.counters.callsOf("AssumeRole")).toBe(1);
  });

  it("that can be assumed only on the second attempt is assumed then, in the same invocation", async () => {
    const source = await struck.createSource();
    const bindings = [struck.bindTo(source, "db", "behind")];
    const relay = await startRelay(struck.backend, { clusters: withRole(), bindings });
    struck.sandbox.aws.faults.add({ kind: "accessDenied", times: 1, match: { operation: "AssumeRole" } });

    const { targets } = await relay.invoke({ secretId: source.name });

    expect(targets).toMatchObject([{ outcome: "written" }]);
    expect(struck.sandbox.aws.counters.callsOf("AssumeRole")).toBe(2);
  });

  it("that cannot be assumed fails its targets with a code, and no others", async () => {
    const source = await struck.createSource();
    const bindings = [struck.bindTo(source, "db", "behind"), struck.bindTo(source, "other")];
    // Another host name: two entries with one endpoint are refused.
    const { behind } = withRole();
    const elsewhere = { ...behind, endpoint: behind.endpoint.replace("127.0.0.1", "localhost") };
    const relay = await startRelay(struck.backend, { clusters: { behind: elsewhere }, bindings });
    struck.sandbox.aws.faults.add({ kind: "accessDenied", match: { operation: "AssumeRole" } });

    const { error } = await invokeWithin(relay, struck, { secretId: source.name }, 15_000);

    expect(error?.message).toBe("1 of 2 target(s) could not be written now: ROLE_NOT_ASSUMED.");
    expect(await struck.scene.readData("other")).toEqual({ password: "first" });
  });
});
