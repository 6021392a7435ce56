import { SignatureV4 } from "@smithy/signature-v4";
import type { AwsCredentialIdentity } from "@smithy/types";
import { awsDnsSuffix } from "../runtime/aws-dns-suffix.ts";
import { Sha256 } from "../runtime/sha256.ts";
import { EksTokenTooLarge } from "./errors.ts";

/** A bearer token for the API server of one EKS cluster. */
export type EksToken = { readonly bearer: string; readonly expiresAt: number };

export type EksTokenRequest = {
  readonly clusterName: string;
  readonly region: string;
  readonly credentials: AwsCredentialIdentity;
  /** ms since the epoch. */
  readonly now: number;
  /** Sign for the FIPS endpoint of STS; EKS calls the signed host. */
  readonly fips: boolean;
};

/**
 * Mints a token offline: a presigned STS GetCallerIdentity request, which EKS sends to STS to identify the caller.
 *
 * Format (aws-iam-authenticator, pkg/token): the cluster name is a signed header and not part of the URL, any further
 * query parameter is refused, and the base64url has no padding.
 */
export async function mintEksToken(request: EksTokenRequest): Promise<EksToken> {
  const signer = new SignatureV4({
    service: "sts",
    region: request.region,
    credentials: request.credentials,
    sha256: Sha256,
    applyChecksum: false,
  });
  const hostname = stsHost(request.region, request.fips);
  const signed = await signer.presign(
    {
      method: "GET",
      protocol: "https:",
      hostname,
      path: "/",
      query: { Action: "GetCallerIdentity", Version: "2011-06-15" },
      headers: { host: hostname, "x-k8s-aws-id": request.clusterName },
    },
    { expiresIn: PRESIGN_EXPIRES_S, signingDate: new Date(request.now) },
  );
  const query = Object.entries(signed.query ?? {})
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join("&");
  const bearer = PREFIX + Buffer.from(`https://${hostname}/?${query}`).toString("base64url");
  if (bearer.length > TOKEN_BYTES_MAX) throw new EksTokenTooLarge(TOKEN_BYTES_MAX);
  return { bearer, expiresAt: request.now + TOKEN_LIFE_MS };
}

/** The STS host that EKS clusters in that Region accept. */
export function stsHost(region: string, fips: boolean): string {
  // GovCloud's ordinary endpoints are the FIPS ones; sts-fips exists in the US and Canada only.
  const label = fips && !region.startsWith("us-gov-") ? "sts-fips" : "sts";
  return `${label}.${region}.${awsDnsSuffix(region)}`;
}

const PREFIX = "k8s-aws-v1.";

/** The authenticator ignores it; every EKS client sends 60. */
const PRESIGN_EXPIRES_S = 60;

/** STS accepts the signature for 15 minutes. One minute is left for clocks that differ. */
const TOKEN_LIFE_MS = 14 * 60_000;

// EKS refuses a token of more than 4,096 bytes (aws-iam-authenticator, pkg/token). A session token of 1,000 characters
// gives 3,855 bytes and one of 1,600 gives 5,855, so role chaining can exceed the limit.
const TOKEN_BYTES_MAX = 4_096;
