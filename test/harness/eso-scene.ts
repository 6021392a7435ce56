import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { GetSecretValueCommand, TagResourceCommand } from "@aws-sdk/client-secrets-manager";
import { expect } from "vitest";
import { type EsoStandIn, startEsoStandIn } from "../../sandbox/external-secrets/eso-stand-in.ts";
import {
  TRIGGER_CLUSTER_RULES,
  TRIGGER_RULES,
  triggerPermissions,
} from "../../shared/external-secrets/permissions.ts";
import type { Wait } from "../../shared/runtime/retry.ts";
import { awsClients } from "./aws-clients.ts";
import type { Backend } from "./backend.ts";
import type { Scene, TestSource } from "./scene.ts";

export type EsoVersion = "v1" | "v1beta1";

/** A test's operations on ESO's objects in the namespace of a scene, as an administrator. */
export type EsoScene = {
  /** A ready SecretStore of AWS Secrets Manager. */
  createStore(name: string, aws?: object, more?: { isReady?: boolean; kind?: StoreKind }): Promise<void>;
  createExternalSecret(name: string, spec: object, metadata?: object): Promise<void>;
  createPushSecret(name: string, spec: object, metadata?: object): Promise<void>;
  createClusterExternalSecret(name: string, metadata?: object): Promise<{ uid: string }>;
  // biome-ignore lint/suspicious/noExplicitAny: a test reaches into whatever the server answers
  read(kind: Kind, name: string): Promise<any>;
  /** As ESO's controller writes it. */
  writeStatus(kind: Kind, name: string, status: object): Promise<void>;
  /** The annotation of the nudge. */
  nudgeOf(kind: Kind, name: string): Promise<string | undefined>;
  /** The names of those in the namespace that were nudged. */
  nudged(kind: "ExternalSecret" | "PushSecret"): Promise<string[]>;
  tag(source: TestSource, tags: Readonly<Record<string, string>>): Promise<void>;
  /** The Role and ClusterRole of docs/external-secrets.md, for the relay's group. */
  grant(): Promise<void>;
  startEso(): EsoStandIn;
  /** For a relay: advances the clock, and then lets ESO, if it runs, reconcile everything. */
  wait: Wait;
};

export type StoreKind = "SecretStore" | "ClusterSecretStore";
type Kind = keyof typeof PLACES;

const PLACES = {
  ExternalSecret: "externalsecrets",
  PushSecret: "pushsecrets",
  SecretStore: "secretstores",
  ClusterSecretStore: "clustersecretstores",
  ClusterExternalSecret: "clusterexternalsecrets",
} as const;

const NUDGE = "external-secrets.io/force-sync";
const GROUP = "external-secrets.io";

export function esoScene(backend: Backend, scene: Scene, version: EsoVersion): EsoScene {
  const { admin, namespace } = scene;
  let running: EsoStandIn | undefined;
  const versionOf = (kind: Kind): string => (kind === "PushSecret" ? "v1alpha1" : version);
  const pathOf = (kind: Kind, name = ""): string => {
    const within = kind.startsWith("Cluster") ? "" : `/namespaces/${namespace}`;
    return `/apis/${GROUP}/${versionOf(kind)}${within}/${PLACES[kind]}${name === "" ? "" : `/${name}`}`;
  };
  const create = async (kind: Kind, name: string, spec: object, metadata: object = {}) => {
    const body = { apiVersion: `${GROUP}/${versionOf(kind)}`, kind, metadata: { name, ...metadata }, spec };
    const { status, body: answer } = await admin(pathOf(kind), { method: "POST", body });
    expect([status, answer.message]).toEqual([201, undefined]);
    return answer;
  };
  const read: EsoScene["read"] = async (kind, name) => (await admin(pathOf(kind, name))).body;
  const writeStatus: EsoScene["writeStatus"] = async (kind, name, status) => {
    const answer = await admin(`${pathOf(kind, name)}/status`, {
      method: "PATCH",
      contentType: "application/merge-patch+json",
      body: { status },
    });
    expect([answer.status, answer.body.message]).toEqual([200, undefined]);
  };
  const createRole = async (path: string, kind: "Role" | "ClusterRole", rules: readonly object[]) => {
    const apiGroup = "rbac.authorization.k8s.io";
    const role = { apiVersion: `${apiGroup}/v1`, kind, metadata: { name: `trigger-${randomUUID()}` } };
    const plural = kind.toLowerCase();
    await admin(`/apis/${apiGroup}/v1${path}/${plural}s`, { method: "POST", body: { ...role, rules } });
    const { status } = await admin(`/apis/${apiGroup}/v1${path}/${plural}bindings`, {
      method: "POST",
      body: {
        ...role,
        kind: `${kind}Binding`,
        roleRef: { apiGroup, kind, name: role.metadata.name },
        subjects: [{ apiGroup, kind: "Group", name: backend.kubernetes.relayGroup }],
      },
    });
    expect(status).toBe(201);
  };

  return {
    createStore: async (name, aws = {}, { isReady = true, kind = "SecretStore" } = {}) => {
      const provider = { aws: { service: "SecretsManager", region: backend.aws.region, ...aws } };
      await create(kind, name, { provider });
      const conditions = [{ type: "Ready", status: isReady ? "True" : "False", reason: "Valid" }];
      await writeStatus(kind, name, { conditions });
    },
    createExternalSecret: async (name, spec, metadata) => {
      await create("ExternalSecret", name, spec, metadata);
    },
    createPushSecret: async (name, spec, metadata) => {
      await create("PushSecret", name, spec, metadata);
    },
    createClusterExternalSecret: async (name, metadata) => {
      const externalSecretSpec = { secretStoreRef: { name: "any" }, data: [] };
      const spec = { namespaceSelectors: [{ matchLabels: { cool: "yes" } }], externalSecretSpec };
      return (await create("ClusterExternalSecret", name, spec, metadata)).metadata;
    },
    read,
    writeStatus,
    nudgeOf: async (kind, name) => (await read(kind, name)).metadata.annotations?.[NUDGE],
    nudged: async (kind) => {
      const { body } = await admin(pathOf(kind));
      const items = body.items as { metadata: { name: string; annotations?: Record<string, string> } }[];
      return items
        .filter(({ metadata }) => metadata.annotations?.[NUDGE] !== undefined)
        .map(({ metadata }) => metadata.name)
        .sort();
    },
    tag: async ({ arn }, tags) => {
      const { secrets, destroy } = awsClients(backend.aws);
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      await secrets.send(new TagResourceCommand({ SecretId: arn, Tags }));
      destroy();
    },
    grant: async () => {
      const { roles } = triggerPermissions({ namespaces: [namespace] });
      expect(roles).toEqual({ [namespace]: TRIGGER_RULES });
      await createRole(`/namespaces/${namespace}`, "Role", TRIGGER_RULES);
      await createRole("", "ClusterRole", TRIGGER_CLUSTER_RULES);
      if (backend.name === "real") await sleep(300); // until its authorizer has heard of the roles
    },
    startEso: () => {
      const { secrets, destroy } = awsClients(backend.aws);
      const eso = startEsoStandIn({
        call: admin,
        version,
        namespace,
        now: backend.clock.now,
        readSource: async (key) => {
          const { SecretString = "{}" } = await secrets.send(new GetSecretValueCommand({ SecretId: key }));
          return JSON.parse(SecretString);
        },
      });
      running = {
        get refreshes() {
          return eso.refreshes;
        },
        reconciled: eso.reconciled,
        stop: async () => {
          running = undefined;
          await eso.stop();
          destroy();
        },
      };
      return running;
    },
    wait: async (ms, signal) => {
      await backend.clock.advance(ms, signal);
      await running?.reconciled();
    },
  };
}
