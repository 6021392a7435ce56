import type { AwsCredentialIdentity } from "@smithy/types";
import { describe, expect, it } from "vitest";
import {
  type AssumeRole,
  type CredentialsProvider,
  clusterCredentials,
} from "../../shared/cluster/credentials.ts";
import { CredentialsUnavailable, RoleNotAssumed } from "../../shared/cluster/errors.ts";
import { anIdentity, CANARY, MINUTE_MS, NOW, ROLE_ARN, sdkError } from "./factories.ts";

const REGION = "eu-west-1";

const untouched = (): never => {
  throw new Error("was not expected to be called");
};

const endingIn = (minutes: number, accessKeyId: string): AwsCredentialIdentity =>
  anIdentity({ accessKeyId, expiration: new Date(NOW + minutes * MINUTE_MS) });

describe("the function's own credentials", () => {
  /** Returns `old` until a forced renewal. */
  const providerOf = (old: AwsCredentialIdentity) => {
    const asked: boolean[] = [];
    const provider: CredentialsProvider = async (options) => {
      asked.push(options?.forceRefresh === true);
      return options?.forceRefresh === true ? endingIn(60, "FRESH") : old;
    };
    return { provider, asked };
  };

  it.each([
    { it: "are used as they are with more than five minutes left", old: endingIn(6, "OLD"), want: "OLD" },
    {
      it: "are used as they are when they do not expire",
      old: anIdentity({ accessKeyId: "OLD" }),
      want: "OLD",
    },
    { it: "are renewed with less than five minutes left", old: endingIn(4.9, "OLD"), want: "FRESH" },
    { it: "are renewed when they have ended", old: endingIn(-1, "OLD"), want: "FRESH" },
  ])("$it", async ({ old, want }) => {
    const credentials = clusterCredentials(providerOf(old).provider, untouched, () => NOW);
    expect((await credentials.of(undefined, REGION)).accessKeyId).toBe(want);
  });

  it("are renewed once after a request signed with them was refused", async () => {
    const { provider, asked } = providerOf(endingIn(60, "OLD"));
    const credentials = clusterCredentials(provider, untouched, () => NOW);

    credentials.forget(undefined);
    const after = await credentials.of(undefined, REGION);
    await credentials.of(undefined, REGION);

    expect(after.accessKeyId).toBe("FRESH");
    expect(asked).toEqual([true, false]);
  });

  it("stay marked for renewal while the renewal fails", async () => {
    const asked: boolean[] = [];
    let failing = true;
    const provider: CredentialsProvider = async (options) => {
      asked.push(options?.forceRefresh === true);
      if (failing) throw sdkError("CredentialsProviderError");
      return endingIn(60, "FRESH");
    };
    const credentials = clusterCredentials(provider, untouched, () => NOW);

    credentials.forget(undefined);
    await expect(credentials.of(undefined, REGION)).rejects.toThrow(CredentialsUnavailable);
    failing = false;
    await credentials.of(undefined, REGION);

    expect(asked).toEqual([true, true]);
  });

  it("fail without the library's message", async () => {
    const failing: CredentialsProvider = () => Promise.reject(sdkError("CredentialsProviderError"));
    const failure = await clusterCredentials(failing, untouched, () => NOW)
      .of(undefined, REGION)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "CREDENTIALS_UNAVAILABLE", retryable: true });
    expect(String(failure)).not.toContain(CANARY);
  });
});

describe("a role's credentials", () => {
  const prepare = (assumeRole: AssumeRole) => {
    const state = { now: NOW };
    return { state, credentials: clusterCredentials(untouched, assumeRole, () => state.now) };
  };

  it("are kept until they are about to expire", async () => {
    let assumed = 0;
    const { state, credentials } = prepare(async () => {
      assumed += 1;
      return endingIn(60 * assumed, `ASSUMED${assumed}`);
    });

    const first = await credentials.of(ROLE_ARN, REGION);
    state.now = NOW + 55 * MINUTE_MS;
    const same = await credentials.of(ROLE_ARN, REGION);
    state.now = NOW + 55 * MINUTE_MS + 1;
    const next = await credentials.of(ROLE_ARN, REGION);

    expect([first, same, next].map(({ accessKeyId }) => accessKeyId)).toEqual([
      "ASSUMED1",
      "ASSUMED1",
      "ASSUMED2",
    ]);
  });

  it("are requested once by a burst of calls, at first and again when they expire", async () => {
    let assumed = 0;
    const { state, credentials } = prepare(async () => {
      assumed += 1;
      return endingIn(60 * assumed, "ASSUMED");
    });
    const burst = () => Promise.all(Array.from({ length: 20 }, () => credentials.of(ROLE_ARN, REGION)));

    await burst();
    expect(assumed).toBe(1);
    state.now += 60 * MINUTE_MS;
    await burst();
    expect(assumed).toBe(2);
  });

  it("are requested again after a refusal, which is not cached", async () => {
    let attempts = 0;
    const { credentials } = prepare(async () => {
      attempts += 1;
      if (attempts === 1) throw sdkError("AccessDenied");
      return anIdentity({ accessKeyId: "ASSUMED" });
    });

    const refusal = await credentials.of(ROLE_ARN, REGION).catch((error: unknown) => error);
    const identity = await credentials.of(ROLE_ARN, REGION);

    expect(refusal).toBeInstanceOf(RoleNotAssumed);
    expect(String(refusal)).toContain(ROLE_ARN);
    expect(String(refusal)).toContain("AccessDenied");
    expect(String(refusal)).not.toContain(CANARY);
    expect(identity.accessKeyId).toBe("ASSUMED");
  });

  it("are requested again after forget, and those of another role stay", async () => {
    const asked: string[] = [];
    const { credentials } = prepare(async (roleArn) => {
      asked.push(roleArn);
      return anIdentity();
    });
    await credentials.of("role-a", REGION);
    await credentials.of("role-b", REGION);

    credentials.forget("role-a");
    await credentials.of("role-a", REGION);
    await credentials.of("role-b", REGION);

    expect(asked).toEqual(["role-a", "role-b", "role-a"]);
  });
});
