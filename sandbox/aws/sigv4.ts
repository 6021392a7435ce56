import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from "node:crypto";
import type { KnownCredentials } from "./credentials.ts";

/** A request as it arrived: the path and query exactly as sent, header names in lower case. */
export type SignedRequest = {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
};

export type SignatureVerdict =
  | { readonly kind: "valid"; readonly accessKeyId: string; readonly credentials: KnownCredentials }
  | { readonly kind: "missing" }
  | { readonly kind: "incomplete"; readonly message: string }
  | { readonly kind: "unknown-key" }
  | { readonly kind: "wrong-session-token" }
  | { readonly kind: "expired-credentials" }
  | {
      readonly kind: "mismatch";
      readonly message: string;
      /** S3 has an error of its own for each. */
      readonly about: "scope" | "time" | "signature";
    };

export type Verifier = {
  readonly findCredentials: (accessKeyId: string) => KnownCredentials | undefined;
  readonly now: () => number;
  readonly region: string;
  readonly service: string;
};

const CLOCK_SKEW_MS_MAX = 5 * 60_000;
/** AWS:AmazonS3/latest/API/ErrorResponses.html, RequestTimeTooSkewed. */
const S3_CLOCK_SKEW_MS_MAX = 15 * 60_000;
/** STS accepts a presigned GetCallerIdentity for this long, regardless of X-Amz-Expires. */
const PRESIGNED_LIFE_MS = 15 * 60_000;

/** Recomputes a Signature Version 4, from the Authorization header or from the query of a presigned URL. */
export function verifySignature(request: SignedRequest, verifier: Verifier): SignatureVerdict {
  const claim = readClaim(request);
  if (claim === undefined) return { kind: "missing" };
  if ("message" in claim) return { kind: "incomplete", message: claim.message };

  const credentials = verifier.findCredentials(claim.accessKeyId);
  if (credentials === undefined) return { kind: "unknown-key" };
  if (claim.sessionToken !== credentials.sessionToken) return { kind: "wrong-session-token" };

  const checks = {
    scope: () => scopeProblem(claim, verifier),
    time: () => timeProblem(claim, verifier.now()),
    signature: () => signatureProblem(request, claim, credentials),
  };
  for (const about of ["scope", "time", "signature"] as const) {
    const message = checks[about]();
    if (message !== undefined) return { kind: "mismatch", message, about };
  }

  // Last, as in AWS: only the owner of the secret key learns that the credentials were once valid.
  if (credentials.expiresAt !== undefined && credentials.expiresAt <= verifier.now()) {
    return { kind: "expired-credentials" };
  }
  return { kind: "valid", accessKeyId: claim.accessKeyId, credentials };
}

type Claim = {
  readonly presigned: boolean;
  readonly accessKeyId: string;
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly stamp: string;
  readonly sessionToken: string | undefined;
};

function readClaim(request: SignedRequest): Claim | { message: string } | undefined {
  const header = request.headers.authorization;
  if (header !== undefined) return readHeader(request, header);
  const query = new Map(
    queryPairs(request.target).map(([key, value]) => [key.toLowerCase(), decoded(value)]),
  );
  if (!query.has("x-amz-signature")) return undefined;
  return assemble({
    presigned: true,
    credential: query.get("x-amz-credential"),
    signedHeaders: query.get("x-amz-signedheaders"),
    signature: query.get("x-amz-signature"),
    stamp: query.get("x-amz-date"),
    sessionToken: query.get("x-amz-security-token"),
  });
}

function readHeader(request: SignedRequest, header: string): Claim | { message: string } | undefined {
  if (!header.startsWith("AWS4-HMAC-SHA256")) return undefined;
  const parts = new Map(
    header
      .slice("AWS4-HMAC-SHA256".length)
      .split(",")
      .map((part) => {
        const at = part.indexOf("=");
        return [part.slice(0, at).trim(), part.slice(at + 1).trim()] as const;
      }),
  );
  return assemble({
    presigned: false,
    credential: parts.get("Credential"),
    signedHeaders: parts.get("SignedHeaders"),
    signature: parts.get("Signature"),
    stamp: request.headers["x-amz-date"],
    sessionToken: request.headers["x-amz-security-token"],
  });
}

function assemble(parts: {
  presigned: boolean;
  credential: string | undefined;
  signedHeaders: string | undefined;
  signature: string | undefined;
  stamp: string | undefined;
  sessionToken: string | undefined;
}): Claim | { message: string } {
  const { presigned, credential, signedHeaders, signature, stamp, sessionToken } = parts;
  if (
    credential === undefined ||
    signedHeaders === undefined ||
    signature === undefined ||
    stamp === undefined
  ) {
    return { message: "Authorization requires 'Credential', 'SignedHeaders', 'Signature' and 'X-Amz-Date'." };
  }
  const [accessKeyId, day, region, service, ending, ...more] = credential.split("/");
  if (!accessKeyId || !day || !region || !service || ending !== "aws4_request" || more.length > 0) {
    return {
      message: `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term`,
    };
  }
  return {
    presigned,
    accessKeyId,
    day,
    region,
    service,
    signedHeaders: signedHeaders.split(";"),
    signature,
    stamp,
    sessionToken,
  };
}

function scopeProblem(claim: Claim, verifier: Verifier): string | undefined {
  if (claim.region !== verifier.region) {
    return `Credential should be scoped to a valid region, not '${claim.region}'. `;
  }
  if (claim.service !== verifier.service) {
    return `Credential should be scoped to correct service: '${verifier.service}'. `;
  }
  if (!claim.signedHeaders.includes("host"))
    return "'Host' must be a 'SignedHeader' in the AWS Authorization.";
  return undefined;
}

function timeProblem(claim: Claim, now: number): string | undefined {
  const signedAt = parseStamp(claim.stamp);
  if (signedAt === undefined) return `Date must be in ISO-8601 'basic format'. Got '${claim.stamp}'.`;
  if (!claim.stamp.startsWith(claim.day))
    return "Date in Credential scope does not match YYYYMMDD from X-Amz-Date.";
  const skewMs = claim.service === "s3" ? S3_CLOCK_SKEW_MS_MAX : CLOCK_SKEW_MS_MAX;
  const lifeMs = claim.presigned ? PRESIGNED_LIFE_MS : skewMs;
  if (signedAt < now - lifeMs) {
    return `Signature expired: ${claim.stamp} is now earlier than ${stampOf(now - lifeMs)} (${stampOf(now)} - ${lifeMs / 60_000} min.)`;
  }
  if (signedAt > now + skewMs) {
    return `Signature not yet current: ${claim.stamp} is still later than ${stampOf(now + skewMs)} (${stampOf(now)} + ${skewMs / 60_000} min.)`;
  }
  return undefined;
}

function signatureProblem(request: SignedRequest, claim: Claim, known: KnownCredentials): string | undefined {
  const toSign = [
    "AWS4-HMAC-SHA256",
    claim.stamp,
    `${claim.day}/${claim.region}/${claim.service}/aws4_request`,
    sha256(canonicalRequest(request, claim)),
  ].join("\n");
  const expected = hmac(signingKey(known.secretAccessKey, claim), toSign);
  const given = Buffer.from(claim.signature, "hex");
  if (given.length === expected.length && timingSafeEqual(given, expected)) return undefined;
  return "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
}

function canonicalRequest(request: SignedRequest, claim: Claim): string {
  const path = request.target.split("?", 1)[0] ?? "/";
  const query = queryPairs(request.target)
    .filter(([key]) => !(claim.presigned && key.toLowerCase() === "x-amz-signature"))
    .map(([key, value]) => [encoded(decoded(key)), encoded(decoded(value))] as const)
    .sort(([keyA, valueA], [keyB, valueB]) => compare(keyA, keyB) || compare(valueA, valueB))
    .map(([key, value]) => `${key}=${value}`);
  const headers = claim.signedHeaders.map(
    (name) => `${name}:${(request.headers[name] ?? "").trim().replace(/\s+/g, " ")}\n`,
  );
  return [
    request.method,
    path
      .split("/")
      // The sender encodes it once. The signature encodes it again, except for S3.
      .map((part) => encoded(claim.service === "s3" ? decoded(part) : part))
      .join("/"),
    query.join("&"),
    headers.join(""),
    claim.signedHeaders.join(";"),
    // S3 signs what the header says, and compares that with the body afterwards.
    (claim.service === "s3" ? request.headers["x-amz-content-sha256"] : undefined) ?? sha256(request.body),
  ].join("\n");
}

// Deriving a key takes four HMACs and changes once a day, so a few cached keys serve every request. KeyObjects, since
// createHmac takes four times as long with raw bytes.
const signingKeys = new Map<string, KeyObject>();
const SIGNING_KEYS_MAX = 1_000;

function signingKey(secretAccessKey: string, { day, region, service }: Claim): KeyObject {
  const scope = `${secretAccessKey} ${day} ${region} ${service}`;
  const cached = signingKeys.get(scope);
  if (cached !== undefined) return cached;
  if (signingKeys.size >= SIGNING_KEYS_MAX) signingKeys.clear();
  const bytes = [region, service, "aws4_request"].reduce<Buffer>(hmac, hmac(`AWS4${secretAccessKey}`, day));
  const key = createSecretKey(bytes);
  signingKeys.set(scope, key);
  return key;
}

function queryPairs(target: string): [string, string][] {
  const at = target.indexOf("?");
  if (at === -1 || at === target.length - 1) return [];
  return target
    .slice(at + 1)
    .split("&")
    .map((pair) => {
      const equals = pair.indexOf("=");
      return equals === -1 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
    });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function encoded(part: string): string {
  return encodeURIComponent(part).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function parseStamp(stamp: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? undefined : at;
}

function stampOf(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, "");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sha256(content: string | Uint8Array): string {
  return hash("sha256", content);
}

function hmac(key: string | Buffer | KeyObject, content: string): Buffer {
  return createHmac("sha256", key).update(content).digest();
}
