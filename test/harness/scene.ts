import { randomUUID } from "node:crypto";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  PutSecretValueCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { awsClients } from "./aws-clients.ts";
import type { Backend } from "./backend.ts";
import { type KubernetesCall, kubernetesCall } from "./kubernetes-request.ts";

export type TestSource = { readonly name: string; readonly arn: string; readonly versionId: string };

/** A test's operations around the relay: rotate sources, read and edit Secrets, grant permissions. */
export type Scene = {
  readonly namespace: string;
  readonly admin: KubernetesCall;
  createSource(name: string, value: string | Uint8Array): Promise<TestSource>;
  /** One that never had a value. */
  createEmptySource(name: string): Promise<void>;
  rotate(source: TestSource, value: string): Promise<TestSource>;
  /** Puts a value under custom labels, and leaves AWSCURRENT unchanged. */
  putUnder(labels: readonly string[], source: TestSource, value: string): Promise<TestSource>;
  /** Moves a custom label to a version; without one, removes it. */
  moveLabel(label: string, source: TestSource, to: TestSource | undefined): Promise<void>;
  rollBack(current: TestSource, to: TestSource): Promise<TestSource>;
  /** The Secret as the API server has it; undefined when there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reaches into whatever the server answers
  readSecret(name: string): Promise<any>;
  /** Its data, decoded. */
  readData(name: string): Promise<Record<string, string> | undefined>;
  createSecret(name: string, data: Record<string, string>, more?: object): Promise<void>;
  /** As kubectl patch does it. */
  patchSecret(name: string, patch: object, manager?: string): Promise<void>;
  deleteSecret(name: string): Promise<void>;
  /** PUT, as kubectl replace does it. */
  replaceSecret(name: string, body: object): Promise<void>;
  /** Server-side apply by force, as another field manager. */
  applySecret(name: string, body: { metadata?: object; data?: object }, manager: string): Promise<void>;
  deleteSource(source: TestSource, how?: { isRestorable: boolean }): Promise<void>;
  /**
   * The generated least privilege: get, create and patch on these names, for the relay's group; and list, if
   * requested.
   */
  grant(names: readonly string[], more?: { mayList: boolean }): Promise<void>;
  /** The same for further names, under a role of that name. */
  grantMore(role: string, names: readonly string[]): Promise<void>;
  grantDelete(names: readonly string[]): Promise<void>;
  close(): void;
};

/** A separate namespace, so that tests do not share Secrets. */
export async function openScene(
  backend: Backend,
  namespace = `scene-${randomUUID().slice(0, 8)}`,
): Promise<Scene> {
  const admin = kubernetesCall(backend.kubernetes);
  const { secrets, destroy } = awsClients(backend.aws);
  const expectDone = async (path: string, options: Parameters<KubernetesCall>[1]): Promise<void> => {
    const { status, body } = await admin(path, options);
    if (status >= 300) throw new Error(`${options?.method} ${path}: ${status} ${body?.message}`);
  };
  const secretsPath = `/api/v1/namespaces/${namespace}/secrets`;
  const rbacPath = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await expectDone("/api/v1/namespaces", {
    method: "POST",
    body: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  });

  const readSecret = async (name: string) => {
    const { status, body } = await admin(`${secretsPath}/${name}`);
    return status === 404 ? undefined : body;
  };

  const grantRole = async (name: string, rules: readonly object[]): Promise<void> => {
    const apiGroup = "rbac.authorization.k8s.io";
    const role = { apiVersion: `${apiGroup}/v1`, kind: "Role", metadata: { name } };
    await expectDone(`${rbacPath}/roles`, {
      method: "POST",
      body: { ...role, rules: rules.map((rule) => ({ apiGroups: [""], resources: ["secrets"], ...rule })) },
    });
    await expectDone(`${rbacPath}/rolebindings`, {
      method: "POST",
      body: {
        ...role,
        kind: "RoleBinding",
        roleRef: { apiGroup, kind: "Role", name },
        subjects: [{ apiGroup, kind: "Group", name: backend.kubernetes.relayGroup }],
      },
    });
  };

  return {
    namespace,
    admin,
    createSource: async (name, value) => {
      const content = typeof value === "string" ? { SecretString: value } : { SecretBinary: value };
      const made = await secrets.send(new CreateSecretCommand({ Name: name, ...content }));
      return { name, arn: made.ARN ?? "", versionId: made.VersionId ?? "" };
    },
    createEmptySource: async (Name) => {
      await secrets.send(new CreateSecretCommand({ Name }));
    },
    rotate: async (source, value) => {
      const put = await secrets.send(
        new PutSecretValueCommand({ SecretId: source.arn, SecretString: value }),
      );
      return { ...source, versionId: put.VersionId ?? "" };
    },
    putUnder: async (labels, source, value) => {
      const put = await secrets.send(
        new PutSecretValueCommand({
          SecretId: source.arn,
          SecretString: value,
          VersionStages: [...labels],
        }),
      );
      return { ...source, versionId: put.VersionId ?? "" };
    },
    moveLabel: async (label, source, to) => {
      const { VersionIdsToStages = {} } = await secrets.send(
        new DescribeSecretCommand({ SecretId: source.arn }),
      );
      const holder = Object.entries(VersionIdsToStages).find(([, labels]) => labels.includes(label))?.[0];
      await secrets.send(
        new UpdateSecretVersionStageCommand({
          SecretId: source.arn,
          VersionStage: label,
          ...(to && { MoveToVersionId: to.versionId }),
          ...(holder !== undefined && { RemoveFromVersionId: holder }),
        }),
      );
    },
    rollBack: async (current, to) => {
      await secrets.send(
        new UpdateSecretVersionStageCommand({
          SecretId: current.arn,
          VersionStage: "AWSCURRENT",
          MoveToVersionId: to.versionId,
          RemoveFromVersionId: current.versionId,
        }),
      );
      return to;
    },
    readSecret,
    readData: async (name) => {
      const secret = await readSecret(name);
      return secret === undefined ? undefined : decodeData(secret.data ?? {});
    },
    createSecret: (name, data, more = {}) =>
      expectDone(secretsPath, {
        method: "POST",
        body: {
          apiVersion: "v1",
          kind: "Secret",
          data: encodeData(data),
          ...more,
          metadata: { name, ...(more as { metadata?: object }).metadata },
        },
      }),
    patchSecret: (name, patch, manager = "kubectl-patch") =>
      expectDone(`${secretsPath}/${name}?fieldManager=${manager}`, {
        method: "PATCH",
        contentType: "application/merge-patch+json",
        body: patch,
      }),
    deleteSecret: (name) => expectDone(`${secretsPath}/${name}`, { method: "DELETE" }),
    replaceSecret: (name, body) =>
      expectDone(`${secretsPath}/${name}?fieldManager=kubectl-replace`, {
        method: "PUT",
        body: { apiVersion: "v1", kind: "Secret", metadata: { name }, ...body },
      }),
    applySecret: (name, body, manager) =>
      expectDone(`${secretsPath}/${name}?fieldManager=${manager}&force=true`, {
        method: "PATCH",
        contentType: "application/apply-patch+yaml",
        body: { apiVersion: "v1", kind: "Secret", ...body, metadata: { name, ...body.metadata } },
      }),
    deleteSource: async (source, { isRestorable } = { isRestorable: false }) => {
      await secrets.send(
        new DeleteSecretCommand({ SecretId: source.arn, ForceDeleteWithoutRecovery: !isRestorable }),
      );
    },
    grant: async (names, { mayList } = { mayList: false }) => {
      await grantRole("secret-relay", [{ resourceNames: names, verbs: ["get", "create", "patch"] }]);
      if (mayList) await grantRole("secret-relay-list", [{ verbs: ["list"] }]);
    },
    grantMore: (role, names) =>
      grantRole(role, [{ resourceNames: names, verbs: ["get", "create", "patch"] }]),
    grantDelete: (names) => grantRole("secret-relay-delete", [{ resourceNames: names, verbs: ["delete"] }]),
    close: () => {
      admin.close();
      destroy();
    },
  };
}

export function encodeData(data: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]),
  );
}

export function decodeData(data: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).map(([key, base64]) => [key, Buffer.from(base64, "base64").toString("utf8")]),
  );
}
