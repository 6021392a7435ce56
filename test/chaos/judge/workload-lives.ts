import type { Environment } from "../transport/environment.ts";
import type { Exchange } from "../transport/transport.ts";
import { keyOfWorkload, parseWorkloadPath, type WorkloadKind } from "../world/workloads.ts";

/** A change of a pod template by a relay. */
export type Restart = {
  readonly at: number;
  readonly revision: number;
  /** By Secret. */
  readonly versions: ReadonlyMap<string, string>;
  readonly by: Environment;
};

/** A relay's note about the version of a Secret that the pods run with. */
export type Note = {
  readonly secret: string;
  readonly versionId: string;
  readonly at: number;
  readonly revision: number;
  readonly by: Environment;
};

/** One workload from its creation to its deletion. */
export type Life = {
  readonly key: string;
  readonly kind: WorkloadKind;
  readonly createdAt: number;
  readonly revision: number;
  deletedAt: number;
  readonly restarts: Restart[];
  /** That it started with the version. */
  readonly started: Note[];
  /** That its rollout for the version is complete. */
  readonly completed: Note[];
};

/** What became of an object after a write by a relay. */
export type Written = { readonly life: Life; readonly object: LiveWorkload; readonly by: Environment };

export type LiveWorkload = {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly replicas?: number;
    readonly template: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
  readonly status?: Readonly<Record<string, unknown>>;
};

/** The lives of all workloads, as the API servers accepted their writes. */
export class WorkloadLives {
  readonly #lives = new Map<string, Life[]>();

  of(key: string): readonly Life[] {
    return this.#lives.get(key) ?? [];
  }

  get all(): readonly Life[] {
    return [...this.#lives.values()].flat();
  }

  /** Returns a write by a relay, which is judged; undefined for anything else. */
  note({ host, request, answer, environment, servedAt: at }: Exchange): Written | undefined {
    const named = parseWorkloadPath(request.url.pathname);
    if (host.kind !== "cluster" || named === undefined || request.method === "GET" || answer.status >= 300)
      return undefined;
    const object = JSON.parse(answer.body) as LiveWorkload;
    const body = request.method === "DELETE" ? {} : (JSON.parse(request.body.toString()) as Patch);
    const name = named.name || (body.metadata?.name ?? "");
    const key = keyOfWorkload({ ...named, name, cluster: host.name });
    if (request.method === "POST") {
      const life = { key, kind: named.kind, createdAt: at, revision: revisionOf(object), ...newLife() };
      this.#lives.set(key, [...this.of(key), life]);
      return undefined;
    }
    const life = this.of(key).at(-1);
    if (life === undefined) throw new TypeError(`${key} was never created`);
    if (request.method === "DELETE") life.deletedAt = at;
    if (environment === undefined) return undefined;
    const moment = { at, revision: revisionOf(object), by: environment };
    const template = body.spec?.template?.metadata?.annotations;
    if (body.spec !== undefined)
      life.restarts.push({ ...moment, versions: versionsIn(template, RESTARTED_FOR) });
    for (const [secret, versionId] of versionsIn(body.metadata?.annotations, RESTARTED_FOR))
      life.started.push({ ...moment, secret, versionId });
    for (const [secret, versionId] of versionsIn(body.metadata?.annotations, ROLLED_OUT))
      life.completed.push({ ...moment, secret, versionId });
    return { life, object, by: environment };
  }
}

const newLife = () => ({
  deletedAt: Number.POSITIVE_INFINITY,
  restarts: [] as Restart[],
  started: [] as Note[],
  completed: [] as Note[],
});

const RESTARTED_FOR = "secret-relay/restarted-for-";
const ROLLED_OUT = "secret-relay/rolled-out-";

/** By Secret. The version is the first word; a note that is removed has none. */
function versionsIn(
  annotations: Readonly<Record<string, string | null>> = {},
  prefix: string,
): ReadonlyMap<string, string> {
  const found = Object.entries(annotations).flatMap(([key, text]): [string, string][] =>
    key.startsWith(prefix) && text !== null ? [[key.slice(prefix.length), text.split(" ")[0] ?? ""]] : [],
  );
  return new Map(found);
}

/** The version of a Secret that a workload's annotations name: on its pod template, or else on itself. */
export function notedVersion({ metadata, spec }: LiveWorkload, secret: string): string | undefined {
  const onTemplate = versionsIn(spec.template.metadata?.annotations, RESTARTED_FOR).get(secret);
  return onTemplate ?? versionsIn(metadata.annotations, RESTARTED_FOR).get(secret);
}

/** All pods are new and available, by the status that the controller wrote last. */
export function isRolledOut(kind: WorkloadKind, { metadata, spec, status = {} }: LiveWorkload): boolean {
  if (Number(status.observedGeneration ?? 0) < Number(metadata.generation)) return false;
  const are = (wanted: unknown, names: readonly string[]) =>
    names.every((name) => (status[name] ?? 0) === wanted);
  switch (kind) {
    case "Deployment":
      return are(spec.replicas, ["replicas", "updatedReplicas", "availableReplicas"]);
    case "StatefulSet":
      return are(spec.replicas, ["readyReplicas"]) && status.currentRevision === status.updateRevision;
    case "DaemonSet":
      return are(status.desiredNumberScheduled, ["updatedNumberScheduled", "numberAvailable"]);
  }
}

const revisionOf = ({ metadata: { resourceVersion } }: LiveWorkload): number => Number(resourceVersion);

type Patch = {
  readonly metadata?: {
    readonly name?: string;
    readonly annotations?: Readonly<Record<string, string | null>>;
  };
  readonly spec?: {
    readonly template?: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string | null>> };
    };
  };
};
