import { CORE_EVENT_COLUMNS, CORE_EVENT_FIELDS, coreEventOf, eventProblems } from "./events.ts";
import type { FieldShape } from "./field-set.ts";
import type { NameRule } from "./metadata.ts";
import type { Fields, KubernetesObject } from "./object.ts";
import {
  bindingChangeProblems,
  bindingProblems,
  normalizeBinding,
  RBAC_GROUP,
  roleProblems,
} from "./rbac-objects.ts";
import {
  base64Problem,
  normalizeSecret,
  secretChangeProblems,
  secretProblems,
  secretTypeProblem,
  unknownSecretFields,
} from "./secrets.ts";
import type { FieldProblem, Named } from "./status.ts";
import type { TableColumn } from "./table-column.ts";
import {
  DEPLOYMENT_COLUMNS,
  daemonSetDefaults,
  deploymentDefaults,
  statefulSetDefaults,
} from "./workloads.ts";

/** One served resource: its names, and how it differs from a plain stored object. */
export type Resource = Named & {
  version: string;
  singular: string;
  shortNames?: string[];
  namespaced: boolean;
  namesAre: NameRule;
  shape: FieldShape;
  /** Decodes and defaults an object. */
  normalize?: (object: Fields) => Fields;
  /** Sets the server's fields on create, after ownership was computed. */
  fillIn?: (object: KubernetesObject) => KubernetesObject;
  /** The message of a decoding failure. */
  decodeProblem?: (object: Fields) => string | undefined;
  /** The first field of an applied object that the schema does not have. */
  typeProblem?: (object: Fields) => string | undefined;
  /** Fields that are dropped with a warning, except on apply. */
  unknownFields?: (object: Fields) => string[];
  problems?: (object: KubernetesObject) => FieldProblem[];
  changeProblems?: (before: KubernetesObject, after: KubernetesObject) => FieldProblem[];
  /** Has a spec; its changes increment the generation. */
  hasGeneration?: boolean;
  /** Changes of annotations increment it as well, as for a Deployment. */
  countsAnnotations?: boolean;
  /** Has a status that only its subresource writes. */
  hasStatus?: boolean;
  /** Whether it accepts strategic merge patches: custom resources do not. */
  isBuiltIn: boolean;
  /** Columns of a Table between Name and Age. */
  columns?: TableColumn[];
  /** Without Name and Age. */
  columnsAreAll?: boolean;
  /** Its categories for `kubectl get`. */
  categories?: string[];
  /** Fields for field selectors, in addition to metadata. */
  selectable?: readonly string[];
  /** Is stored as another resource, and only read as this one. */
  viewOf?: { resource: Resource; show: (stored: KubernetesObject) => KubernetesObject };
  /** Holds secret values: the server counts each object that it returns. */
  holdsSecrets?: boolean;
};

export const apiVersionOf = ({ group, version }: Pick<Resource, "group" | "version">): string =>
  group ? `${group}/${version}` : version;

const METADATA_SHAPE: FieldShape = {
  lists: { ownerReferences: ["uid"], finalizers: "set" },
  atomic: new Set(["ownerReferences"]),
};

/** As core/v1 declares them; a list that is not here is replaced as a whole. */
const POD_TEMPLATE_SHAPE: FieldShape = {
  lists: {
    ...METADATA_SHAPE.lists,
    containers: ["name"],
    initContainers: ["name"],
    ephemeralContainers: ["name"],
    env: ["name"],
    volumes: ["name"],
    volumeMounts: ["mountPath"],
    volumeDevices: ["devicePath"],
    ports: ["containerPort", "protocol"],
    imagePullSecrets: ["name"],
    hostAliases: ["ip"],
    conditions: ["type"],
    topologySpreadConstraints: ["topologyKey", "whenUnsatisfiable"],
  },
  atomic: new Set([
    ...METADATA_SHAPE.atomic,
    "selector",
    "nodeSelector",
    "secretKeyRef",
    "configMapKeyRef",
    "fieldRef",
    "resourceFieldRef",
    "labelSelector",
  ]),
};

const RBAC_SHAPE: FieldShape = {
  lists: METADATA_SHAPE.lists,
  atomic: new Set([...METADATA_SHAPE.atomic, "roleRef"]),
};

const plain = { namespaced: true, namesAre: "subdomain", shape: METADATA_SHAPE, isBuiltIn: true } as const;
const core = { ...plain, group: "", version: "v1" } as const;
const workload = {
  ...plain,
  group: "apps",
  version: "v1",
  shape: POD_TEMPLATE_SHAPE,
  hasGeneration: true,
  hasStatus: true,
  categories: ["all"],
};
const rbac = {
  ...plain,
  group: RBAC_GROUP,
  version: "v1",
  namesAre: "path-segment",
  shape: RBAC_SHAPE,
} as const;
const role = { ...rbac, problems: roleProblems };
const binding = {
  ...rbac,
  normalize: normalizeBinding,
  problems: bindingProblems,
  changeProblems: bindingChangeProblems,
};

export const NAMESPACES: Resource = {
  ...core,
  resource: "namespaces",
  singular: "namespace",
  shortNames: ["ns"],
  kind: "Namespace",
  namespaced: false,
  namesAre: "label",
  normalize: (namespace) => {
    const metadata = (namespace.metadata ?? {}) as Fields;
    const name = { "kubernetes.io/metadata.name": metadata.name };
    return {
      ...namespace,
      metadata: { ...metadata, labels: { ...(metadata.labels as Fields), ...name } },
    };
  },
  fillIn: (namespace) => ({
    ...namespace,
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  }),
  columns: [
    {
      name: "Status",
      type: "string",
      description: "The status of the namespace",
      cell: (namespace) => (namespace.status as Fields | undefined)?.phase ?? "",
    },
  ],
};

export const SECRETS: Resource = {
  ...core,
  resource: "secrets",
  singular: "secret",
  kind: "Secret",
  selectable: ["type"],
  normalize: normalizeSecret,
  decodeProblem: base64Problem,
  typeProblem: secretTypeProblem,
  unknownFields: unknownSecretFields,
  problems: secretProblems,
  changeProblems: secretChangeProblems,
  holdsSecrets: true,
  columns: [
    {
      name: "Type",
      type: "string",
      description:
        "Used to facilitate programmatic handling of secret data. More info: https://kubernetes.io/docs/concepts/configuration/secret/#secret-types",
      cell: (secret) => secret.type,
    },
    {
      name: "Data",
      type: "string",
      description:
        "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The serialized form of the secret data is a base64 encoded string, representing the arbitrary (possibly non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4",
      cell: (secret) => Object.keys((secret.data ?? {}) as Fields).length,
    },
  ],
};

export const ROLES: Resource = { ...role, resource: "roles", singular: "role", kind: "Role" };
export const ROLE_BINDINGS: Resource = {
  ...binding,
  resource: "rolebindings",
  singular: "rolebinding",
  kind: "RoleBinding",
};
export const CLUSTER_ROLES: Resource = {
  ...role,
  resource: "clusterroles",
  singular: "clusterrole",
  kind: "ClusterRole",
  namespaced: false,
};
export const CLUSTER_ROLE_BINDINGS: Resource = {
  ...binding,
  resource: "clusterrolebindings",
  singular: "clusterrolebinding",
  kind: "ClusterRoleBinding",
  namespaced: false,
};

const event = {
  ...plain,
  resource: "events",
  singular: "event",
  shortNames: ["ev"],
  kind: "Event",
  version: "v1",
};
const EVENTS: Resource = {
  ...event,
  group: "events.k8s.io",
  problems: eventProblems,
  selectable: ["type"], // measured on kube-apiserver 1.36.3
};
const CORE_EVENTS: Resource = {
  ...event,
  group: "",
  selectable: CORE_EVENT_FIELDS,
  columns: CORE_EVENT_COLUMNS,
  columnsAreAll: true,
  viewOf: { resource: EVENTS, show: coreEventOf },
};

export const BUILT_IN_RESOURCES: readonly Resource[] = [
  NAMESPACES,
  SECRETS,
  ROLES,
  ROLE_BINDINGS,
  CLUSTER_ROLES,
  CLUSTER_ROLE_BINDINGS,
  {
    ...core,
    resource: "pods",
    singular: "pod",
    shortNames: ["po"],
    kind: "Pod",
    hasStatus: true,
    shape: POD_TEMPLATE_SHAPE,
    categories: ["all"],
  },
  {
    ...workload,
    resource: "deployments",
    singular: "deployment",
    shortNames: ["deploy"],
    kind: "Deployment",
    normalize: deploymentDefaults,
    countsAnnotations: true,
    columns: DEPLOYMENT_COLUMNS,
  },
  {
    ...workload,
    resource: "statefulsets",
    singular: "statefulset",
    shortNames: ["sts"],
    kind: "StatefulSet",
    normalize: statefulSetDefaults,
  },
  {
    ...workload,
    resource: "daemonsets",
    singular: "daemonset",
    shortNames: ["ds"],
    kind: "DaemonSet",
    normalize: daemonSetDefaults,
  },
  CORE_EVENTS,
  EVENTS,
];

/** A resource row for a custom resource: kept as sent, with merge patches but no strategic ones. */
export function customResource(
  names: Pick<Resource, "group" | "version" | "resource" | "singular" | "kind"> &
    Partial<Pick<Resource, "shortNames" | "namespaced" | "hasStatus">>,
): Resource {
  return { ...plain, ...names, hasGeneration: true, isBuiltIn: false };
}

/**
 * The resources of the External Secrets Operator that trigger mode uses; older installations serve v1beta1 and no v1.
 */
export function externalSecretsResources(version: "v1" | "v1beta1" = "v1"): readonly Resource[] {
  const eso = { group: "external-secrets.io", version, hasStatus: true };
  return [
    customResource({
      ...eso,
      resource: "externalsecrets",
      singular: "externalsecret",
      shortNames: ["es"],
      kind: "ExternalSecret",
    }),
    customResource({
      ...eso,
      resource: "secretstores",
      singular: "secretstore",
      shortNames: ["ss"],
      kind: "SecretStore",
    }),
    customResource({
      ...eso,
      resource: "clustersecretstores",
      singular: "clustersecretstore",
      shortNames: ["css"],
      kind: "ClusterSecretStore",
      namespaced: false,
    }),
    customResource({
      ...eso,
      resource: "clusterexternalsecrets",
      singular: "clusterexternalsecret",
      shortNames: ["ces"],
      kind: "ClusterExternalSecret",
      namespaced: false,
    }),
    customResource({
      ...eso,
      version: "v1alpha1",
      resource: "pushsecrets",
      singular: "pushsecret",
      shortNames: ["ps"],
      kind: "PushSecret",
    }),
  ];
}
