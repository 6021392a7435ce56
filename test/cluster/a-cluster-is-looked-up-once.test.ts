import { describe, expect, it } from "vitest";
import type { DescribeCluster } from "../../shared/cluster/aws-clients.ts";
import { clusterDirectory } from "../../shared/cluster/cluster-directory.ts";
import type { ClusterEndpoint } from "../../shared/cluster/https-transport.ts";
import { aCluster, CANARY, ROLE_ARN, sdkError, steadyCredentials } from "./factories.ts";

const ENDPOINT: ClusterEndpoint = {
  url: "https://0f1e2d.gr7.eu-west-1.eks.amazonaws.com",
  certificateAuthorityData: "Q0E=",
};

/** A DescribeCluster that counts its calls and returns a new object each time, as the SDK does. */
function counting(answer: () => ClusterEndpoint | undefined = () => ({ ...ENDPOINT })) {
  const state = { calls: 0 };
  const describe: DescribeCluster = async () => {
    state.calls += 1;
    return answer();
  };
  return { state, describe };
}

const untouched: DescribeCluster = () => {
  throw new Error("was not expected to be called");
};

describe("a cluster is looked up once", () => {
  it("and not at all when endpoint and CA are pinned, not even after a failure", async () => {
    const pinned = aCluster({
      endpoint: ENDPOINT.url,
      certificateAuthorityData: ENDPOINT.certificateAuthorityData,
    });
    const directory = clusterDirectory(untouched, steadyCredentials(), minuteByMinute());

    const found = await directory.find(pinned);
    directory.forget(pinned, found);

    expect(found).toEqual(ENDPOINT);
    expect(await directory.find(pinned)).toEqual(ENDPOINT);
  });

  it("for any number of concurrent callers, and is then cached", async () => {
    const { state, describe } = counting();
    const directory = clusterDirectory(describe, steadyCredentials(), minuteByMinute());

    const found = await Promise.all(Array.from({ length: 20 }, () => directory.find(aCluster())));
    await directory.find(aCluster());

    expect(new Set(found).size).toBe(1);
    expect(found[0]).toEqual(ENDPOINT);
    expect(state.calls).toBe(1);
  });

  it("for each cluster, Region and role", async () => {
    const { state, describe } = counting();
    const directory = clusterDirectory(describe, steadyCredentials(), minuteByMinute());
    const clusters = [
      aCluster(),
      aCluster({ name: "staging" }),
      aCluster({ region: "us-east-1" }),
      aCluster({ roleArn: ROLE_ARN }),
    ];
    await Promise.all(clusters.map(directory.find));
    expect(state.calls).toBe(4);
  });

  it("again after its endpoint failed, once for all callers", async () => {
    const { state, describe } = counting();
    const directory = clusterDirectory(describe, steadyCredentials(), minuteByMinute());
    const broken = await directory.find(aCluster());

    const found = await Promise.all(
      Array.from({ length: 20 }, () => {
        directory.forget(aCluster(), broken);
        return directory.find(aCluster());
      }),
    );
    directory.forget(aCluster(), broken); // a late caller, after the new lookup
    await directory.find(aCluster());

    expect(found[0]).not.toBe(broken);
    expect(state.calls).toBe(2);
  });

  it("again after a lookup that failed", async () => {
    let failing = true;
    const { state, describe } = counting(() => {
      if (failing) throw sdkError("ServerException");
      return ENDPOINT;
    });
    const directory = clusterDirectory(describe, steadyCredentials(), minuteByMinute());

    await expect(directory.find(aCluster())).rejects.toMatchObject({ code: "CLUSTER_LOOKUP_FAILED" });
    failing = false;

    expect(await directory.find(aCluster())).toEqual(ENDPOINT);
    expect(state.calls).toBe(2);
  });

  it("not again within ten seconds, and from the cache while EKS does not respond", async () => {
    let failing = false;
    const { state, describe } = counting(() => {
      if (failing) throw sdkError("ThrottlingException");
      return ENDPOINT;
    });
    let now = 0;
    const directory = clusterDirectory(describe, steadyCredentials(), () => now);
    now += 60_000;
    const found = await directory.find(aCluster());

    now += 9_999;
    directory.forget(aCluster(), found);
    await directory.find(aCluster());
    expect(state.calls).toBe(1);

    now += 1;
    failing = true;
    directory.forget(aCluster(), found);
    expect(await directory.find(aCluster())).toEqual(ENDPOINT);
    expect(state.calls).toBe(2);
  });

  it("with fresh credentials after a lookup that failed because they had expired", async () => {
    const credentials = steadyCredentials();
    const directory = clusterDirectory(
      () => Promise.reject(sdkError("ExpiredTokenException")),
      credentials,
      minuteByMinute(),
    );
    await expect(directory.find(aCluster())).rejects.toMatchObject({ retryable: true });
    expect(credentials.forgotten).toBe(1);
  });
});

describe("a failed lookup is reported by code, without the SDK's message", () => {
  it.each([
    { name: "ResourceNotFoundException", code: "CLUSTER_NOT_FOUND", retryable: false },
    { name: "AccessDeniedException", code: "CLUSTER_LOOKUP_FORBIDDEN", retryable: false },
    { name: "ThrottlingException", code: "CLUSTER_LOOKUP_FAILED", retryable: true },
    { name: "TimeoutError", code: "CLUSTER_LOOKUP_FAILED", retryable: true },
    { name: `${CANARY} in a name`, code: "CLUSTER_LOOKUP_FAILED", retryable: true },
  ])("$name is $code", async ({ name, code, retryable }) => {
    const directory = clusterDirectory(
      () => Promise.reject(sdkError(name)),
      steadyCredentials(),
      minuteByMinute(),
    );
    const failure = await directory.find(aCluster()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, retryable });
    expect(String(failure)).not.toContain(CANARY);
  });

  it("a cluster without an endpoint counts as not found", async () => {
    const directory = clusterDirectory(
      counting(() => undefined).describe,
      steadyCredentials(),
      minuteByMinute(),
    );
    await expect(directory.find(aCluster())).rejects.toMatchObject({ code: "CLUSTER_NOT_FOUND" });
  });
});

/** A clock that advances a minute at each reading, so that no lookup is too soon. */
function minuteByMinute(): () => number {
  let now = 0;
  return () => {
    now += 60_000;
    return now;
  };
}
