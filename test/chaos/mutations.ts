import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import type { ReconcileDependencies } from "../../functions/reconcile/dependencies.ts";
import type { RotationDependencies } from "../../functions/rotation/dependencies.ts";
import type { ClusterConnection } from "../../shared/cluster/cluster-connection.ts";
import type { LiveMetadata } from "../../shared/cluster/live-secret.ts";
import type { ManagedFieldsEntry } from "../../shared/cluster/managed-fields.ts";
import type { ApplyHow } from "../../shared/cluster/secrets-api.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { SourceNotFound } from "../../shared/source/errors.ts";
import type { CurrentSource, ReadCurrent } from "../../shared/source/source.ts";
import type { Handler } from "./lambda/invocation.ts";
import type { Mutation } from "./mutation.ts";
import { MUTATIONS_OF_RULES } from "./mutations-of-rules.ts";
import { ROLLOUT_MUTATIONS } from "./rollout-mutations.ts";
import { currentEnvironment, type Environment } from "./transport/environment.ts";
import type { Transport } from "./transport/transport.ts";

type Dependencies = RotationDependencies | ReconcileDependencies;

export const MUTATIONS = {
  "fence-off": {
    description: "applies without the live resourceVersion and uid",
    ...forBoth((real) => changeApply(real, (metadata) => without(metadata, ["resourceVersion", "uid"]))),
  },
  "create-unconditionally": {
    description: "applies without a fence where it found no Secret",
    ...forBoth((real) =>
      changeApply(real, (metadata) =>
        metadata?.uid === undefined ? without(metadata, ["resourceVersion"]) : metadata,
      ),
    ),
  },
  "versions-ordered": {
    description: "treats the greatest VersionId as the newest",
    ...forBoth((real) => ({ readCurrent: greatestOf(real.readCurrent) })),
  },
  "no-confirming-read": {
    description: "serves the second read of AWSCURRENT from the first",
    ...forBoth((real) => ({ readCurrent: rememberingOf(real.readCurrent) })),
  },
  "batch-errors-as-absence": {
    description: "treats a source that a batch could not read as missing",
    reconcile: (real) => {
      const failed = new Set<string>();
      return {
        source: {
          ...real.source,
          readMany: async (sources, budget) => {
            const reads = await real.source.readMany(sources, budget);
            const absent = [...reads].filter(([, read]) => read instanceof RelayError).map(([id]) => id);
            for (const id of absent) failed.add(id);
            return new Map([...reads, ...absent.map((id) => [id, new SourceNotFound(id)] as const)]);
          },
          describe: async (source, budget) =>
            failed.has(source.id) ? { kind: "missing" } : real.source.describe(source, budget),
        },
      };
    },
  },
  "failure-swallowed": {
    description: "catches the error of an invocation, and succeeds",
    rotationHandler: () => (real) => (input, context) =>
      real(input, context).catch(() => ({ targets: [], rejected: [] })),
  },
  "token-kept-too-long": {
    description: "keeps a token until it is refused",
    transport: (transport) => keepTokens(transport),
  },
  "token-of-another-cluster": {
    description: "sends a cluster the token of another cluster",
    transport: (transport) => mixUpTokens(transport),
  },
  "rollback-taken-for-a-repeat": {
    description: "ignores an event whose version it has applied before",
    rotationHandler: onceForEachVersion,
  },
  "ownership-ignored": {
    description: "treats every Secret in a sweep as its own",
    reconcile: (real) => ({
      connect: (clusterKey) => {
        const cluster = real.connect(clusterKey);
        const listMetadata: typeof cluster.listMetadata = async (...asked) =>
          (await cluster.listMetadata(...asked)).map((live) => ({
            ...live,
            managedFields: [...live.managedFields, OURS],
          }));
        return { ...cluster, listMetadata };
      },
    }),
  },
  "ownership-by-label": {
    description: "treats a Secret with the label of any relay as its own",
    ...forBoth((real) => ({ connect: ownByLabel(real.connect) as typeof real.connect })),
  },
  "edit-not-repaired": {
    description: "applies without force, so that a hand edit is refused",
    ...forBoth((real) => changeHow(real, (how) => ({ ...how, force: false }))),
  },
  "deletion-after-one-look": {
    description: "deletes after one observation that the source is gone",
    reconcile: (real) => ({
      connect: (clusterKey) => {
        const cluster = real.connect(clusterKey);
        const listMetadata: typeof cluster.listMetadata = async (...asked) =>
          (await cluster.listMetadata(...asked)).map(notedLongAgo);
        const readSecret: typeof cluster.readSecret = async (...asked) => {
          const live = await cluster.readSecret(...asked);
          return live && notedLongAgo(live);
        };
        return { ...cluster, listMetadata, readSecret };
      },
    }),
  },
  "annotated-first": {
    description: "annotates the new version before it applies the value",
    ...forBoth((real) => annotateFirst(real)),
  },
  "lost-on-redrive": {
    description: "redrives all but the first entry of a failure queue",
    redriven: ([_lost, ...others]) => others,
  },
  ...MUTATIONS_OF_RULES,
  "pointer-before-parts": {
    description: "publishes the pointer before the parts",
    bucket: (real) => {
      const parts: (() => Promise<void>)[] = [];
      return {
        ...real,
        putPart: async (...part) => void parts.push(() => real.putPart(...part)),
        putPointer: async (...pointer) => {
          const isPut = await real.putPointer(...pointer);
          for (const put of parts) await put();
          return isPut;
        },
      };
    },
  },
  "pointer-replaced-unseen": {
    description: "replaces whatever pointer is in force, without compare-and-swap",
    bucket: (real) => ({
      ...real,
      putPointer: async (text) => real.putPointer(text, (await real.readPointer())?.etag),
    }),
  },
  "value-annotated": {
    description: "keeps the value of a Secret in an annotation, to compare it later",
    ...forBoth((real) => withApply(real, withValue)),
  },
  "value-logged": {
    description: "logs the value that it has read",
    rotation: (real) => ({
      readCurrent: async (source, budget) => {
        const current = await real.readCurrent(source, budget);
        real.log("SYNC_STARTED", { source: Buffer.from(current.value.expose()).toString() });
        return current;
      },
    }),
  },
  ...ROLLOUT_MUTATIONS,
} as const satisfies Record<string, Mutation>;

export type MutationName = keyof typeof MUTATIONS;

export function findMutation(name: MutationName | undefined): Mutation {
  return name === undefined ? { description: "" } : MUTATIONS[name];
}

function forBoth(
  change: (real: Dependencies) => Partial<Pick<Dependencies, "readCurrent" | "connect" | "checkRules">>,
): Pick<Mutation, "rotation" | "reconcile"> {
  return {
    rotation: (real) => change(real) as Partial<RotationDependencies>,
    reconcile: (real) => change(real) as Partial<ReconcileDependencies>,
  };
}

type Metadata = V1Secret["metadata"];

function changeApply(
  real: Dependencies,
  change: (metadata: Metadata) => Metadata,
): Partial<Pick<Dependencies, "connect">> {
  return withApply(real, ({ metadata, ...body }) => {
    const changed = change(metadata);
    return { ...body, ...(changed && { metadata: changed }) };
  });
}

function withApply(
  real: Dependencies,
  change: (body: V1Secret) => V1Secret,
): Partial<Pick<Dependencies, "connect">> {
  const connect = (clusterKey: string) => {
    const cluster = real.connect(clusterKey);
    const applySecret: typeof cluster.applySecret = (body, force, budget) =>
      cluster.applySecret(change(body), force, budget);
    return { ...cluster, applySecret };
  };
  return { connect } as Partial<Pick<Dependencies, "connect">>;
}

function changeHow(
  real: Dependencies,
  change: (how: ApplyHow) => ApplyHow,
): Partial<Pick<Dependencies, "connect">> {
  const connect = (clusterKey: string) => {
    const cluster = real.connect(clusterKey);
    const applySecret: typeof cluster.applySecret = (body, how, budget) =>
      cluster.applySecret(body, change(how), budget);
    return { ...cluster, applySecret };
  };
  return { connect } as Partial<Pick<Dependencies, "connect">>;
}

/** Lists what any relay has labelled, with this relay's annotations on all of it. */
function ownByLabel(connectReal: Dependencies["connect"]): (clusterKey: string) => object {
  return (clusterKey) => {
    const cluster = connectReal(clusterKey) as ClusterConnection;
    const listMetadata: ClusterConnection["listMetadata"] = async (namespace, selector, budget) => {
      const lists = await Promise.all(
        RELAY_LABELS.map((label) => cluster.listMetadata(namespace, label, budget)),
      );
      return lists.flat().map((live) => asOwn(live, selector));
    };
    return { ...cluster, listMetadata };
  };
}

const RELAY_LABELS = ["secret-relay/managed", "pay.secret-relay/managed"];

function asOwn(live: LiveMetadata, selector: string): LiveMetadata {
  const [label = "", identity = ""] = selector.split("=");
  const [manager = ""] = identity.split(".");
  const prefix = label.slice(0, label.indexOf("/"));
  const annotations = Object.fromEntries(
    Object.entries(live.annotations).map(([key, value]) => [
      key.replace(/^(?:pay\.)?secret-relay\//, `${prefix}/`),
      value,
    ]),
  );
  return {
    ...live,
    labels: { ...live.labels, [label]: identity },
    annotations,
    managedFields: [...live.managedFields, { manager, operation: "Apply", fields: new Set() }],
  };
}

function notedLongAgo<T extends LiveMetadata>(live: T): T {
  const noted = Object.keys(live.annotations)
    .filter((key) => key.endsWith("secret-relay/source"))
    .map((key) => [key.replace(/source$/, "gone-since"), "2026-11-01T00:00:00Z"]);
  // No write after the annotation: that would make it void.
  const kept = Object.entries(live.annotations).filter(([key]) => !key.endsWith("secret-relay/written-at"));
  return { ...live, annotations: Object.fromEntries([...kept, ...noted]) };
}

/** Two writes instead of one; each is fenced. */
function annotateFirst(real: Dependencies): Partial<Pick<Dependencies, "connect">> {
  const connect = (clusterKey: string) => {
    const cluster = real.connect(clusterKey);
    const before = new Map<string, V1Secret["data"]>();
    const applySecret: typeof cluster.applySecret = async (body, force, budget) => {
      const { metadata = {}, data } = body;
      const key = `${metadata.namespace}/${metadata.name}`;
      const old = before.get(key);
      before.set(key, data);
      if (old === undefined) return cluster.applySecret(body, force, budget);
      const noted = await cluster.applySecret({ ...body, data: old }, force, budget);
      const { uid, resourceVersion } = noted;
      return cluster.applySecret({ ...body, metadata: { ...metadata, uid, resourceVersion } }, force, budget);
    };
    return { ...cluster, applySecret };
  };
  return { connect } as Partial<Pick<Dependencies, "connect">>;
}

function withValue(body: V1Secret): V1Secret {
  const { metadata, data = {} } = body;
  const annotations = { ...metadata?.annotations, "secret-relay/value": data.password ?? "" };
  return { ...body, metadata: { ...metadata, annotations } };
}

const OURS: ManagedFieldsEntry = { manager: "secret-relay", operation: "Apply", fields: new Set() };

function onceForEachVersion(): (real: Handler) => Handler {
  const applied = new Set<string>(); // shared by all environments
  return (real) => async (input, context) => {
    const { detail } = input as { detail?: { versionId?: string } };
    const versionId = detail?.versionId;
    if (versionId !== undefined && applied.has(versionId)) return { targets: [], rejected: [] };
    const report = await real(input, context);
    if (versionId !== undefined) applied.add(versionId);
    return report;
  };
}

function without(metadata: Metadata, fields: readonly (keyof NonNullable<Metadata>)[]): Metadata {
  const entries = Object.entries(metadata ?? {}).filter(([field]) => !(fields as string[]).includes(field));
  return Object.fromEntries(entries) as Metadata;
}

function greatestOf(readCurrent: ReadCurrent): ReadCurrent {
  const greatest = new Map<string, CurrentSource>();
  return async (source, budget) => {
    const current = await readCurrent(source, budget);
    const known = greatest.get(source.id);
    if (known !== undefined && known.versionId > current.versionId) return known;
    greatest.set(source.id, current);
    return current;
  };
}

function rememberingOf(readCurrent: ReadCurrent): ReadCurrent {
  const kept = new Map<string, { current: CurrentSource; at: number }>();
  return async (source, budget) => {
    const known = kept.get(source.id);
    if (known !== undefined && Date.now() - known.at < 200) return known.current;
    const current = await readCurrent(source, budget);
    kept.set(source.id, { current, at: Date.now() });
    return current;
  };
}

/** Each environment sends its first token to every cluster. */
function mixUpTokens(transport: Transport): void {
  const kept = new WeakMap<Environment, string>();
  transport.listeners.unshift({
    sending: (host, request) => {
      const environment = currentEnvironment();
      const headers = request.headers as Record<string, string>;
      if (host.kind !== "cluster" || environment === undefined) return;
      const token = kept.get(environment);
      if (token === undefined) kept.set(environment, headers.authorization ?? "");
      else headers.authorization = token;
    },
    served: ({ answer, environment }) => {
      if (answer.status === 401 && environment !== undefined) kept.delete(environment);
    },
  });
}

/**
 * Replaces the token cache: each environment sends the token that a cluster accepted last, until the cluster refuses
 * it.
 */
function keepTokens(transport: Transport): void {
  const kept = new WeakMap<Environment, Map<string, string>>();
  transport.listeners.unshift({
    sending: (host, request) => {
      const environment = currentEnvironment();
      if (host.kind !== "cluster" || environment === undefined) return;
      const tokens = kept.get(environment) ?? new Map<string, string>();
      kept.set(environment, tokens);
      const headers = request.headers as Record<string, string>;
      const token = tokens.get(host.name);
      if (token === undefined) tokens.set(host.name, headers.authorization ?? "");
      else headers.authorization = token;
    },
    served: ({ host, answer, environment }) => {
      if (answer.status === 401 && environment !== undefined) kept.get(environment)?.delete(host.name);
    },
  });
}
