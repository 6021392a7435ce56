import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { EsoVersion } from "./eso-scene.ts";
import { encodeData, type Scene } from "./scene.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test reaches into whatever the server answers
type Fields = any;

/** The current keys and values of an ExternalSecret's sources. */
export type ReadData = (external: Fields) => Promise<Record<string, string>>;

export type Operator = {
  /** One reconciliation of an ExternalSecret, until nothing is left to do; true when it wrote the Secret. */
  reconcile(name: string, data: Record<string, string>): Promise<boolean>;
  /** As `kubectl delete`, with the finalizer and Kubernetes' garbage collector, which does not run here. */
  deleteExternalSecret(name: string): Promise<void>;
  /** Reconciles every ExternalSecret of the namespace again and again, as with a very short refreshInterval. */
  start(readData: ReadData): { stop(): Promise<void> };
};

/**
 * Simulates the writes of External Secrets Operator's controller (read in v1.3.2 and on its main branch; the field
 * manager as measured on 2.9.0): POST or PUT of the whole Secret from the state that it read, under a field manager of
 * the ExternalSecret's name; the controller's owner reference under creationPolicy: Owner and not under another one;
 * the label `managed`, by a patch of its own if the Secret exists without it; a label with a digest of the owner's
 * name; an annotation with a digest of the data. Its own labels and annotations are recreated from the ExternalSecret,
 * foreign keys are dropped except under creationPolicy: Merge, and nothing is written without a change. A finalizer
 * keeps a deleted ExternalSecret until the operator has seen the deletion.
 */
export function playOperator(scene: Scene, version: EsoVersion): Operator {
  const { admin, namespace } = scene;
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  const externals = `/apis/external-secrets.io/${version}/namespaces/${namespace}/externalsecrets`;

  const mergePatch = (path: string, body: object) =>
    admin(path, { method: "PATCH", contentType: "application/merge-patch+json", body });
  const patchFinalizers = ({ metadata }: Fields, finalizers: string[]) =>
    mergePatch(`${externals}/${metadata.name}?fieldManager=external-secrets`, {
      metadata: { finalizers, resourceVersion: metadata.resourceVersion },
    });

  /** What the controller does in one call of Reconcile: `again` where it asks to be called again at once. */
  const step = async (external: Fields, readData: ReadData): Promise<"wrote" | "again" | "unchanged"> => {
    const { metadata, spec } = external;
    const finalizers: string[] = metadata.finalizers ?? [];
    if (metadata.deletionTimestamp !== undefined) {
      await patchFinalizers(
        external,
        finalizers.filter((each) => each !== FINALIZER),
      );
      return "unchanged";
    }
    if (!finalizers.includes(FINALIZER)) {
      await patchFinalizers(external, [...finalizers, FINALIZER]);
      return "again";
    }
    const target = spec.target?.name ?? metadata.name;
    const live = await scene.readSecret(target);
    const manager = `fieldManager=${encodeURIComponent(managerOf(metadata.name))}`;
    if (live !== undefined && live.metadata.labels?.[MANAGED] !== "true") {
      await mergePatch(`${secrets}/${target}?${manager}`, { metadata: { labels: { [MANAGED]: "true" } } });
      return "again";
    }
    if (live === undefined && spec.target?.creationPolicy === "Merge") return "unchanged";
    const wanted = desired(external, encodeData(await readData(external)), live);
    if (live !== undefined && isDeepStrictEqual(live, wanted)) return "unchanged";
    const { status, body } = await admin(
      live === undefined ? `${secrets}?${manager}` : `${secrets}/${target}?${manager}`,
      {
        method: live === undefined ? "POST" : "PUT",
        body: { ...wanted, metadata: { ...wanted.metadata, name: target } },
      },
    );
    if (status === 409) return "again";
    expect([status < 300, body.message]).toEqual([true, undefined]);
    await mergePatch(`${externals}/${metadata.name}/status`, { status: { binding: { name: target } } });
    return "wrote";
  };

  const collectGarbage = async (uid: string): Promise<void> => {
    const { body } = await admin(secrets);
    for (const { metadata } of body.items) {
      const owners = metadata.ownerReferences ?? [];
      if (owners.some((owner: Fields) => owner.uid === uid)) await scene.deleteSecret(metadata.name);
    }
  };

  return {
    reconcile: async (name, data) => {
      let hasWritten = false;
      for (;;) {
        const { body: external } = await admin(`${externals}/${name}`);
        const did = await step(external, async () => data);
        hasWritten ||= did === "wrote";
        if (did !== "again") return hasWritten;
      }
    },
    deleteExternalSecret: async (name) => {
      const { body: external } = await admin(`${externals}/${name}`);
      expect((await admin(`${externals}/${name}`, { method: "DELETE" })).status).toBe(200);
      const { status, body: deleted } = await admin(`${externals}/${name}`);
      if (status === 200) await step(deleted, async () => ({}));
      await collectGarbage(external.metadata.uid);
    },
    start: (readData) => {
      const stopped = new AbortController();
      let known = new Map<string, string>();
      const run = async (): Promise<void> => {
        while (!stopped.signal.aborted) {
          const { body } = await admin(externals);
          const now = new Map<string, string>(
            body.items.map(({ metadata: { uid, name } }: Fields) => [uid, name]),
          );
          for (const uid of known.keys()) if (!now.has(uid)) await collectGarbage(uid);
          known = now;
          for (const external of body.items) await step(external, readData);
          await sleep(PAUSE_MS);
        }
      };
      const running = run();
      running.catch(() => {}); // reported by stop()
      return {
        stop: () => {
          stopped.abort();
          return running;
        },
      };
    },
  };
}

/** Between two passes. They would take a whole core of the servers otherwise. */
const PAUSE_MS = 100;

const MANAGED = "reconcile.external-secrets.io/managed";
const CREATED_BY = "reconcile.external-secrets.io/created-by";
const DATA_HASH = "reconcile.external-secrets.io/data-hash";
const FINALIZER = "externalsecrets.external-secrets.io/externalsecret-cleanup";

const digestOf = (text: string) => createHash("sha3-224").update(text).digest("hex");

/** A field manager has at most 128 characters; the operator already replaces names that make more than 63. */
function managerOf(name: string): string {
  const manager = `externalsecrets.external-secrets.io/${name}`;
  return manager.length <= 63 ? manager : `externalsecrets.external-secrets.io/sha3/${digestOf(name)}`;
}

function desired(external: Fields, data: Record<string, string>, live: Fields): Fields {
  const { metadata: own, spec } = external;
  const policy = spec.target?.creationPolicy ?? "Owner";
  const isOwner = policy === "Owner";
  const isShared = policy === "Merge" || policy === "CreateOrMerge";
  const { labels, annotations, ownerReferences = [], ...metadata } = live?.metadata ?? {};
  const managed = ownedBy(managerOf(own.name), metadata.managedFields ?? []);
  const template = spec.target?.template;
  const shown = template === undefined ? own : (template.metadata ?? {});
  const others = ownerReferences.filter(({ uid }: Fields) => uid !== own.uid);
  const owner = {
    apiVersion: external.apiVersion,
    kind: "ExternalSecret",
    name: own.name,
    uid: own.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  const owners = isOwner ? [...others, owner] : others;
  const { [CREATED_BY]: _, ...otherLabels } = without(labels, managed("f:labels"));
  const wanted = { ...(isShared && without(live?.data, managed("f:data"))), ...data };
  return {
    apiVersion: "v1",
    kind: "Secret",
    ...live,
    type: template?.type ?? live?.type ?? "Opaque",
    metadata: {
      ...metadata,
      labels: {
        ...otherLabels,
        ...shown.labels,
        ...(isOwner && { [CREATED_BY]: digestOf(`${own.namespace}/${own.name}`) }),
        [MANAGED]: "true",
      },
      annotations: {
        ...without(annotations, managed("f:annotations")),
        ...shown.annotations,
        [DATA_HASH]: digestOf(JSON.stringify(Object.entries(wanted).sort())),
      },
      ...(owners.length > 0 && { ownerReferences: owners }),
    },
    data: wanted,
  };
}

/** The names that a manager owns below `f:data`, `f:labels` or `f:annotations`. */
function ownedBy(manager: string, managedFields: Fields[]): (map: string) => ReadonlySet<string> {
  const trees = managedFields.filter((entry) => entry.manager === manager).map(({ fieldsV1 }) => fieldsV1);
  return (map) => {
    const maps = trees.map((tree) => (map === "f:data" ? tree[map] : tree["f:metadata"]?.[map]) ?? {});
    return new Set(maps.flatMap((each) => Object.keys(each).map((name) => name.replace(/^f:/, ""))));
  };
}

function without(map: Record<string, string> = {}, names: ReadonlySet<string>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !names.has(name)));
}
