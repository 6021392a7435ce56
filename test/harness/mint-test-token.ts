import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import { testCredentials } from "./test-credentials.ts";

export type TestTokenOptions = {
  clusterName: string;
  region: string;
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  host?: string;
  signingDate?: Date;
  expiresIn?: number;
  /** Query parameters beyond the required ones. */
  extraQuery?: Record<string, string>;
};

/** The presigned URL of a token, made by AWS's own library: the sandbox's verifier shares no code with it. */
export async function presignTestUrl(options: TestTokenOptions): Promise<string> {
  const { clusterName, region, credentials = testCredentials, expiresIn = 60, extraQuery = {} } = options;
  const host = options.host ?? `sts.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  const signer = new SignatureV4({
    service: "sts",
    region: host === "sts.amazonaws.com" ? "us-east-1" : region,
    credentials,
    sha256: NodeSha256,
  });
  const { query = {} } = await signer.presign(
    {
      method: "GET",
      protocol: "https:",
      hostname: host,
      path: "/",
      headers: { host, "x-k8s-aws-id": clusterName },
      query: { Action: "GetCallerIdentity", Version: "2011-06-15", ...extraQuery },
    },
    { expiresIn, signingDate: options.signingDate ?? new Date() },
  );
  const pairs = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`);
  return `https://${host}/?${pairs.join("&")}`;
}

export const tokenOf = (url: string): string =>
  `k8s-aws-v1.${Buffer.from(url, "utf8").toString("base64url")}`;

export const mintTestToken = async (options: TestTokenOptions): Promise<string> =>
  tokenOf(await presignTestUrl(options));

class NodeSha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }

  reset(): void {}
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data, "utf8");
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
