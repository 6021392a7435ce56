import { HttpMethod, type RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import { ServerConfiguration } from "@kubernetes/client-node/dist/gen/servers.js";
import { KubernetesObjectApi } from "@kubernetes/client-node/dist/object.js";
import { PatchStrategy } from "@kubernetes/client-node/dist/patch.js";
import { type CallContext, classifyResponse } from "./classify-response.ts";
import { type ClusterEndpoint, httpsTransport } from "./https-transport.ts";
import type { ObjectVersion, SecretName } from "./live-secret.ts";
import { TABLE_ACCEPT } from "./secrets-table.ts";

/** With a `name` one Secret, otherwise a page of those with the label. */
export type TableQuery = {
  readonly namespace: string;
  readonly name?: string;
  readonly labelSelector?: string;
  readonly limit?: number;
  readonly continueToken?: string;
};

/** A call on objects other than Secrets, with raw JSON, because the bundle leaves their models out. */
export type ObjectCall = {
  readonly method: "GET" | "PATCH" | "POST";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** A merge patch, or an object to create. */
  readonly body?: object;
  /** Return only the metadata: of a Secret, without its data. */
  readonly metadataOnly?: true;
};

/** The owner of the fields, and whether to take fields from other managers. */
export type ApplyHow = { readonly fieldManager: string; readonly force: boolean };

/** The calls of the relay on one connection to one API server. */
export type SecretsApi = {
  read(secret: SecretName, bearer: string, signal: AbortSignal): Promise<V1Secret>;
  apply(body: V1Secret, how: ApplyHow, bearer: string, signal: AbortSignal): Promise<V1Secret>;
  /** One Secret, or a page of a namespace, as a Table: no data leaves the API server. */
  readTable(query: TableQuery, bearer: string, signal: AbortSignal): Promise<string>;
  delete(secret: SecretName, only: ObjectVersion, bearer: string, signal: AbortSignal): Promise<void>;
  callObject(call: ObjectCall, bearer: string, signal: AbortSignal): Promise<string>;
  close(): void;
};

export function createSecretsApi(
  clusterKey: string,
  endpoint: ClusterEndpoint,
  limits: { connectionsMax: number; timeoutMs: number; onRequest?: () => void },
): SecretsApi {
  const httpApi = httpsTransport({
    clusterKey,
    endpoint,
    ...limits,
    classify: (request, response) => classifyResponse(callOf(clusterKey, request), response),
  });
  // With a slash at the end, paths would begin with two, and an API server answers those with 403 or a redirect.
  const baseServer = new ServerConfiguration(endpoint.url.replace(/\/+$/, ""), {});

  const secretApi = (bearer: string, signal: AbortSignal) => {
    const applySecurityAuthentication = (request: RequestContext) => authorize(request, bearer, signal);
    const authMethods = { default: { getName: () => "eks-token", applySecurityAuthentication } };
    return new SecretObjectApi({ baseServer, httpApi, middleware: [], authMethods });
  };

  const sendRaw = async (
    { method, path, query = {}, body }: ObjectCall,
    accept: string,
    bearer: string,
    signal: AbortSignal,
  ): Promise<string> => {
    const request = baseServer.makeRequestContext(path, HttpMethod[method]);
    request.setHeaderParam("Accept", accept);
    authorize(request, bearer, signal);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) request.setQueryParam(name, value);
    }
    if (body !== undefined) {
      request.setHeaderParam("Content-Type", method === "PATCH" ? MERGE_PATCH : "application/json");
      request.setBody(JSON.stringify(body));
    }
    return (await httpApi.send(request).toPromise()).body.text();
  };

  return {
    read: async (secret, bearer, signal) =>
      (await secretApi(bearer, signal).read(headerOf(secret))) as V1Secret,
    apply: async (body, { fieldManager, force }, bearer, signal) => {
      const named = body as V1Secret & { metadata: { name: string } };
      const strategy = PatchStrategy.ServerSideApply;
      const api = secretApi(bearer, signal);
      return (await api.patch(named, undefined, undefined, fieldManager, force, strategy)) as V1Secret;
    },
    // Without client-node's deserializer, which parses a Table's metadata as an object's and drops `continue`.
    readTable: ({ namespace, name, labelSelector, limit, continueToken }, bearer, signal) => {
      const list = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
      const path = name === undefined ? list : `${list}/${encodeURIComponent(name)}`;
      const query = { labelSelector, limit: limit?.toString(), continue: continueToken };
      return sendRaw({ method: "GET", path, query }, TABLE_ACCEPT, bearer, signal);
    },
    delete: async (secret, { uid, resourceVersion }, bearer, signal) => {
      const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid, resourceVersion } };
      const api = secretApi(bearer, signal);
      await api.delete(headerOf(secret), undefined, undefined, undefined, undefined, undefined, body);
    },
    callObject: (request, bearer, signal) =>
      sendRaw(request, request.metadataOnly ? METADATA_ACCEPT : "application/json", bearer, signal),
    close: () => httpApi.close(),
  };
}

function headerOf({ namespace, name }: SecretName) {
  return { apiVersion: "v1", kind: "Secret", metadata: { namespace, name } };
}

/** client-node's generic API without discovery, which would cost a round trip: a third of a sync. */
class SecretObjectApi extends KubernetesObjectApi {
  protected override async specUriPath(spec: {
    metadata?: { namespace?: string; name?: string };
  }): Promise<string> {
    const { namespace = "", name = "" } = spec.metadata ?? {};
    return `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
  }
}

function authorize(request: RequestContext, bearer: string, signal: AbortSignal): void {
  if (bearer !== "") request.setHeaderParam("Authorization", `Bearer ${bearer}`);
  request.setSignal(signal);
}

/** `/api/v1/…` or `/apis/<group>/<version>/…`, optionally `namespaces/<namespace>`, a resource, and optionally a name. */
function callOf(clusterKey: string, request: RequestContext): CallContext {
  const parts = new URL(request.getUrl()).pathname.split("/").map(decodeURIComponent);
  const rest = parts.slice(parts[1] === "api" ? 3 : 4);
  const isInNamespace = rest[0] === "namespaces" && rest.length > 2;
  const [namespace = "", resource = "", name] = isInNamespace ? rest.slice(1) : ["", ...rest];
  return { clusterKey, verb: verbOf(request.getHttpMethod(), name), namespace, resource, name: name ?? "" };
}

function verbOf(method: string, name: string | undefined): CallContext["verb"] {
  if (method === "GET") return name === undefined ? "list" : "get";
  if (method === "POST") return "create";
  return method === "DELETE" ? "delete" : "patch";
}

const METADATA_ACCEPT = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const MERGE_PATCH = "application/merge-patch+json";
