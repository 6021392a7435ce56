import type { KubernetesObject } from "./object.ts";
import { apiVersionOf, type Resource } from "./resources.ts";
import { ApiStatus, badRequest } from "./status.ts";
import { timeSince } from "./time-since.ts";

/** The requested format: the object itself, its metadata, or rows for display. */
export type Presentation = "whole" | "metadata" | "table";

const MEDIA_TYPES = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/** The first acceptable entry of Accept wins. */
export function choosePresentation(
  accept: string | undefined,
  of: "object" | "list",
  resource: Resource,
): Presentation {
  if (!accept) return "whole";
  let hasKnownType = false;
  for (const entry of accept.split(",")) {
    const [type = "", ...parameters] = entry.split(";").map((part) => part.trim());
    if (!["application/json", "application/*", "*/*"].includes(type)) continue;
    hasKnownType = true;
    const as = parameters.find((parameter) => parameter.startsWith("as="))?.slice(3);
    if (as === undefined) return "whole";
    if (!parameters.includes("g=meta.k8s.io") || !parameters.includes("v=v1")) continue;
    if (as === "Table") return "table";
    if (as === "PartialObjectMetadata" || as === "PartialObjectMetadataList") {
      assertShapeFits(as, of, resource);
      return "metadata";
    }
  }
  throw hasKnownType
    ? new ApiStatus(406, "NotAcceptable", `only the following media types are accepted: ${MEDIA_TYPES}`)
    : new ApiStatus(
        406,
        "NotAcceptable",
        `406: Not Acceptable\n\nAvailable representations: ${MEDIA_TYPES}`,
        {},
      );
}

export function presentObject(
  object: KubernetesObject,
  as: Presentation,
  resource: Resource,
  now: Date,
): unknown {
  if (as === "whole") return object;
  if (as === "metadata") return metadataOnly(object);
  return table([object], { resourceVersion: object.metadata.resourceVersion }, resource, now);
}

export type ListMeta = { resourceVersion: string; continue?: string; remainingItemCount?: number };

export function presentList(
  objects: KubernetesObject[],
  metadata: ListMeta,
  as: Presentation,
  { resource, now }: { resource: Resource; now: Date },
): unknown {
  if (as === "table") return table(objects, metadata, resource, now);
  if (as === "metadata") {
    const items = objects.map(metadataOnly);
    return { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1", metadata, items };
  }
  // Built-in lists state kind and apiVersion once; custom resources repeat them per item.
  const items = resource.isBuiltIn
    ? objects.map(({ kind: _kind, apiVersion: _version, ...item }) => item)
    : objects;
  return { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items };
}

export type Page = { objects: KubernetesObject[]; continueAt?: string; remaining: number };

/** One page in key order; the token holds the start of the next page and the revision of the first. */
export function paginate(
  objects: KubernetesObject[],
  { limit, token, revision }: { limit: number; token: string | undefined; revision: number },
): Page {
  const start = token ? parseToken(token) : undefined;
  const left = start ? objects.filter((object) => orderKey(object) > start.after) : objects;
  const page = limit > 0 ? left.slice(0, limit) : left;
  const last = page.at(-1);
  const remaining = left.length - page.length;
  if (remaining === 0 || !last) return { objects: page, remaining: 0 };
  const next = { v: "meta.k8s.io/v1", rv: start?.revision ?? revision, start: `${orderKey(last)}\u0000` };
  return { objects: page, remaining, continueAt: Buffer.from(JSON.stringify(next)).toString("base64url") };
}

const orderKey = ({ metadata }: KubernetesObject): string =>
  `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;

function parseToken(token: string): { revision: number; after: string } {
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    return { revision: rv, after: start.slice(0, -1) };
  } catch {
    throw badRequest("invalid continue token: continue key is not valid");
  }
}

const metadataOnly = ({ metadata }: KubernetesObject) => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata,
});

const NAME_COLUMN = {
  name: "Name",
  type: "string",
  format: "name",
  description:
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
  priority: 0,
};

const AGE_COLUMN = {
  name: "Age",
  type: "string",
  format: "",
  description:
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
  priority: 0,
};

function table(objects: KubernetesObject[], metadata: object, resource: Resource, now: Date) {
  const { columns = [], columnsAreAll } = resource;
  const middle = columns.map(({ name, type, description }) => ({
    name,
    type,
    format: "",
    description,
    priority: 0,
  }));
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: columnsAreAll ? middle : [NAME_COLUMN, ...middle, AGE_COLUMN],
    rows: objects.map((object) => {
      const cells = columns.map(({ cell }) => cell(object, now));
      return {
        cells: columnsAreAll ? cells : [object.metadata.name, ...cells, ageOf(object, now)],
        object: metadataOnly(object),
      };
    }),
  };
}

const ageOf = ({ metadata }: KubernetesObject, now: Date): string =>
  timeSince(metadata.creationTimestamp ?? "", now);

function assertShapeFits(as: string, of: "object" | "list", { kind }: Resource): void {
  if (as === "PartialObjectMetadataList" && of === "object") {
    const message = `you requested PartialObjectMetadataList, but the requested object is not a list (*core.${kind})`;
    throw new ApiStatus(406, "NotAcceptable", message);
  }
  if (as === "PartialObjectMetadata" && of === "list") {
    const message = `you requested PartialObjectMetadata, but the requested object is a list (*core.${kind}List)`;
    throw new ApiStatus(406, "NotAcceptable", message);
  }
}
