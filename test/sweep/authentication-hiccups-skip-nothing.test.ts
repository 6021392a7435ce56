import { afterEach, describe, expect, it, vi } from "vitest";
import { mixDrifts, REPAIRABLE } from "../harness/drifts.ts";
import { expectedFindings, foundBy } from "../harness/fleet.ts";
import { pinnedCluster } from "../harness/relay.ts";
import { findingsIn, unknownIn } from "../harness/rows.ts";
import { METADATA, sweeperOf, useSweepScene, VALUES } from "./sweep-scene.ts";

const scene = useSweepScene();
const MINUTE_MS = 60_000;
const ROLE_ARN = "arn:aws:iam::111122223333:role/cluster-writer";

/** The credentials that Lambda puts into the environment and replaces before they expire. */
const useCredentials = (lifeMs: number) => {
  const issued = scene.sandbox.aws.issueCredentials({ roleName: "relay", sessionName: "reconcile", lifeMs });
  vi.stubEnv("AWS_ACCESS_KEY_ID", issued.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", issued.secretAccessKey);
  vi.stubEnv("AWS_SESSION_TOKEN", issued.sessionToken);
};

const useOwnKeys = () => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", scene.sandbox.aws.env.AWS_ACCESS_KEY_ID);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", scene.sandbox.aws.env.AWS_SECRET_ACCESS_KEY);
  vi.stubEnv("AWS_SESSION_TOKEN", undefined);
};

const total = (metrics: readonly { name: string; value: number }[], wanted: string) =>
  metrics.filter(({ name }) => name === wanted).reduce((sum, { value }) => sum + value, 0);

const openDrifted = () => scene.openFleet({ size: 250, perNamespace: 25, drifts: mixDrifts(REPAIRABLE, 28) });

/** Once, after the given number of requests for Secrets. */
const afterRequests = (count: number, happen: () => void) => {
  let left = count;
  scene.sandbox.kubernetes.faults.before(() => {
    left -= 1;
    if (left === 0) happen();
  });
};

afterEach(useOwnKeys);

describe("a sweep continues, and skips no binding,", () => {
  it.each([
    { what: "lists", input: METADATA, operation: "ListSecrets" },
    { what: "reads values", input: VALUES, operation: "BatchGetSecretValue" },
  ])("when its credentials expire while it $what", async ({ input, operation }) => {
    const fleet = await openDrifted();
    await fleet.drift();
    useCredentials(10 * MINUTE_MS);
    const sweeper = await sweeperOf(fleet, { now: scene.now });
    let calls = 0;
    const stop = scene.sandbox.aws.after((call) => {
      if (call.operation !== operation) return;
      calls += 1;
      if (calls !== 2) return;
      scene.passTime(12 * MINUTE_MS);
      useCredentials(60 * MINUTE_MS);
    });

    const report = await sweeper.sweep(input);
    stop();

    expect(unknownIn(report)).toEqual([]);
    const seenByValues = (code: string) => code !== "ORPHAN";
    const expected = expectedFindings(fleet, ({ code, action }) =>
      input === METADATA || seenByValues(code) ? action : undefined,
    );
    expect(foundBy(report)).toEqual(expected);
  });

  it("when its token turns 15 minutes old", async () => {
    const fleet = await openDrifted();
    await fleet.drift();
    const sweeper = await sweeperOf(fleet, { now: scene.now });
    afterRequests(4, () => scene.passTime(15 * MINUTE_MS));

    const report = await sweeper.sweep(METADATA);

    expect(unknownIn(report)).toEqual([]);
    expect(foundBy(report)).toEqual(expectedFindings(fleet));
    expect(total(sweeper.metrics, "TokenRefreshes")).toBeGreaterThan(1);
  });

  it("when its token is refused in mid-sweep", async () => {
    const fleet = await openDrifted();
    await fleet.drift();
    const sweeper = await sweeperOf(fleet);
    scene.sandbox.kubernetes.faults.add({
      kind: "unauthorized",
      times: 1,
      match: ({ verb }) => verb === "patch",
    });

    const report = await sweeper.sweep(METADATA);

    expect(unknownIn(report)).toEqual([]);
    expect(foundBy(report)).toEqual(expectedFindings(fleet));
  });

  it("when AssumeRole succeeds only on the second attempt", async () => {
    const clusters = { main: { ...pinnedCluster(scene.backend), roleArn: ROLE_ARN } };
    const fleet = await scene.openFleet({ size: 60, clusters, drifts: mixDrifts(REPAIRABLE, 14) });
    await fleet.drift();
    const fault = scene.sandbox.aws.faults.add({
      kind: "accessDenied",
      times: 1,
      match: { operation: "AssumeRole" },
    });
    const sweeper = await sweeperOf(fleet, { env: { DELETIONS_SHARE_MAX_PERCENT: "100" } });

    const report = await sweeper.sweep(METADATA);

    expect(fault.hits).toBe(1);
    expect(unknownIn(report)).toEqual([]);
    expect(foundBy(report)).toEqual(expectedFindings(fleet));
  });
});

describe("a sweep reports the unknown bindings", () => {
  it("when its credentials stay expired, and deletes nothing", async () => {
    const fleet = await scene.openFleet({ size: 30 });
    scene.sandbox.aws.faults.add({ kind: "expiredCredentials" });
    const sweeper = await sweeperOf(fleet);
    const report = await sweeper.sweep(METADATA);
    expect(report).toMatchObject({ bindings: 30, checked: 0 });
    expect(findingsIn(report)).toEqual([]);
    expect(new Set(unknownIn(report).map(({ code }) => code))).toEqual(
      new Set(["SOURCE_CREDENTIALS_EXPIRED"]),
    );
  });

  it("when its token stays refused", async () => {
    const fleet = await scene.openFleet({ size: 30 });
    scene.sandbox.kubernetes.faults.add({ kind: "unauthorized" });
    const report = await (await sweeperOf(fleet)).sweep(METADATA);
    scene.sandbox.kubernetes.faults.clear();
    expect(report.checked).toBe(0);
    expect(findingsIn(report)).toEqual([]);
    expect(new Set(unknownIn(report).map(({ code }) => code))).toEqual(new Set(["CLUSTER_TOKEN_REFUSED"]));
  });
});
