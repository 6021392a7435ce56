import { HttpMethod, type RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import { ServerConfiguration } from "@kubernetes/client-node/dist/gen/servers.js";
import { KubernetesObjectApi } from "@kubernetes/client-node/dist/object.js";
import { PatchStrategy } from "@kubernetes/client-node/dist/patch.js";
import { type CallContext, classifyResponse } from "./classify-response.ts";
import { type ClusterEndpoint, type HttpsTransport, httpsTransport } from "./https-transport.ts";
import type { ObjectVersion, SecretName } from "./live-secret.ts";
import { TABLE_ACCEPT } from "./secrets-table.ts";

/** `name` for one; otherwise a page of those with the label. */
export type TableQuery = {
  readonly namespace: string;
  readonly name?: string;
  readonly labelSelector?: string;
  readonly limit?: number;
  readonly continueToken?: string;
};

/** One call on objects that are no Secrets: raw JSON in and out, since the bundle leaves their models out. */
export type ObjectCall = {
  readonly method: "GET" | "PATCH" | "POST";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** A merge patch, or an object to be created. */
  readonly body?: object;
  /** Answer with the metadata of the object only: of a Secret, without its data. */
  readonly metadataOnly?: true;
};

/** Under which name fields are owned, and whether those of other managers are taken over. */
export type ApplyHow = { readonly fieldManager: string; readonly force: boolean };

/** The calls on Secrets that the relay makes, on one connection to one API server. */
export type SecretsApi = {
  read(secret: SecretName, bearer: string, signal: AbortSignal): Promise<V1Secret>;
  apply(body: V1Secret, how: ApplyHow, bearer: string, signal: AbortSignal): Promise<V1Secret>;
  /** One Secret, or a page of a namespace's, as a Table: no data leaves the API server. */
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
  const transport = httpsTransport({
    clusterKey,
    endpoint,
    ...limits,
    classify: (request, response) => classifyResponse(callOf(clusterKey, request), response),
  });
  // With a slash at the end, paths would begin with two, which an API server answers with 403 or a redirect.
  const server = new ServerConfiguration(endpoint.url.replace(/\/+$/, ""), {});
  return {
    read: async ({ namespace, name }, bearer, signal) => {
      const api = apiFor(server, transport, bearer, signal);
      return (await api.read({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { namespace, name },
      })) as V1Secret;
    },
    apply: async (body, { fieldManager, force }, bearer, signal) => {
      const api = apiFor(server, transport, bearer, signal);
      const patched = await api.patch(
        body as V1Secret & { metadata: { name: string } },
        undefined,
        undefined,
        fieldManager,
        force,
        PatchStrategy.ServerSideApply,
      );
      return patched as V1Secret;
    },
    readTable: async (query, bearer, signal) => {
      const path = `/api/v1/namespaces/${encodeURIComponent(query.namespace)}/secrets`;
      const request = server.makeRequestContext(
        query.name === undefined ? path : `${path}/${encodeURIComponent(query.name)}`,
        HttpMethod.GET,
      );
      request.setHeaderParam("Accept", TABLE_ACCEPT);
      authorize(request, bearer);
      request.setSignal(signal);
      const { labelSelector, limit, continueToken } = query;
      if (labelSelector !== undefined) request.setQueryParam("labelSelector", labelSelector);
      if (limit !== undefined) request.setQueryParam("limit", String(limit));
      if (continueToken !== undefined) request.setQueryParam("continue", continueToken);
      // Past client-node's deserializer, which takes a Table's metadata for an object's and drops `continue`.
      const response = await transport.send(request).toPromise();
      return response.body.text();
    },
    delete: async ({ namespace, name }, only, bearer, signal) => {
      const api = apiFor(server, transport, bearer, signal);
      const { uid, resourceVersion } = only;
      const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid, resourceVersion } };
      const secret = { apiVersion: "v1", kind: "Secret", metadata: { namespace, name } };
      await api.delete(secret, undefined, undefined, undefined, undefined, undefined, body);
    },
    callObject: async ({ method, path, query = {}, body, metadataOnly }, bearer, signal) => {
      const request = server.makeRequestContext(path, HttpMethod[method]);
      request.setHeaderParam("Accept", metadataOnly ? METADATA_ACCEPT : "application/json");
      authorize(request, bearer);
      request.setSignal(signal);
      for (const [name, value] of Object.entries(query)) request.setQueryParam(name, value);
      if (body !== undefined) {
        request.setHeaderParam("Content-Type", method === "PATCH" ? MERGE_PATCH : "application/json");
        request.setBody(JSON.stringify(body));
      }
      return (await transport.send(request).toPromise()).body.text();
    },
    close: () => transport.close(),
  };
}

/** client-node's generic API without its discovery: we know where Secrets are, and a round trip is a third of a sync. */
class SecretObjectApi extends KubernetesObjectApi {
  protected override async specUriPath(spec: {
    metadata?: { namespace?: string; name?: string };
  }): Promise<string> {
    const { namespace = "", name = "" } = spec.metadata ?? {};
    return `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
  }
}

function apiFor(
  baseServer: ServerConfiguration<Record<string, never>>,
  httpApi: HttpsTransport,
  bearer: string,
  signal: AbortSignal,
): SecretObjectApi {
  return new SecretObjectApi({
    baseServer,
    httpApi,
    middleware: [],
    authMethods: {
      default: {
        getName: () => "eks-token",
        applySecurityAuthentication: (request: RequestContext) => {
          authorize(request, bearer);
          request.setSignal(signal);
        },
      },
    },
  });
}

function authorize(request: RequestContext, bearer: string): void {
  if (bearer !== "") request.setHeaderParam("Authorization", `Bearer ${bearer}`);
}

/** `/api/v1/…` or `/apis/<group>/<version>/…`, perhaps `namespaces/<namespace>`, a resource, and perhaps a name. */
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
