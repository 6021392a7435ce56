import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { EsoVersion } from "./eso-scene.ts";
import type { Scene } from "./scene.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test reaches into whatever the server answers
type Fields = any;

export type Operator = {
  /** One reconciliation of an ExternalSecret; true when it wrote the Secret. */
  reconcile(name: string, data: Record<string, string>): Promise<boolean>;
  /** Deletes an ExternalSecret and the objects that it owns: Kubernetes' garbage collector does not run here. */
  deleteExternalSecret(name: string): Promise<void>;
};

/**
 * Simulates the writes of External Secrets Operator's controller (read in v1.3.2): POST or PUT under a field manager
 * of the ExternalSecret's name; the controller's owner reference under creationPolicy: Owner and not under Orphan; the
 * label `managed`, a label with a digest of the owner's name, an annotation with a digest of the data; foreign keys
 * are dropped; no write without a change.
 */
export function playOperator(scene: Scene, version: EsoVersion): Operator {
  const { admin, namespace } = scene;
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  const externals = `/apis/external-secrets.io/${version}/namespaces/${namespace}/externalsecrets`;
  return {
    reconcile: async (name, data) => {
      const { body: external } = await admin(`${externals}/${name}`);
      const target = external.spec.target?.name ?? name;
      const live = await scene.readSecret(target);
      const wanted = desired(external, data, live);
      if (live !== undefined && isDeepStrictEqual(live, wanted)) return false;
      const manager = `fieldManager=externalsecrets.external-secrets.io%2F${name}`;
      const { status, body } = await admin(
        live === undefined ? `${secrets}?${manager}` : `${secrets}/${target}?${manager}`,
        {
          method: live === undefined ? "POST" : "PUT",
          body: { ...wanted, metadata: { ...wanted.metadata, name: target } },
        },
      );
      expect([status < 300, body.message]).toEqual([true, undefined]);
      return true;
    },
    deleteExternalSecret: async (name) => {
      const { body: external } = await admin(`${externals}/${name}`);
      expect((await admin(`${externals}/${name}`, { method: "DELETE" })).status).toBe(200);
      const { body } = await admin(secrets);
      for (const { metadata } of body.items) {
        const owners = metadata.ownerReferences ?? [];
        const isOrphan = owners.some(({ uid }: Fields) => uid === external.metadata.uid);
        if (isOrphan) await scene.deleteSecret(metadata.name);
      }
    },
  };
}

const MANAGED = "reconcile.external-secrets.io/managed";
const CREATED_BY = "reconcile.external-secrets.io/created-by";
const DATA_HASH = "reconcile.external-secrets.io/data-hash";

function desired(external: Fields, data: Record<string, string>, live: Fields): Fields {
  const isOwner = (external.spec.target?.creationPolicy ?? "Owner") === "Owner";
  const encoded = Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
  );
  const { labels = {}, annotations = {}, ownerReferences = [], ...metadata } = live?.metadata ?? {};
  const { [CREATED_BY]: _, ...otherLabels } = labels;
  const digest = (of: unknown) => createHash("sha3-224").update(JSON.stringify(of)).digest("hex");
  const others = ownerReferences.filter(({ uid }: Fields) => uid !== external.metadata.uid);
  const owner = {
    apiVersion: external.apiVersion,
    kind: "ExternalSecret",
    name: external.metadata.name,
    uid: external.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  const owners = isOwner ? [...others, owner] : others;
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "Opaque",
    ...live,
    metadata: {
      ...metadata,
      labels: {
        ...otherLabels,
        ...external.metadata.labels,
        [MANAGED]: "true",
        ...(isOwner && { [CREATED_BY]: digest(`${external.metadata.namespace}/${external.metadata.name}`) }),
      },
      annotations: { ...annotations, [DATA_HASH]: digest(encoded) },
      ...(owners.length > 0 && { ownerReferences: owners }),
    },
    data: encoded,
  };
}
