import { describe, expect, it } from "vitest";
import type { ClusterConfig } from "../../shared/bindings/binding.ts";
import type { ClusterCredentials } from "../../shared/cluster/credentials.ts";
import { tokenCache } from "../../shared/cluster/token-cache.ts";
import { aCluster, anIdentity, MINUTE_MS, NOW, ROLE_ARN, steadyCredentials } from "./factories.ts";

/** A cache with a clock that the test sets, and a count of minted tokens. */
function prepare(credentials: ClusterCredentials = steadyCredentials(), tokenLifeMs = 10 * MINUTE_MS) {
  const state = { now: NOW, minted: 0 };
  const tokens = tokenCache({
    credentials,
    now: () => state.now,
    tokenLifeMs,
    fips: false,
    onMinted: () => {
      state.minted += 1;
    },
  });
  return { tokens, state };
}

describe("a token is kept", () => {
  it("for its configured lifetime, and not a millisecond longer", async () => {
    const { tokens, state } = prepare();
    const first = await tokens.bearerFor(aCluster());

    state.now = NOW + 10 * MINUTE_MS - 1;
    const stillFirst = await tokens.bearerFor(aCluster());
    state.now = NOW + 10 * MINUTE_MS;
    const second = await tokens.bearerFor(aCluster());

    expect(stillFirst).toBe(first);
    expect(second).not.toBe(first);
    expect(state.minted).toBe(2);
  });

  it("for less than the 15 minutes that EKS accepts it, for any configuration", async () => {
    const { tokens, state } = prepare(steadyCredentials(), 60 * MINUTE_MS);
    await tokens.bearerFor(aCluster());
    state.now = NOW + 14 * MINUTE_MS;
    await tokens.bearerFor(aCluster());
    expect(state.minted).toBe(2);
  });

  it("no longer than the credentials that signed it", async () => {
    const { tokens, state } = prepare(
      steadyCredentials(anIdentity({ expiration: new Date(NOW + 6 * MINUTE_MS) })),
    );
    await tokens.bearerFor(aCluster());
    state.now = NOW + 6 * MINUTE_MS - 1;
    await tokens.bearerFor(aCluster());
    expect(state.minted).toBe(1);

    state.now = NOW + 6 * MINUTE_MS;
    await tokens.bearerFor(aCluster());
    expect(state.minted).toBe(2);
  });

  const others: { it: string; other: ClusterConfig }[] = [
    { it: "another cluster", other: aCluster({ name: "staging" }) },
    { it: "a cluster of the same name in another Region", other: aCluster({ region: "us-east-1" }) },
    { it: "the same cluster through another role", other: aCluster({ roleArn: ROLE_ARN }) },
  ];
  it.each(others)("but not for $it", async ({ other }) => {
    const { tokens, state } = prepare();
    await tokens.bearerFor(aCluster());
    await tokens.bearerFor(other);
    expect(state.minted).toBe(2);
  });
});

describe("a burst of calls mints one token", () => {
  it("when there is none yet", async () => {
    const { tokens, state } = prepare();
    const bearers = await Promise.all(Array.from({ length: 20 }, () => tokens.bearerFor(aCluster())));
    expect(new Set(bearers).size).toBe(1);
    expect(state.minted).toBe(1);
  });

  it("when the cached one has just expired", async () => {
    const { tokens, state } = prepare();
    await tokens.bearerFor(aCluster());
    state.now += 10 * MINUTE_MS;
    await Promise.all(Array.from({ length: 20 }, () => tokens.bearerFor(aCluster())));
    expect(state.minted).toBe(2);
  });

  it("when the same token was refused for all of them", async () => {
    const credentials = steadyCredentials();
    const { tokens, state } = prepare(credentials);
    const refused = await tokens.bearerFor(aCluster());

    state.now += 1_000;
    const bearers = await Promise.all(
      Array.from({ length: 20 }, () => {
        tokens.forget(aCluster(), refused);
        return tokens.bearerFor(aCluster());
      }),
    );
    tokens.forget(aCluster(), refused); // the last refusal arrives after the new token
    await tokens.bearerFor(aCluster());

    expect(new Set(bearers).size).toBe(1);
    expect(state.minted).toBe(2);
    expect(credentials.forgotten).toBe(1);
  });
});

describe("a token that was refused", () => {
  it("is replaced by one from fresh credentials", async () => {
    let generation = 1;
    const { tokens } = prepare({
      of: async () => anIdentity({ accessKeyId: `AKIDGENERATION${generation}` }),
      forget: () => {
        generation += 1;
      },
    });
    const refused = await tokens.bearerFor(aCluster());

    tokens.forget(aCluster(), refused);
    const fresh = await tokens.bearerFor(aCluster());

    expect(accessKeyOf(refused)).toBe("AKIDGENERATION1");
    expect(accessKeyOf(fresh)).toBe("AKIDGENERATION2");
  });
});

describe("a failure to mint", () => {
  it("fails every waiting call, and the next call tries again", async () => {
    let failing = true;
    const { tokens, state } = prepare({
      of: async () => {
        if (failing) throw new Error("no credentials");
        return anIdentity();
      },
      forget: () => {},
    });

    const failures = await Promise.allSettled([tokens.bearerFor(aCluster()), tokens.bearerFor(aCluster())]);
    failing = false;
    const bearer = await tokens.bearerFor(aCluster());

    expect(failures.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(bearer).toMatch(/^k8s-aws-v1\./);
    expect(state.minted).toBe(1);
  });
});

function accessKeyOf(bearer: string): string | undefined {
  const url = new URL(Buffer.from(bearer.slice("k8s-aws-v1.".length), "base64url").toString());
  return url.searchParams.get("X-Amz-Credential")?.split("/")[0];
}
