import type { CallKubernetes } from "../external-secrets/eso-stand-in.ts";
import type { KubernetesSandbox } from "../kubernetes/server.ts";
import { StoryProblem } from "./story-problem.ts";

/** The operations of kubectl that the story needs. */
export type KubernetesAdmin = {
  /** Creates a namespace where a group may write the Secrets with these names: the Role of docs/security.md. */
  grant(
    namespace: string,
    names: readonly string[],
    group: string,
    options?: {
      /** Permit to list Secrets too, which finds those that are no longer bound. */
      readonly findsOrphans?: boolean;
      /** Permit to restart these Deployments: the rule that `secret-relay rbac` prints. */
      readonly restarts?: readonly string[];
    },
  ): Promise<void>;
  /** Edits as kubectl does, under the field manager of that command. */
  patchSecret(namespace: string, name: string, patch: object, fieldManager: string): Promise<void>;
  /** The Secret with its data decoded; undefined if there is none. */
  readSecret(namespace: string, name: string): Promise<SecretInCluster | undefined>;
  /** The HTTP status of a read by another caller. */
  statusOf(path: string, bearer: string): Promise<number>;
  /** Any other call, with its response. */
  readonly call: CallKubernetes;
};

export type SecretInCluster = {
  readonly data: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The managedFields of the Secret. */
  readonly managedFields: readonly object[];
};

export function connectAsAdmin({ endpoint, adminToken }: KubernetesSandbox): KubernetesAdmin {
  const get = (path: string, bearer = adminToken) =>
    fetch(`${endpoint}${path}`, { headers: { authorization: `Bearer ${bearer}` } });
  const write = async (method: "POST" | "PATCH", path: string, contentType: string, body: object) => {
    const answer = await fetch(`${endpoint}${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, "content-type": contentType },
      body: JSON.stringify(body),
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new StoryProblem(`${method} ${path} was answered with HTTP ${answer.status}`);
  };
  const create = (path: string, body: object) => write("POST", path, "application/json", body);
  return {
    grant: async (namespace, names, group, { findsOrphans = false, restarts } = {}) => {
      await create("/api/v1/namespaces", {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: namespace },
      });
      const apiGroup = "rbac.authorization.k8s.io";
      const rbac = `/apis/${apiGroup}/v1/namespaces/${namespace}`;
      const common = { apiVersion: `${apiGroup}/v1`, metadata: { name: "secret-relay" } };
      const verbs = ["get", "create", "patch"];
      await create(`${rbac}/roles`, {
        ...common,
        kind: "Role",
        rules: [
          { apiGroups: [""], resources: ["secrets"], resourceNames: names, verbs },
          ...(findsOrphans ? [{ apiGroups: [""], resources: ["secrets"], verbs: ["list"] }] : []),
          ...(restarts ? [{ ...DEPLOYMENTS, resourceNames: restarts, verbs: ["get", "patch"] }] : []),
        ],
      });
      await create(`${rbac}/rolebindings`, {
        ...common,
        kind: "RoleBinding",
        roleRef: { apiGroup, kind: "Role", name: "secret-relay" },
        subjects: [{ apiGroup, kind: "Group", name: group }],
      });
    },
    patchSecret: (namespace, name, patch, fieldManager) =>
      write(
        "PATCH",
        `/api/v1/namespaces/${namespace}/secrets/${name}?fieldManager=${fieldManager}`,
        "application/merge-patch+json",
        patch,
      ),
    readSecret: async (namespace, name) => {
      const answer = await get(`/api/v1/namespaces/${namespace}/secrets/${name}`);
      if (answer.status === 404) return undefined;
      const { data = {}, metadata } = (await answer.json()) as {
        data?: Record<string, string>;
        metadata: { annotations?: Record<string, string>; managedFields?: object[] };
      };
      const decoded = Object.entries(data).map(([key, base64]) => [
        key,
        Buffer.from(base64, "base64").toString(),
      ]);
      const { annotations = {}, managedFields = [] } = metadata;
      return { data: Object.fromEntries(decoded), annotations, managedFields };
    },
    statusOf: async (path, bearer) => {
      const answer = await get(path, bearer);
      await answer.body?.cancel();
      return answer.status;
    },
    call: async (path, { method = "GET", body, contentType = "application/json" } = {}) => {
      const answer = await fetch(`${endpoint}${path}`, {
        method,
        headers: { authorization: `Bearer ${adminToken}`, "content-type": contentType },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: await answer.json() };
    },
  };
}

const DEPLOYMENTS = { apiGroups: ["apps"], resources: ["deployments"] };
