import { describe, expect, it } from "vitest";
import { verifyEksToken } from "../../sandbox/kubernetes/verify-eks-token.ts";
import { presignTestUrl, type TestTokenOptions, tokenOf } from "../harness/mint-test-token.ts";
import { testCredentials, testCredentialsOf } from "../harness/test-credentials.ts";

const cluster = { clusterName: "prod", region: "eu-west-1" };
const now = new Date("2026-11-20T09:15:42Z");

const judge = (token: string, rules: Partial<Parameters<typeof verifyEksToken>[1]> = {}) =>
  verifyEksToken(token, { ...cluster, credentialsOf: testCredentialsOf, now, ...rules });

const presign = (options: Partial<TestTokenOptions> = {}) =>
  presignTestUrl({ ...cluster, signingDate: now, ...options });

describe("an EKS token is accepted", () => {
  it.each([
    { region: "eu-west-1" },
    { region: "us-east-1" },
    { region: "ap-southeast-1" },
    { region: "us-gov-west-1" },
    { region: "cn-north-1" },
    { region: "eu-west-1", host: "sts.amazonaws.com" },
    { region: "us-west-2", host: "sts-fips.us-west-2.amazonaws.com" },
    { region: "eu-west-1", host: "sts.eu-west-1.api.aws" },
    { region: "cn-north-1", host: "sts.cn-north-1.api.amazonwebservices.com.cn" },
    { region: "us-gov-east-1", host: "sts.us-gov-east-1.api.aws" },
  ])("from $region $host", async ({ region, ...host }) => {
    const url = await presign({ region, ...host });

    expect(judge(tokenOf(url), { region })).toEqual({ ok: true, arn: testCredentials.arn });
  });

  it("from another region of the cluster's partition", async () => {
    expect(judge(tokenOf(await presign({ region: "us-east-2" })))).toMatchObject({ ok: true });
  });

  it("with a session token that has to be percent-encoded", async () => {
    const credentials = { ...testCredentials, sessionToken: "IQoJb3JpZ2luX2VjE+/a==*'()!" };
    const token = tokenOf(await presign({ credentials }));

    expect(judge(token, { credentialsOf: () => credentials })).toMatchObject({ ok: true });
    expect(judge(token)).toEqual({ ok: false, reason: "wrong-session-token" });
  });

  it("until it is 15 minutes old, with any expiry", async () => {
    const token = tokenOf(await presign({ expiresIn: 1 }));
    const later = (seconds: number) => ({ now: new Date(now.getTime() + seconds * 1_000) });

    expect(judge(token, later(900))).toMatchObject({ ok: true });
    expect(judge(token, later(901))).toEqual({ ok: false, reason: "expired" });
  });

  it.each([0, 900])("with an expiry of %i seconds", async (expiresIn) => {
    expect(judge(tokenOf(await presign({ expiresIn })))).toMatchObject({ ok: true });
  });
});

describe("an EKS token is refused", () => {
  const padded = (url: string) => {
    const length = url.length % 3 === 0 ? `${url}&` : url;
    return `k8s-aws-v1.${Buffer.from(length).toString("base64").replaceAll("+", "-").replaceAll("/", "_")}`;
  };
  const cases: { it: string; make: (url: string) => string; reason: string }[] = [
    { it: "without its prefix", make: (url) => tokenOf(url).slice(1), reason: "no-prefix" },
    { it: "with padding", make: padded, reason: "not-raw-base64url" },
    { it: "in the standard alphabet", make: (url) => `${tokenOf(url)}+/`, reason: "not-raw-base64url" },
    { it: "of more than 4,096 bytes", make: (url) => tokenOf(url + "x".repeat(4_096)), reason: "too-large" },
    { it: "that is not a URL", make: () => tokenOf("nonsense"), reason: "not-a-url" },
    { it: "over plain HTTP", make: (url) => tokenOf(url.replace("https", "http")), reason: "not-https" },
    {
      it: "for an unknown host",
      make: (url) => tokenOf(url.replace(/sts\.[^/]+/, "sts.example.com")),
      reason: "foreign-host",
    },
    {
      it: "for a host that ends like STS",
      make: (url) => tokenOf(url.replace("sts.", "x.sts.")),
      reason: "foreign-host",
    },
    { it: "for a port", make: (url) => tokenOf(url.replace(".com/", ".com:443/")), reason: "foreign-host" },
    {
      it: "for another partition",
      make: (url) => tokenOf(url.replace("eu-west-1.amazonaws.com/", "cn-north-1.amazonaws.com.cn/")),
      reason: "foreign-host",
    },
    { it: "for another path", make: (url) => tokenOf(url.replace("/?", "/x?")), reason: "wrong-path" },
    {
      it: "with an extra parameter",
      make: (url) => tokenOf(`${url}&x-id=GetCallerIdentity`),
      reason: "foreign-parameter",
    },
    {
      it: "with a parameter twice",
      make: (url) => tokenOf(`${url}&Action=GetCallerIdentity`),
      reason: "duplicate-parameter",
    },
    {
      it: "with a parameter twice in different case",
      make: (url) => tokenOf(`${url}&action=GetCallerIdentity`),
      reason: "duplicate-parameter",
    },
    {
      it: "for another action",
      make: (url) => tokenOf(url.replace("GetCallerIdentity", "GetSessionToken")),
      reason: "wrong-action",
    },
    {
      it: "without the cluster among its signed headers",
      make: (url) => tokenOf(url.replace("%3Bx-k8s-aws-id", "")),
      reason: "cluster-not-signed",
    },
    {
      it: "with an expiry of 901 seconds",
      make: (url) => tokenOf(url.replace("Expires=60", "Expires=901")),
      reason: "wrong-expiry",
    },
    {
      it: "with an expiry below zero",
      make: (url) => tokenOf(url.replace("Expires=60", "Expires=-1")),
      reason: "wrong-expiry",
    },
    {
      it: "without a date",
      make: (url) => tokenOf(url.replace(/&?X-Amz-Date=[^&]+/, "")),
      reason: "no-date",
    },
    {
      it: "of another key",
      make: (url) => tokenOf(url.replace("AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE")),
      reason: "unknown-access-key",
    },
    {
      it: "with a session token of another key",
      make: (url) => tokenOf(`${url}&X-Amz-Security-Token=x`),
      reason: "wrong-session-token",
    },
    {
      it: "for another service",
      make: (url) => tokenOf(url.replace("%2Fsts%2F", "%2Fs3%2F")),
      reason: "wrong-scope",
    },
    {
      it: "moved to another region's host",
      make: (url) => tokenOf(url.replace("sts.eu-west-1", "sts.eu-west-2")),
      reason: "wrong-scope",
    },
    {
      it: "with a changed expiry",
      make: (url) => tokenOf(url.replace("Expires=60", "Expires=61")),
      reason: "signature-mismatch",
    },
    {
      it: "with a changed signature",
      make: (url) =>
        tokenOf(url.replace(/(Signature=)(.)/, (_all, name, digit) => name + (digit === "0" ? "1" : "0"))),
      reason: "signature-mismatch",
    },
  ];
  it.each(cases)("$it", async ({ make, reason }) => {
    const url = await presign();

    const token = make(url);

    expect(token).not.toBe(tokenOf(url));
    expect(judge(token)).toEqual({ ok: false, reason });
  });

  it("for another cluster", async () => {
    const token = tokenOf(await presign({ clusterName: "staging" }));
    expect(judge(token)).toEqual({ ok: false, reason: "signature-mismatch" });
  });

  it("signed with another secret", async () => {
    const credentials = { ...testCredentials, secretAccessKey: "another" };
    const token = tokenOf(await presign({ credentials }));
    expect(judge(token)).toEqual({ ok: false, reason: "signature-mismatch" });
  });

  it("of tomorrow", async () => {
    const token = tokenOf(await presign({ signingDate: new Date(now.getTime() + 86_400_000) }));
    expect(judge(token)).toEqual({ ok: false, reason: "not-yet-valid" });
  });

  it("from the global host in China and GovCloud, which have none", async () => {
    const token = tokenOf(await presign({ host: "sts.amazonaws.com" }));
    expect(judge(token, { region: "cn-north-1" })).toEqual({ ok: false, reason: "foreign-host" });
    expect(judge(token, { region: "us-gov-west-1" })).toEqual({ ok: false, reason: "foreign-host" });
  });
});
