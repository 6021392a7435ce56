import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

/** HTTPS calls to an API server, with the permissions of ESO. */
export type CallKubernetes = (
  path: string,
  request?: { method?: string; body?: unknown; contentType?: string },
  // biome-ignore lint/suspicious/noExplicitAny: the server may answer any JSON
) => Promise<{ status: number; body: any }>;

export type EsoStandInOptions = {
  readonly call: CallKubernetes;
  readonly version?: "v1" | "v1beta1";
  /** Watches only this namespace. */
  readonly namespace?: string;
  /** The JSON object under AWSCURRENT of a secret, in a Region: keys and string values. */
  readonly readSource: (key: string, region: string) => Promise<Record<string, string>>;
  readonly now?: () => number;
  readonly pollMs?: number;
};

export type EsoStandIn = {
  /** How many refreshes succeeded. */
  readonly refreshes: number;
  /** Resolves after a full reconcile that starts after the call, or when the stand-in stops. */
  reconciled(): Promise<void>;
  stop(): Promise<void>;
};

/**
 * Simulates the External Secrets Operator, for the demo and for tests of trigger mode: it reconciles an ExternalSecret
 * when its annotations change. It does not implement ESO. It supports `data` with a property and `dataFrom.extract` of
 * AWS Secrets Manager, has no templates and no other provider, polls every few milliseconds, and never refreshes by
 * interval, so that every refresh here has an annotation as its cause.
 *
 * It matches ESO where trigger mode depends on it: a refresh when the digest of generation, labels and annotations
 * differs from `status.syncedResourceVersion`; none with `refreshInterval: 0`, or with CreatedOnce once synced;
 * `refreshTime` in whole seconds; an error while a store's Ready condition is not True, and growing pauses after
 * errors unless the object changes.
 */
export function startEsoStandIn(options: EsoStandInOptions): EsoStandIn {
  const { call, version = "v1", pollMs = 10 } = options;
  const stopped = new AbortController();
  const failures = new Map<string, { digest: string; until: number; times: number }>();
  let refreshes = 0;
  let waiting: (() => void)[] = [];

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const resolved = waiting;
      waiting = [];
      await reconcileAll().catch(() => {}); // the server is stopping
      for (const resolve of resolved) resolve();
      await sleep(pollMs, undefined, { signal: stopped.signal }).catch(() => {});
    }
    for (const resolve of waiting) resolve();
  };
  const now = options.now ?? Date.now;

  const reconcileAll = async (): Promise<void> => {
    const within = options.namespace === undefined ? "" : `/namespaces/${options.namespace}`;
    const { body } = await call(`${GROUP}/${version}${within}/externalsecrets`);
    for (const external of (body.items ?? []) as Fields[]) await reconcile(external);
  };

  const reconcile = async (external: Fields): Promise<void> => {
    const { metadata, spec, status = {} } = external;
    const digest = digestOf(metadata);
    const path = `${GROUP}/${version}/namespaces/${metadata.namespace}/externalsecrets/${metadata.name}`;
    if (!isDue(external, digest)) return;
    const failure = failures.get(path);
    if (failure?.digest === digest && now() < failure.until) return;
    const startedAt = now();
    try {
      const data = await readData(spec, metadata.namespace);
      await writeSecret(metadata.namespace, spec.target?.name ?? metadata.name, data);
      const refreshTime = `${new Date(startedAt).toISOString().slice(0, 19)}Z`;
      await writeStatus(path, metadata, {
        ...status,
        refreshTime,
        syncedResourceVersion: digest,
        conditions: [readyCondition("True", "SecretSynced", startedAt)],
      });
      failures.delete(path);
      refreshes += 1;
    } catch {
      const times = failure?.digest === digest ? failure.times + 1 : 1;
      failures.set(path, { digest, until: now() + 1_000 * 2 ** (times - 1), times });
      const conditions = [readyCondition("False", "SecretSyncedError", startedAt)];
      await writeStatus(path, metadata, { ...status, conditions });
    }
  };

  const readData = async (spec: Fields, namespace: string): Promise<Record<string, string>> => {
    const data: Record<string, string> = {};
    for (const { extract, sourceRef } of (spec.dataFrom ?? []) as Fields[]) {
      Object.assign(data, await readKey(extract.key, sourceRef?.storeRef ?? spec.secretStoreRef, namespace));
    }
    for (const { secretKey, remoteRef, sourceRef } of (spec.data ?? []) as Fields[]) {
      const value = await readKey(remoteRef.key, sourceRef?.storeRef ?? spec.secretStoreRef, namespace);
      data[secretKey] = value[remoteRef.property] ?? JSON.stringify(value);
    }
    return data;
  };

  const readKey = async (key: string, ref: Fields, namespace: string): Promise<Record<string, string>> => {
    const path =
      ref.kind === "ClusterSecretStore"
        ? `${GROUP}/${version}/clustersecretstores/${ref.name}`
        : `${GROUP}/${version}/namespaces/${namespace}/secretstores/${ref.name}`;
    const { status, body } = await call(path);
    const ready = (body.status?.conditions ?? []).find(({ type }: Fields) => type === "Ready");
    if (status !== 200 || ready?.status !== "True") throw new Error("the store is not ready");
    const { prefix = "", region } = body.spec.provider.aws;
    return options.readSource(`${prefix}${key}`, region);
  };

  const writeSecret = async (
    namespace: string,
    name: string,
    data: Record<string, string>,
  ): Promise<void> => {
    const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
    await must(
      call,
      `/api/v1/namespaces/${namespace}/secrets/${name}?fieldManager=external-secrets&force=true`,
      {
        method: "PATCH",
        contentType: "application/apply-patch+yaml",
        body: {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name, labels: { "reconcile.external-secrets.io/managed": "true" } },
          data: Object.fromEntries(encoded),
        },
      },
    );
  };

  /** Only from the state that was read, as in ESO: a change of annotations in between waits for the next round. */
  const writeStatus = (path: string, { resourceVersion }: Fields, status: Fields) =>
    call(`${path}/status?fieldManager=external-secrets`, {
      method: "PATCH",
      contentType: "application/merge-patch+json",
      body: { metadata: { resourceVersion }, status },
    });

  const running = run();
  return {
    get refreshes() {
      return refreshes;
    },
    reconciled: () => new Promise((resolve) => void waiting.push(resolve)),
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: objects as the API server sends them
type Fields = Record<string, any>;

const GROUP = "/apis/external-secrets.io";

function isDue({ spec, status = {} }: Fields, digest: string): boolean {
  const synced = status.syncedResourceVersion;
  if (synced === undefined || synced === "") return true;
  if (spec.refreshPolicy === "CreatedOnce") return false;
  if (spec.refreshPolicy !== "OnChange" && /^0[a-z]*$/.test(spec.refreshInterval ?? "1h")) return false;
  return synced !== digest;
}

function digestOf({ generation = 1, labels = {}, annotations = {} }: Fields): string {
  const sorted = JSON.stringify([labels, annotations].map((map) => Object.entries(map).sort()));
  return `${generation}-${createHash("sha256").update(sorted).digest("hex").slice(0, 56)}`;
}

function readyCondition(status: "True" | "False", reason: string, at: number): object {
  const lastTransitionTime = `${new Date(at).toISOString().slice(0, 19)}Z`;
  return { type: "Ready", status, reason, message: "written by a stand-in", lastTransitionTime };
}

async function must(
  call: CallKubernetes,
  path: string,
  request: Parameters<CallKubernetes>[1],
): Promise<void> {
  const { status } = await call(path, request);
  if (status >= 300) throw new Error(`${path}: HTTP ${status}`);
}
