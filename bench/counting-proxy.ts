import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, request as httpsRequest, Agent as TlsAgent } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { createCertificateAuthority } from "../sandbox/tls/certificate-authority.ts";
import type { Backend } from "../test/harness/backend.ts";

/** A proxy before real servers that counts requests and returned secret values. */
export type CountingProxy = {
  readonly counts: { aws: number; kubernetes: number; values: number };
  /** Instead of the backend's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly cluster: { readonly endpoint: string; readonly certificateAuthorityData: string };
  stop(): Promise<void>;
};

export async function startCountingProxy({ aws, kubernetes }: Backend): Promise<CountingProxy> {
  const counts = { aws: 0, kubernetes: 0, values: 0 };
  const authority = createCertificateAuthority();
  const { keyPem: key, certificatePem: cert } = authority.issueServerCertificate(["127.0.0.1"]);
  const ca = Buffer.from(kubernetes.certificateAuthorityData, "base64");
  const agent = new TlsAgent({ keepAlive: true, ca });
  const awsEndpoint = aws.env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? "";

  const awsProxy = createServer((request, response) => {
    counts.aws += 1;
    forward(request, response, httpRequest(`${awsEndpoint}${request.url}`, optionsOf(request)), (answer) => {
      counts.values += valuesInAwsAnswer(answer);
    });
  });
  const clusterProxy = createTlsServer({ key, cert }, (request, response) => {
    counts.kubernetes += 1;
    const onward = httpsRequest(`${kubernetes.endpoint}${request.url}`, { ...optionsOf(request), agent });
    forward(request, response, onward, (answer) => {
      counts.values += valuesInClusterAnswer(answer);
    });
  });
  const servers = [awsProxy, clusterProxy];
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
  );
  const portOf = (server: (typeof servers)[number]) => (server.address() as AddressInfo).port;
  const endpoint = `http://127.0.0.1:${portOf(awsProxy)}`;
  return {
    counts,
    env: { ...aws.env, AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint },
    cluster: {
      endpoint: `https://127.0.0.1:${portOf(clusterProxy)}`,
      certificateAuthorityData: authority.certificateAuthorityData,
    },
    stop: async () => {
      agent.destroy();
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

function optionsOf({ method, headers }: IncomingMessage): {
  method: string;
  headers: IncomingMessage["headers"];
} {
  return { method: method ?? "GET", headers };
}

function forward(
  request: IncomingMessage,
  response: ServerResponse,
  onward: ReturnType<typeof httpRequest>,
  onAnswer: (answer: unknown) => void,
): void {
  onward.on("error", () => response.destroy());
  onward.on("response", async (answer) => {
    const body = await buffer(answer);
    onAnswer(parseJson(body.toString("utf8")));
    response.writeHead(answer.statusCode ?? 502, answer.headers).end(body);
  });
  request.pipe(onward);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function valuesInAwsAnswer(answer: unknown): number {
  const { SecretString, SecretBinary, SecretValues = [] } = (answer ?? {}) as Record<string, unknown>;
  return (SecretString ?? SecretBinary) === undefined ? (SecretValues as unknown[]).length : 1;
}

function valuesInClusterAnswer(answer: unknown): number {
  const { kind, data, items = [] } = (answer ?? {}) as { kind?: string; data?: object; items?: object[] };
  if (kind === "Secret") return data === undefined ? 0 : 1;
  return kind === "SecretList" ? items.filter((item) => "data" in item).length : 0;
}
