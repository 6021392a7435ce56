import { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { buffer } from "node:stream/consumers";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { mintEksToken } from "../shared/cluster/eks-token.ts";
import type { Backend } from "../test/harness/backend.ts";
import { RELAY_METADATA } from "../test/harness/relay-metadata.ts";

/** The three calls of a rotation over plain node:http and node:https: the floor for its duration. */
export type BareClient = {
  /** Reads the Secret, then the source, then applies. Returns the duration in ms, from the first byte to the last. */
  time(rotation: BareRotation): Promise<number>;
  close(): void;
};

export type BareRotation = {
  readonly secretId: string;
  readonly namespace: string;
  readonly name: string;
  /** The value of AWSCURRENT: a JSON object of strings. */
  readonly value: string;
};

export async function connectBareClient({ aws, kubernetes }: Backend): Promise<BareClient> {
  const ca = Buffer.from(kubernetes.certificateAuthorityData, "base64");
  const agents = { aws: new PlainAgent({ keepAlive: true }), cluster: new TlsAgent({ keepAlive: true, ca }) };
  const credentials = {
    accessKeyId: aws.env.AWS_ACCESS_KEY_ID ?? "",
    secretAccessKey: aws.env.AWS_SECRET_ACCESS_KEY ?? "",
  };
  const awsUrl = new URL(aws.env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? "");
  const { clusterName, region } = kubernetes;
  const token = await mintEksToken({ clusterName, region, credentials, now: Date.now(), fips: false });
  const authorization = `Bearer ${token.bearer}`;

  const send = async (
    request: ReturnType<typeof plainRequest>,
    body: string | undefined,
  ): Promise<{ status: number; body: Buffer }> => {
    const response = new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
      request.on("response", async (message) =>
        resolve({ status: message.statusCode ?? 0, body: await buffer(message) }),
      );
      request.on("error", reject);
    });
    request.end(body);
    const { status, body: content } = await response;
    if (status !== 200) throw new Error(`The server answered a bare call with ${status}: ${content}`);
    return { status, body: content };
  };

  return {
    time: async ({ secretId, namespace, name, value }) => {
      const signed = await signedRead(aws, secretId);
      const url = `${kubernetes.endpoint}/api/v1/namespaces/${namespace}/secrets/${name}`;
      const data = Object.entries(JSON.parse(value) as Record<string, string>).map(([key, text]) => [
        key,
        Buffer.from(text).toString("base64"),
      ]);

      const startedAt = performance.now();
      const read = tlsRequest(url, {
        agent: agents.cluster,
        headers: { authorization, accept: "application/json" },
      });
      const live = JSON.parse((await send(read, undefined)).body.toString());
      const source = plainRequest(awsUrl, { agent: agents.aws, method: "POST", headers: signed.headers });
      await send(source, signed.body);
      const { labels, annotations, resourceVersion, uid } = live.metadata;
      const desired = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: {
          namespace,
          name,
          labels,
          annotations: { ...annotations, [RELAY_METADATA.annotations.writtenAt]: new Date().toISOString() },
          resourceVersion,
          uid,
        },
        type: live.type,
        data: Object.fromEntries(data),
      };
      const apply = tlsRequest(`${url}?fieldManager=secret-relay&force=false`, {
        agent: agents.cluster,
        method: "PATCH",
        headers: {
          authorization,
          accept: "application/json",
          "content-type": "application/apply-patch+yaml",
        },
      });
      await send(apply, JSON.stringify(desired));
      return performance.now() - startedAt;
    },
    close: () => {
      agents.aws.destroy();
      agents.cluster.destroy();
    },
  };
}

type SignedRead = { readonly headers: Record<string, string>; readonly body: string };

/** The request that the SDK would send, captured before it leaves. */
async function signedRead({ env, region }: Backend["aws"], SecretId: string): Promise<SignedRead> {
  const captured: SignedRead[] = [];
  const requestHandler = {
    handle: async (request: SignedRead): Promise<never> => {
      captured.push(request);
      throw new Error("Captured");
    },
  };
  const credentials = {
    accessKeyId: env.AWS_ACCESS_KEY_ID ?? "",
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "",
  };
  const endpoint = env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? "";
  const client = new SecretsManagerClient({ region, credentials, endpoint, maxAttempts: 1, requestHandler });
  await client.send(new GetSecretValueCommand({ SecretId, VersionStage: "AWSCURRENT" })).catch(() => {});
  const [signed] = captured;
  if (signed === undefined) throw new Error("The SDK did not send a request");
  return signed;
}
