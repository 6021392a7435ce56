import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifyEksToken } from "../../sandbox/kubernetes/verify-eks-token.ts";
import { mintEksToken, stsHost } from "../../shared/cluster/eks-token.ts";
import { EksTokenTooLarge } from "../../shared/cluster/errors.ts";

const PREFIX = "k8s-aws-v1.";
const NOW = Date.UTC(2026, 10, 20, 9, 15, 42);
const REGIONS = ["eu-west-1", "us-east-1", "ap-southeast-1", "cn-north-1", "cn-northwest-1", "us-gov-west-1"];

const ALPHANUMERIC = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"];
const anyText = (length: { minLength: number; maxLength: number }, extra = "") =>
  fc.string({ unit: fc.constantFrom(...ALPHANUMERIC, ...extra), ...length });

const anyRequest = fc.record({
  clusterName: anyText({ minLength: 1, maxLength: 100 }, "-_"),
  region: fc.constantFrom(...REGIONS),
  credentials: fc.record(
    {
      accessKeyId: anyText({ minLength: 16, maxLength: 20 }),
      secretAccessKey: anyText({ minLength: 30, maxLength: 40 }, "+/"),
      sessionToken: anyText({ minLength: 1, maxLength: 600 }, "+/="),
    },
    { requiredKeys: ["accessKeyId", "secretAccessKey"] },
  ),
  now: fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2040, 0) }),
  fips: fc.constant(false),
});

type TokenRequest = Parameters<typeof mintEksToken>[0];

const request = (overrides: Partial<TokenRequest> = {}): TokenRequest => ({
  clusterName: "prod",
  region: "eu-west-1",
  credentials: { accessKeyId: "AKIDEXAMPLE000000000", secretAccessKey: "secret-key-for-tests" },
  now: NOW,
  fips: false,
  ...overrides,
});

const urlOf = (bearer: string): URL =>
  new URL(Buffer.from(bearer.slice(PREFIX.length), "base64url").toString("utf8"));

const verdictOf = (bearer: string, of: TokenRequest, now = of.now) =>
  verifyEksToken(bearer, {
    clusterName: of.clusterName,
    region: of.region,
    now: new Date(now),
    credentialsOf: (accessKeyId) => {
      const { secretAccessKey, sessionToken } = of.credentials;
      if (accessKeyId !== of.credentials.accessKeyId) return undefined;
      return {
        secretAccessKey,
        arn: "arn:aws:iam::111122223333:role/relay",
        ...(sessionToken && { sessionToken }),
      };
    },
  });

describe("a token", () => {
  it("has only the query parameters that the authenticator allows, each once", async () => {
    const withSession = request({ credentials: { ...request().credentials, sessionToken: "a+b/c==" } });

    const { bearer } = await mintEksToken(withSession);

    const url = urlOf(bearer);
    expect([...url.searchParams.keys()].sort()).toEqual([
      "Action",
      "Version",
      "X-Amz-Algorithm",
      "X-Amz-Credential",
      "X-Amz-Date",
      "X-Amz-Expires",
      "X-Amz-Security-Token",
      "X-Amz-Signature",
      "X-Amz-SignedHeaders",
    ]);
    expect(url.searchParams.get("Action")).toBe("GetCallerIdentity");
    expect(url.searchParams.get("X-Amz-SignedHeaders")).toBe("host;x-k8s-aws-id");
    expect(url.searchParams.get("X-Amz-Security-Token")).toBe("a+b/c==");
    expect(url.searchParams.get("X-Amz-Date")).toBe("20261120T091542Z");
    expect(url.searchParams.get("X-Amz-Expires")).toBe("60");
    expect(url.pathname).toBe("/");
  });

  it("does not contain the cluster's name, which is signed but not in the URL", async () => {
    const { bearer } = await mintEksToken(request({ clusterName: "a-name-to-look-for" }));
    expect(urlOf(bearer).href).not.toContain("a-name-to-look-for");
  });

  it("is valid for its own cluster only", async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async (of) => {
        const { bearer } = await mintEksToken(of);

        expect(bearer).toMatch(/^k8s-aws-v1\.[A-Za-z0-9_-]+$/); // base64url, and no padding
        expect(verdictOf(bearer, of)).toMatchObject({ ok: true });
        expect(verdictOf(bearer, { ...of, clusterName: `${of.clusterName}x` })).toEqual({
          ok: false,
          reason: "signature-mismatch",
        });
      }),
    );
  });

  it("is not valid after a change of any one character", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRequest,
        fc.nat(),
        fc.constantFrom(...ALPHANUMERIC, ..."-_+/=. é"),
        async (of, at, char) => {
          const { bearer } = await mintEksToken(of);
          const index = at % bearer.length;
          const changed = bearer.slice(0, index) + char + bearer.slice(index + 1);
          fc.pre(meaningOf(changed) !== meaningOf(bearer));

          expect(verdictOf(changed, of)).toMatchObject({ ok: false });
        },
      ),
      { numRuns: 500 },
    );
  });

  it("expires before EKS stops accepting it", async () => {
    const of = request();

    const { bearer, expiresAt } = await mintEksToken(of);

    expect(verdictOf(bearer, of, expiresAt)).toMatchObject({ ok: true });
    expect(expiresAt).toBe(NOW + 14 * 60_000);
    expect(verdictOf(bearer, of, NOW + 15 * 60_000 + 1)).toEqual({ ok: false, reason: "expired" });
  });

  it("is not minted if it exceeds the limit of EKS, and the error advises what to shorten", async () => {
    const credentials = { ...request().credentials, sessionToken: "/".repeat(1_600) };

    const failure = await mintEksToken(request({ credentials })).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(EksTokenTooLarge);
    expect(failure).toMatchObject({ retryable: false, message: expect.stringMatching(/session tags/) });
    expect((failure as Error).message.match(/[0-9]+/g)).toEqual(["4096"]); // the limit, not the length of the token
  });

  it("is minted with a session token of 1,000 characters, three quarters of which take three characters in the URL", async () => {
    const of = request({ credentials: { ...request().credentials, sessionToken: "a+/=".repeat(250) } });
    const { bearer } = await mintEksToken(of);
    expect(verdictOf(bearer, of)).toMatchObject({ ok: true });
  });
});

describe("a token is signed for the STS endpoint of its partition", () => {
  it.each([
    { region: "eu-west-1", fips: false, host: "sts.eu-west-1.amazonaws.com" },
    { region: "us-east-1", fips: false, host: "sts.us-east-1.amazonaws.com" },
    { region: "us-east-2", fips: true, host: "sts-fips.us-east-2.amazonaws.com" },
    { region: "cn-north-1", fips: false, host: "sts.cn-north-1.amazonaws.com.cn" },
    { region: "us-gov-west-1", fips: false, host: "sts.us-gov-west-1.amazonaws.com" },
    { region: "us-gov-east-1", fips: true, host: "sts.us-gov-east-1.amazonaws.com" },
    { region: "us-iso-east-1", fips: false, host: "sts.us-iso-east-1.c2s.ic.gov" },
    { region: "us-isob-east-1", fips: false, host: "sts.us-isob-east-1.sc2s.sgov.gov" },
    { region: "us-isof-south-1", fips: false, host: "sts.us-isof-south-1.csp.hci.ic.gov" },
    { region: "eu-isoe-west-1", fips: false, host: "sts.eu-isoe-west-1.cloud.adc-e.uk" },
    { region: "eusc-de-east-1", fips: false, host: "sts.eusc-de-east-1.amazonaws.eu" },
  ])("$region (FIPS: $fips) is $host", async ({ region, fips, host }) => {
    expect(stsHost(region, fips)).toBe(host);
    const { bearer } = await mintEksToken(request({ region, fips }));
    expect(urlOf(bearer).host).toBe(host);
    expect(urlOf(bearer).searchParams.get("X-Amz-Credential")).toContain(`/${region}/sts/aws4_request`);
  });

  it("is valid with the FIPS endpoint too", async () => {
    const of = request({ region: "us-west-2", fips: true });
    const { bearer } = await mintEksToken(of);
    expect(verdictOf(bearer, of)).toMatchObject({ ok: true });
  });
});

/** Two equivalent spellings: unused bits of base64, the case of the scheme, `%2F` and `%2f`. */
function meaningOf(token: string): string {
  if (!/^k8s-aws-v1\.[A-Za-z0-9_-]+$/.test(token)) return token;
  return Buffer.from(token.slice(PREFIX.length), "base64url")
    .toString("latin1")
    .replace(/^https/i, "https")
    .replace(/%[0-9a-f]{2}/gi, (escaped) => escaped.toUpperCase());
}
