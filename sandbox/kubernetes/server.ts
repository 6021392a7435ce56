import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type CertificateAuthority, createCertificateAuthority } from "../tls/certificate-authority.ts";
import { type Answer, type ApiRequest, createApi, mediaTypeOf, PROTOBUF } from "./api.ts";
import { authenticator } from "./authentication.ts";
import { type FaultKind, Faults, type RequestSummary } from "./faults.ts";
import { historyOf, type SecretState } from "./history.ts";
import { RequestCounters } from "./request-counters.ts";
import { parseTarget, verbOf } from "./request-path.ts";
import { BUILT_IN_RESOURCES, NAMESPACES, type Resource } from "./resources.ts";
import { startRollouts } from "./rollouts.ts";
import { ApiStatus } from "./status.ts";
import { Store } from "./store.ts";
import type { StsCredentials } from "./verify-eks-token.ts";
import { createObject } from "./writes.ts";

export type KubernetesSandboxOptions = {
  clusterName: string;
  region: string;
  /** The credentials whose EKS tokens are accepted; every one of them is in the relay's group. */
  credentialsOf(accessKeyId: string): StsCredentials | undefined;
  now?: () => Date;
  port?: number;
  /** Rows for custom resources, in addition to the built-in ones. */
  resources?: readonly Resource[];
  /** Whether Deployments, StatefulSets and DaemonSets are rolled out; otherwise they have no status. */
  rollsOut?: boolean;
  authority?: CertificateAuthority;
};

/** A cluster for tests and the story, with additions to a real one: faults, counts and a full history. */
export type KubernetesSandbox = {
  readonly endpoint: string;
  readonly certificateAuthorityData: string;
  readonly clusterName: string;
  readonly region: string;
  readonly adminToken: string;
  readonly relayGroup: string;
  readonly faults: Faults;
  readonly requests: RequestCounters;
  /** Every state of a Secret, oldest first. */
  history(namespace: string, name: string): SecretState[];
  /** One request without a socket, TLS or faults, for a simulation with virtual time; any request but a watch. */
  ask(request: PlainRequest): Promise<PlainAnswer>;
  /** The process of the API server dies: the port closes, connections break, and only etcd's state is kept. */
  kill(): Promise<void>;
  /** Starts another process, on the same port and certificates. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
};

/** A request as it arrived: header names in lower case. */
export type PlainRequest = {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type PlainAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
};

/** Starts a stand-in for an EKS cluster's API server on loopback. README.md lists the known differences. */
export async function startKubernetesSandbox(options: KubernetesSandboxOptions): Promise<KubernetesSandbox> {
  const { clusterName, region, now = () => new Date() } = options;
  const adminToken = randomBytes(24).toString("base64url");
  const store = new Store();
  const faults = new Faults();
  const requests = new RequestCounters();
  const rollouts = options.rollsOut ? startRollouts(store, () => now().getTime()) : undefined;
  const resources = [...BUILT_IN_RESOURCES, ...(options.resources ?? [])];
  for (const name of ["default", "kube-system"]) createNamespace(store, name, now());
  // The memory of one process, lost with it: the tokens that it has accepted.
  const startApi = (rolesReadAt: number) => {
    const authenticate = authenticator({ ...options, now, adminToken, relayGroup: RELAY_GROUP });
    const roles = () => (now().getTime() < rolesReadAt ? NOTHING_READ : store);
    const answer = createApi({ store, roles, resources, requests, authenticate, now });
    return (request: ApiRequest): Answer => {
      rollouts?.catchUp();
      return answer(request);
    };
  };
  let api: ReturnType<typeof createApi> | undefined = startApi(0);

  const authority = options.authority ?? createCertificateAuthority();
  const { certificatePem, keyPem } = authority.issueServerCertificate(["127.0.0.1", "localhost"]);
  const server = createServer({ cert: certificatePem, key: keyPem }, (request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  // As a real API server behind its load balancer: a kept-alive connection outlives the pauses of a test.
  server.keepAliveTimeout = 90_000;

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const process = api;
    const request = await readRequest(message, resources);
    requests.addRequest(request.summary);
    const striking = await faults.strike(request.summary);
    if (process === undefined || process !== api) return reset(message); // it died with its process
    if (striking.some((fault) => fault.kind === "reset" && fault.when === "before")) return reset(message);
    const fault = striking.find(({ kind }) => ANSWERING_FAULTS.has(kind));
    const answer = (fault && answerOfFault(fault)) ?? process(request);
    if (striking.some((each) => each.kind === "reset" && each.when === "after")) return reset(message);
    const slow = striking.find((each) => each.kind === "slow-body");
    await send(response, answer, slow);
  }

  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `https://127.0.0.1:${port}`,
    certificateAuthorityData: authority.certificateAuthorityData,
    clusterName,
    region,
    adminToken,
    relayGroup: RELAY_GROUP,
    faults,
    requests,
    history: (namespace, name) => historyOf(store.events, namespace, name),
    ask: async ({ method, target, headers, body }) => {
      if (api === undefined) throw new SandboxIsDown();
      const request = parseRequest({ method, target, headers }, body, resources);
      requests.addRequest(request.summary);
      const answer = api(request);
      return { status: answer.code, headers: headersOf(answer), body: textOf(answer) };
    },
    kill: async () => {
      api = undefined;
      store.forgetWatches();
      await close();
    },
    startAgain: async () => {
      api = startApi(now().getTime() + READS_ROLES_MS);
      await listen(port);
    },
    stop: () => {
      rollouts?.stop();
      return close();
    },
  };
}

/** Node's error for a closed port. */
class SandboxIsDown extends Error {
  override readonly name = "SandboxIsDown";
  readonly code = "ECONNREFUSED";
  constructor() {
    super("connect ECONNREFUSED");
  }
}

const RELAY_GROUP = "secret-relay";

/** kube-apiserver 1.36.3 listens 54 to 75 ms before it has read the roles, and answers 403 until then. */
const READS_ROLES_MS = 70;
const NOTHING_READ = new Store();
const BODY_BYTES_MAX = 3 * 1024 * 1024;
const ANSWERING_FAULTS: ReadonlySet<FaultKind["kind"]> = new Set([
  "throttle",
  "server-error",
  "refusal",
  "unauthorized",
  "wrong-content",
]);

function createNamespace(store: Store, name: string, now: Date): void {
  const where = { store, resource: NAMESPACES, namespace: undefined, name, now };
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  createObject(
    { ...where, manager: "kube-apiserver", force: false, dryRun: false, warn: () => {} },
    body,
    false,
  );
}

async function readRequest(message: IncomingMessage, resources: readonly Resource[]): Promise<ApiRequest> {
  const { method = "GET", url = "/", headers } = message;
  const bytes = await readBody(message);
  const isText = bytes !== "too-large" && mediaTypeOf(headers) !== PROTOBUF;
  return parseRequest({ method, target: url, headers }, isText ? bytes.toString("utf8") : bytes, resources);
}

function parseRequest(
  { method, headers, target: pathAndQuery }: Omit<PlainRequest, "body">,
  body: ApiRequest["body"],
  resources: readonly Resource[],
): ApiRequest {
  const url = new URL(pathAndQuery, "https://sandbox");
  const target = parseTarget(url.pathname, resources);
  const query = url.searchParams;
  const isWatch = /^(true|1)$/.test(query.get("watch") ?? "");
  const verb = target.kind === "resource" ? verbOf(method, target, isWatch) : undefined;
  const fieldManager = query.get("fieldManager");
  const summary: RequestSummary =
    target.kind === "page"
      ? { verb: method.toLowerCase(), group: "", resource: target.path }
      : {
          verb: verb ?? method.toLowerCase(),
          group: target.resource.group,
          resource: target.resource.resource,
          ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
          ...(target.name === undefined ? {} : { name: target.name }),
          ...(fieldManager === null ? {} : { fieldManager }),
        };
  return { method, target, verb, query, summary, headers, body };
}

/** The whole body, or "too-large"; the rest is read and dropped, so that the response arrives. */
async function readBody(message: IncomingMessage): Promise<Buffer | "too-large"> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of message) {
    bytes += piece.length;
    if (bytes <= BODY_BYTES_MAX) pieces.push(piece);
  }
  return bytes > BODY_BYTES_MAX ? "too-large" : Buffer.concat(pieces);
}

function answerOfFault(fault: FaultKind): Answer | undefined {
  switch (fault.kind) {
    case "throttle": {
      const headers = { "retry-after": String(fault.retryAfterSeconds ?? 1) };
      return {
        code: 429,
        headers,
        text: "Too many requests, please try again later.\n",
        contentType: PLAIN_TEXT,
      };
    }
    case "server-error":
      return { code: fault.status ?? 500, body: serverError(fault.status ?? 500).toStatus() };
    case "refusal": {
      const { status: code, reason, message, causes } = fault;
      const status = {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message,
        reason,
        code,
      };
      return { code, body: { ...status, details: { causes } } };
    }
    case "unauthorized":
      return { code: 401, body: new ApiStatus(401, "Unauthorized", "Unauthorized").toStatus() };
    case "wrong-content": {
      const { body: text = "<html><body>Welcome</body></html>", contentType = "text/html" } = fault;
      return { code: 200, text, contentType };
    }
    default:
      return undefined;
  }
}

const PLAIN_TEXT = "text/plain; charset=utf-8";

function serverError(code: number): ApiStatus {
  if (code === 503)
    return new ApiStatus(503, "ServiceUnavailable", "apiserver is shutting down", { retryAfterSeconds: 1 });
  if (code === 504)
    return new ApiStatus(504, "Timeout", "request did not complete within the allotted timeout", {});
  return new ApiStatus(code, "InternalError", "Internal error occurred: etcdserver: leader changed", {});
}

const textOf = (answer: Answer): string => answer.text ?? JSON.stringify(answer.body ?? null);

const headersOf = (answer: Answer): Record<string, string | string[]> => ({
  "audit-id": randomUUID(),
  "cache-control": "no-cache, private",
  "content-type": answer.contentType ?? "application/json",
  ...answer.headers,
});

async function send(
  response: ServerResponse,
  answer: Answer,
  slow?: FaultKind & { kind: "slow-body" },
): Promise<void> {
  const text = textOf(answer);
  const length = answer.stream || slow ? {} : { "content-length": Buffer.byteLength(text) };
  response.writeHead(answer.code, { ...length, ...headersOf(answer) });
  if (answer.stream) {
    response.flushHeaders();
    const end = answer.stream(
      (line) => response.write(line),
      () => response.end(),
    );
    response.on("close", end);
    if (answer.streamMs) setTimeout(() => response.end(), answer.streamMs).unref();
    return;
  }
  if (!slow) {
    response.end(text);
    return;
  }
  const pieces = slow.pieces ?? 4;
  const size = Math.max(1, Math.ceil(text.length / pieces));
  for (let at = 0; at < text.length && !response.destroyed; at += size) {
    await sleep(slow.pieceMs);
    response.write(text.slice(at, at + size));
  }
  response.end();
}

const reset = (message: IncomingMessage): void => {
  message.socket.destroy();
};
