import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { isStsHost, scopeRegionOf } from "./sts-hosts.ts";

/** STS's record of an access key. */
export type StsCredentials = { secretAccessKey: string; sessionToken?: string; arn: string };

export type TokenRules = {
  clusterName: string;
  region: string;
  credentialsOf(accessKeyId: string): StsCredentials | undefined;
  now: Date;
};

export type TokenVerdict = { ok: true; arn: string } | { ok: false; reason: TokenRefusal };

export type TokenRefusal =
  | "too-large"
  | "no-prefix"
  | "not-raw-base64url"
  | "not-a-url"
  | "not-https"
  | "foreign-host"
  | "wrong-path"
  | "foreign-parameter"
  | "duplicate-parameter"
  | "wrong-action"
  | "cluster-not-signed"
  | "wrong-expiry"
  | "no-date"
  | "expired"
  | "not-yet-valid"
  | "unknown-access-key"
  | "wrong-session-token"
  | "wrong-scope"
  | "signature-mismatch";

/**
 * Checks a bearer token as EKS does: first the rules of aws-iam-authenticator (pkg/token), then those of STS, which
 * recomputes the signature with the cluster's own name in the header. Shares no code with the side that mints, so that
 * one mistake cannot pass on both sides.
 */
export function verifyEksToken(token: string, rules: TokenRules): TokenVerdict {
  const presigned = parseToken(token, rules.region);
  if (typeof presigned === "string") return refuse(presigned);
  const refusal = authenticatorRefusal(presigned, rules.now);
  if (refusal) return refuse(refusal);
  return askSts(presigned, rules);
}

/** In the order of the checks: a presigned GetCallerIdentity, its parameters by lower-cased name. */
type PresignedUrl = { host: string; rawQuery: string; parameters: ReadonlyMap<string, string> };

const PREFIX = "k8s-aws-v1.";
const TOKEN_BYTES_MAX = 4_096;
const AGE_MS_MAX = 15 * 60_000;
// STS refuses a date too far ahead of its clock.
const SKEW_MS_MAX = 5 * 60_000;
const EXPIRES_SECONDS_MAX = 900;
const CLUSTER_HEADER = "x-k8s-aws-id";
const PARAMETERS = new Set([
  "action",
  "version",
  "x-amz-algorithm",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-expires",
  "x-amz-security-token",
  "x-amz-signature",
  "x-amz-signedheaders",
]);

const refuse = (reason: TokenRefusal): TokenVerdict => ({ ok: false, reason });

function parseToken(token: string, clusterRegion: string): PresignedUrl | TokenRefusal {
  if (Buffer.byteLength(token) > TOKEN_BYTES_MAX) return "too-large";
  if (!token.startsWith(PREFIX)) return "no-prefix";
  const encoded = token.slice(PREFIX.length);
  // Buffer would accept padding and the standard alphabet as well; Go's RawURLEncoding accepts neither.
  if (!/^[A-Za-z0-9_-]*$/.test(encoded) || encoded.length % 4 === 1) return "not-raw-base64url";
  const url = Buffer.from(encoded, "base64url").toString("utf8");
  // Not `new URL`: it would silently drop `:443`, lower-case the host and normalise the path.
  const parts = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/.exec(url);
  if (!parts) return "not-a-url";
  const [, scheme = "", host = "", path = "", rawQuery = ""] = parts;
  if (scheme.toLowerCase() !== "https") return "not-https";
  if (!isStsHost(host, clusterRegion)) return "foreign-host";
  if (path !== "/") return "wrong-path";
  const parameters = parseParameters(rawQuery);
  return typeof parameters === "string" ? parameters : { host, rawQuery, parameters };
}

function parseParameters(rawQuery: string): ReadonlyMap<string, string> | TokenRefusal {
  const parameters = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(rawQuery)) {
    const name = key.toLowerCase();
    if (!PARAMETERS.has(name)) return "foreign-parameter";
    if (parameters.has(name)) return "duplicate-parameter";
    parameters.set(name, value);
  }
  return parameters;
}

function authenticatorRefusal({ parameters }: PresignedUrl, now: Date): TokenRefusal | undefined {
  if (parameters.get("action") !== "GetCallerIdentity") return "wrong-action";
  const signedHeaders = (parameters.get("x-amz-signedheaders") ?? "").toLowerCase().split(";");
  if (!signedHeaders.includes(CLUSTER_HEADER)) return "cluster-not-signed";
  const expires = parameters.get("x-amz-expires") ?? "";
  if (!/^\d+$/.test(expires) || Number(expires) > EXPIRES_SECONDS_MAX) return "wrong-expiry";
  const date = parseAmzDate(parameters.get("x-amz-date") ?? "");
  if (!date) return "no-date";
  if (now.getTime() > date.getTime() + AGE_MS_MAX) return "expired";
  return undefined;
}

function askSts(presigned: PresignedUrl, rules: TokenRules): TokenVerdict {
  const { parameters, host } = presigned;
  const amzDate = parameters.get("x-amz-date") ?? "";
  const date = parseAmzDate(amzDate);
  if (!date || date.getTime() > rules.now.getTime() + SKEW_MS_MAX) return refuse("not-yet-valid");
  const [accessKeyId = "", ...scope] = (parameters.get("x-amz-credential") ?? "").split("/");
  const credentials = rules.credentialsOf(accessKeyId);
  if (!credentials) return refuse("unknown-access-key");
  if (parameters.get("x-amz-security-token") !== credentials.sessionToken)
    return refuse("wrong-session-token");
  const wanted = [amzDate.slice(0, 8), scopeRegionOf(host), "sts", "aws4_request"];
  if (scope.join("/") !== wanted.join("/")) return refuse("wrong-scope");
  const signature = sign(presigned, { amzDate, scope: wanted, rules, credentials });
  return sameText(signature, parameters.get("x-amz-signature") ?? "")
    ? { ok: true, arn: credentials.arn }
    : refuse("signature-mismatch");
}

type SigningInput = { amzDate: string; scope: string[]; rules: TokenRules; credentials: StsCredentials };

/** AWS Signature Version 4 of the GET that EKS sends for this URL. */
function sign(presigned: PresignedUrl, { amzDate, scope, rules, credentials }: SigningInput): string {
  const sent: Record<string, string> = {
    host: presigned.host,
    accept: "application/json",
    [CLUSTER_HEADER]: rules.clusterName,
  };
  const signedHeaders = presigned.parameters.get("x-amz-signedheaders") ?? "";
  const headers = signedHeaders.split(";").map((name) => `${name}:${(sent[name] ?? "").trim()}\n`);
  const canonicalRequest = [
    "GET",
    "/",
    canonicalQuery(presigned.rawQuery),
    headers.join(""),
    signedHeaders,
    sha256(""),
  ].join("\n");
  const stringToSign = ["AWS4-HMAC-SHA256", amzDate, scope.join("/"), sha256(canonicalRequest)].join("\n");
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  return hmac(key, stringToSign).toString("hex");
}

function canonicalQuery(rawQuery: string): string {
  return [...new URLSearchParams(rawQuery)]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join("&");
}

/** RFC 3986: encodeURIComponent leaves five characters unescaped that SigV4 escapes. */
function percentEncode(text: string): string {
  const encodeOne = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text).replace(/[!'()*]/g, encodeOne);
}

function parseAmzDate(text: string): Date | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, "latin1"), Buffer.from(b, "latin1"));
}
