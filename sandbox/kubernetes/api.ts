import type { IncomingHttpHeaders } from "node:http";
import type { User } from "./authentication.ts";
import type { RequestSummary } from "./faults.ts";
import { choosePresentation, presentObject } from "./list-and-table.ts";
import { fieldsOf, isFields, type KubernetesObject } from "./object.ts";
import { openApiPage } from "./openapi.ts";
import { decodeProtobuf, unsupportedMediaType } from "./protobuf.ts";
import { type Attempt, authorize, authorizePage, decide } from "./rbac.ts";
import { assertSelectable, findObject, listObjects, watchObjects } from "./reads.ts";
import type { RequestCounters } from "./request-counters.ts";
import { discoveryPage, type ResourceTarget, type Target, type Verb } from "./request-path.ts";
import { NAMESPACES, type Resource } from "./resources.ts";
import { parseFieldSelector } from "./selectors.ts";
import {
  ApiStatus,
  badRequest,
  invalid,
  invalidValue,
  notFound,
  required,
  type Status,
  tooLong,
} from "./status.ts";
import type { Store } from "./store.ts";
import {
  applyObject,
  createObject,
  deleteObject,
  type PatchType,
  patchObject,
  replaceObject,
  type Write,
  type Written,
} from "./writes.ts";

export type ApiRequest = {
  method: string;
  target: Target;
  verb: Verb | undefined;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Bytes where the body is protobuf. */
  body: string | Buffer | "too-large";
  summary: RequestSummary;
};

export const PROTOBUF = "application/vnd.kubernetes.protobuf";

export const mediaTypeOf = (headers: IncomingHttpHeaders): string =>
  (headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";

export type Answer = {
  code: number;
  headers?: Record<string, string | string[]>;
  contentType?: string;
  body?: unknown;
  text?: string;
  /** A watch: sends lines until the returned function is called. */
  stream?: (send: (line: string) => void, end: () => void) => () => void;
  streamMs?: number;
};

export type ApiOptions = {
  store: Store;
  /** The source of roles and bindings: empty for an API server that has not read them yet. */
  roles(): Store;
  resources: readonly Resource[];
  requests: RequestCounters;
  authenticate(authorization: string | undefined): User;
  now(): Date;
};

/** Serves a request in one atomic step: no other request is served in between. */
export function createApi(options: ApiOptions): (request: ApiRequest) => Answer {
  return (request) => {
    try {
      const user = options.authenticate(request.headers.authorization);
      return request.target.kind === "page"
        ? answerPage(options, request, user, request.target.path)
        : answerResource(options, request, user, request.target);
    } catch (error) {
      if (error instanceof ApiStatus) return { code: error.code, body: error.toStatus() };
      throw error;
    }
  };
}

const PLAIN_TEXT = "text/plain; charset=utf-8";

function answerPage(options: ApiOptions, request: ApiRequest, user: User, path: string): Answer {
  if (request.method === "POST") return answerReview(options, request, user, path);
  authorizePage(user, path);
  if (/^\/(readyz|livez|healthz)\/?$/.test(path)) return { code: 200, text: "ok", contentType: PLAIN_TEXT };
  if (path === "/version") return { code: 200, body: VERSION };
  const page = discoveryPage(path, options.resources) ?? openApiPage(path, options.resources);
  if (page) return { code: 200, body: page };
  const groupVersion = /^(\/api\/[^/]+|\/apis\/[^/]+\/[^/]+)/.exec(path)?.[1];
  if (groupVersion && discoveryPage(groupVersion, options.resources)) {
    throw new ApiStatus(404, "NotFound", "the server could not find the requested resource", {});
  }
  return { code: 404, text: "404 page not found\n", contentType: PLAIN_TEXT };
}

const VERSION = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.3-eks-sandbox",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "gc",
  platform: "linux/amd64",
};

const SELF_REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const ACCESS_REVIEW =
  /^\/apis\/authorization\.k8s\.io\/v1\/(?:namespaces\/([^/]+)\/(localsubjectaccessreviews)|(selfsubjectaccessreviews|subjectaccessreviews))$/;

/** Reviews of identity and permissions: every caller may ask about itself, the others need a permission. */
function answerReview({ roles }: ApiOptions, request: ApiRequest, user: User, path: string): Answer {
  const [, ofNamespace, local, atLarge] = ACCESS_REVIEW.exec(path) ?? [];
  const review = local ?? atLarge;
  if (review === undefined && path !== SELF_REVIEW) {
    authorizePage(user, path);
    throw new ApiStatus(404, "NotFound", "the server could not find the requested resource", {});
  }
  assertMediaType(request);
  const body = fieldsOf(parseBody(request));
  if (review === undefined) {
    const { username, groups } = user;
    return { code: 201, body: { ...body, metadata: {}, status: { userInfo: { username, groups } } } };
  }
  const spec = fieldsOf(body.spec);
  const asked = fieldsOf(spec.resourceAttributes) as Record<string, string>;
  if (review !== "selfsubjectaccessreviews") {
    const group = "authorization.k8s.io";
    const kind = review === "subjectaccessreviews" ? "SubjectAccessReview" : "LocalSubjectAccessReview";
    const attempt = { verb: "create", group, resource: review, namespace: ofNamespace };
    authorize(roles(), user, { group, resource: review, kind }, attempt);
  }
  if (ofNamespace !== undefined && asked.namespace !== ofNamespace) {
    const kind = { group: "authorization.k8s.io", resource: review, kind: "LocalSubjectAccessReview" };
    throw invalid(kind, "", [
      invalidValue("spec.resourceAttributes.namespace", asked.namespace, "must match metadata.namespace"),
    ]);
  }
  const subject =
    review === "selfsubjectaccessreviews"
      ? user
      : { username: String(spec.user ?? ""), groups: (spec.groups ?? []) as string[] };
  const { verb = "", group = "", resource = "", subresource, namespace, name } = asked;
  const { allowed, reason } = decide(roles(), subject, {
    verb,
    group,
    resource,
    subresource,
    namespace,
    name,
  });
  return {
    code: 201,
    body: { ...body, metadata: {}, status: { allowed, ...(reason ? { reason } : {}) } },
  };
}

function answerResource(
  options: ApiOptions,
  request: ApiRequest,
  user: User,
  target: ResourceTarget,
): Answer {
  const { store, roles, now } = options;
  const { resource, namespace, name = "" } = target;
  const { verb, query, headers } = request;
  const attempt = attemptOf(request, target);
  authorize(roles(), user, resource, attempt);
  const isOfStatus = target.subresource === "status" && resource.hasStatus === true && verb !== "delete";
  if (target.subresource !== undefined && !isOfStatus) {
    throw new ApiStatus(404, "NotFound", "the server could not find the requested resource", {});
  }
  if (resource.viewOf && !isRead(verb)) throw methodNotAllowed();
  const read = { store, resource, namespace, query, accept: headers.accept, now: now() };
  switch (verb) {
    case "get": {
      const object = findObject(store, resource, namespace, name);
      if (!object) throw notFound(resource, name);
      return answerObject(options, request, resource, { code: 200, object });
    }
    case "list": {
      const { body, shown } = listObjects(read);
      countSecrets(options, resource, shown);
      return { code: 200, body };
    }
    case "watch": {
      assertSelectable(query, resource);
      const seconds = Number(query.get("timeoutSeconds") ?? 0);
      return {
        code: 200,
        streamMs: seconds * 1_000,
        stream: (send, end) =>
          watchObjects({
            ...read,
            onEnd: end,
            onEvent: (line, shown) => {
              countSecrets(options, resource, shown);
              send(line);
            },
          }),
      };
    }
    case "create":
    case "update":
    case "patch": {
      const assertMayCreate = () => authorize(roles(), user, resource, { ...attempt, verb: "create" });
      const warnings: string[] = [];
      const write = writeOf(options, request, target, (message) => warnings.push(message));
      const written = runWrite(write, request, assertMayCreate);
      const answer = answerObject(options, request, resource, written);
      return warnings.length > 0 ? { ...answer, headers: { warning: warnings.map(warningHeader) } } : answer;
    }
    case "delete": {
      const write = writeOf(options, request, target, () => {});
      assertMediaType(request);
      const gone = deleteObject(write, request.body === "" ? {} : parseBody(request));
      return isStatus(gone)
        ? { code: 200, body: gone }
        : answerObject(options, request, resource, { code: 200, object: gone });
    }
    default:
      throw methodNotAllowed();
  }
}

const isRead = (verb: Verb | undefined): boolean => verb === "get" || verb === "list" || verb === "watch";

const methodNotAllowed = () =>
  new ApiStatus(
    405,
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
    {},
  );

function attemptOf({ verb, method, query }: ApiRequest, target: ResourceTarget): Attempt {
  const { resource, name, subresource } = target;
  const isMany = verb === "list" || verb === "watch";
  // A list narrowed to one name may be allowed by that name.
  const named = isMany
    ? parseFieldSelector(query.get("fieldSelector") ?? "", resource.selectable).name
    : name;
  // Authorization treats a namespace as lying in itself.
  const namespace = resource === NAMESPACES ? name : target.namespace;
  return {
    verb: verb ?? METHOD_VERBS[method] ?? method.toLowerCase(),
    group: resource.group,
    resource: resource.resource,
    subresource,
    namespace,
    name: named,
  };
}

const METHOD_VERBS: Readonly<Record<string, string>> = {
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "deletecollection",
};

function runWrite(write: Write, request: ApiRequest, assertMayCreate: () => void): Written {
  const { verb, query, headers } = request;
  const isStrict = query.get("fieldValidation") === "Strict";
  if (verb !== "patch") assertMediaType(request, write.resource);
  if (verb === "create") return createObject(write, parseBody(request), isStrict);
  if (verb === "update") return replaceObject(write, parseBody(request), isStrict);
  const contentType = mediaTypeOf(headers);
  if (contentType === APPLY) {
    if (!query.get("fieldManager"))
      throw patchOptionsInvalid(required("fieldManager", "is required for apply patch"));
    return applyObject(write, parseBody(request), assertMayCreate);
  }
  const type = PATCH_TYPES[contentType];
  if (!type) throw new ApiStatus(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
  if (type === "strategic" && !write.resource.isBuiltIn) {
    const message = `the body of the request was in an unknown format - accepted media types include: ${[...Object.keys(PATCH_TYPES), APPLY].filter((each) => PATCH_TYPES[each] !== "strategic").join(", ")}`;
    throw new ApiStatus(415, "UnsupportedMediaType", message, {});
  }
  if (query.has("force")) {
    const cause = {
      reason: "FieldValueForbidden",
      message: "Forbidden: may not be specified for non-apply patch",
      field: "force",
    };
    throw patchOptionsInvalid(cause);
  }
  return patchObject(write, parseBody(request), type);
}

/** The accepted content types of a whole object. The default is JSON. */
function assertMediaType({ headers, body }: ApiRequest, resource?: Resource): void {
  const accepted = [
    "application/json",
    "application/yaml",
    ...(resource?.isBuiltIn === false ? [] : [PROTOBUF]),
  ];
  const mediaType = mediaTypeOf(headers);
  if (body !== "" && mediaType !== "" && !accepted.includes(mediaType)) throw unsupportedMediaType(accepted);
}

const APPLY = "application/apply-patch+yaml";
const PATCH_TYPES: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
};

const FIELD_MANAGER_BYTES_MAX = 128;

function writeOf(
  { store, now }: ApiOptions,
  { query, headers }: ApiRequest,
  { resource, namespace, name = "", subresource }: ResourceTarget,
  warn: (message: string) => void,
): Write {
  const manager = query.get("fieldManager") || (headers["user-agent"] ?? "").split("/")[0] || "unknown";
  if (Buffer.byteLength(manager) > FIELD_MANAGER_BYTES_MAX) {
    throw patchOptionsInvalid(tooLong("fieldManager", FIELD_MANAGER_BYTES_MAX));
  }
  const force = /^(true|1)$/.test(query.get("force") ?? "");
  const dryRun = query.has("dryRun");
  return {
    store,
    resource,
    namespace,
    name,
    ...(subresource === "status" && { subresource }),
    manager,
    force,
    dryRun,
    now: now(),
    warn,
  };
}

const patchOptionsInvalid = (problem: ReturnType<typeof required>) =>
  invalid({ group: "meta.k8s.io", resource: "", kind: "PatchOptions" }, "", [problem]);

function answerObject(
  options: ApiOptions,
  request: ApiRequest,
  resource: Resource,
  written: Written,
): Answer {
  const as = choosePresentation(request.headers.accept, "object", resource);
  if (as === "whole") countSecrets(options, resource, [written.object]);
  return { code: written.code, body: presentObject(written.object, as, resource, options.now()) };
}

function countSecrets({ requests }: ApiOptions, resource: Resource, shown: KubernetesObject[]): void {
  if (resource.holdsSecrets) requests.addSecretValues(shown.filter((object) => isFields(object.data)).length);
}

function parseBody({ body }: ApiRequest): unknown {
  if (body === "too-large") {
    throw new ApiStatus(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
  }
  if (typeof body !== "string") return decodeProtobuf(body);
  try {
    return JSON.parse(body);
  } catch {
    throw badRequest("error decoding the body: it is not JSON");
  }
}

const isStatus = (body: KubernetesObject | Status): body is Status => body.kind === "Status";

const warningHeader = (message: string): string => `299 - ${JSON.stringify(message)}`;
