import type { ExternalSecretsRule, TargetRef } from "../bindings/binding.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { Wait } from "../runtime/retry.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { Discover } from "./discover.ts";
import { ExternalSecretStoreNotReady } from "./errors.ts";
import { type EsoObjects, esoObjects } from "./eso-objects.ts";
import {
  affectedBy,
  isNamedByWebhookId,
  mayBeAffected,
  mayWriteSource,
  type SourceChange,
  type Tags,
  writesSource,
} from "./find-affected.ts";
import { type NudgeStamp, printNudge } from "./nudge.ts";
import { type FollowRequest, nudgeAndFollow } from "./nudge-and-follow.ts";
import type { ExternalSecret, PushSecret, SecretStore, StoreRef } from "./objects.ts";
import { ignored, resultOfError, type TriggerOutcome, type TriggerResult } from "./outcome.ts";
import { findSkipReason, findUnusableStore, isOutsideWindow } from "./skip-reason.ts";

export type TriggerDependencies = {
  readonly connect: (clusterKey: string) => Pick<ClusterConnection, "callObject">;
  readonly discover: (clusterKey: string) => Discover;
  /** Reads the tags of the changed source; called only if an ExternalSecret searches by tags. */
  readonly readTags: (change: SourceChange, budget: TimeBudget) => Promise<Tags | "unreadable">;
  readonly now: () => number;
  readonly wait: Wait;
};

export type TriggerRequest = {
  readonly cluster: string;
  readonly rule: ExternalSecretsRule;
  readonly change: SourceChange;
  readonly stamp: NudgeStamp;
  /** Objects to refresh on an operator's request, regardless of their source. */
  readonly asked?: ForceRequest;
  /** The Secrets of this cluster that the relay wrote for the change; PushSecrets may push them. */
  readonly written: Promise<readonly TargetRef[]>;
  readonly budget: TimeBudget;
};

/** One object by name, or every ExternalSecret in the rule's namespaces. */
export type ForceRequest = { readonly named: ObjectName } | { readonly everything: true };

type ObjectName = { readonly namespace: string; readonly name: string };

/**
 * Makes ESO refresh the objects in one cluster that a change affects: first the ExternalSecrets that read the source,
 * then the PushSecrets that push the Secrets written by them or by the relay. Never throws: failures are outcomes.
 */
export async function triggerCluster(
  deps: TriggerDependencies,
  request: TriggerRequest,
): Promise<TriggerOutcome[]> {
  const { cluster, budget } = request;
  try {
    const connection = deps.connect(cluster);
    const served = await deps.discover(cluster)(budget);
    const objects = esoObjects(connection, served, budget);
    const externals = await triggerExternalSecrets(deps, objects, request);
    if (!served.hasPushSecrets) return externals.outcomes;
    const pushes = await triggerPushSecrets(deps, objects, request, externals.refreshed);
    return [...externals.outcomes, ...pushes];
  } catch (error) {
    return [outcomeOf(cluster, "ExternalSecret/*", resultOfError(ours(error)))];
  }
}

type Listed<T> = { readonly objects: readonly T[]; readonly problems: readonly TriggerOutcome[] };

async function listEach<T>(
  { cluster, rule, asked }: TriggerRequest,
  kind: "ExternalSecret" | "PushSecret",
  list: (namespace: string | undefined) => Promise<readonly T[]>,
): Promise<Listed<T>> {
  const namesOne = asked !== undefined && "named" in asked ? [asked.named.namespace] : [];
  const namespaces =
    rule.namespaces === "all" ? [undefined] : [...new Set([...rule.namespaces, ...namesOne])];
  const lists = await Promise.all(
    namespaces.map(async (namespace): Promise<Listed<T>> => {
      try {
        return { objects: await list(namespace), problems: [] };
      } catch (error) {
        const object = `${kind}/${namespace === undefined ? "" : `${namespace}/`}*`;
        return { objects: [], problems: [outcomeOf(cluster, object, resultOfError(ours(error)))] };
      }
    }),
  );
  return {
    objects: lists.flatMap(({ objects }) => objects),
    problems: lists.flatMap(({ problems }) => problems),
  };
}

function isNamed(asked: ForceRequest | undefined, { namespace, name }: ObjectName): boolean {
  if (asked === undefined || "everything" in asked) return false;
  return asked.named.namespace === namespace && asked.named.name === name;
}

const isRequested = (asked: ForceRequest | undefined, external: ExternalSecret): boolean =>
  isNamed(asked, external) || (asked !== undefined && "everything" in asked);

async function triggerExternalSecrets(
  deps: TriggerDependencies,
  objects: EsoObjects,
  request: TriggerRequest,
): Promise<{ outcomes: TriggerOutcome[]; refreshed: readonly ExternalSecret[] }> {
  const { cluster, change, asked } = request;
  const listed = await listEach(request, "ExternalSecret", objects.listExternalSecrets);
  const externals = await withOwnersWebhookIds(objects, listed.objects);
  const candidates = externals.filter((each) => isRequested(asked, each) || mayBeAffected(change, each));
  const stores = await readStores(objects, candidates);
  const affected = await findAffected(deps, request, candidates, stores);

  await nudgeOwners(objects, affected, request);
  const refreshed: ExternalSecret[] = [];
  const outcomes = await Promise.all(
    affected.map(async (external) => {
      const result = await triggerOne(deps, objects, request, { external, stores });
      if (result.kind === "refreshed" || result.kind === "already") refreshed.push(external);
      return outcomeOf(cluster, nameOf(external), result);
    }),
  );
  return { outcomes: [...listed.problems, ...outcomes], refreshed };
}

/** A webhook id on a ClusterExternalSecret also applies to its ExternalSecrets. */
async function withOwnersWebhookIds(
  objects: EsoObjects,
  externals: readonly ExternalSecret[],
): Promise<readonly ExternalSecret[]> {
  const owners = new Set(externals.flatMap(({ madeBy }) => madeBy ?? []));
  const ids = new Map<string, string>();
  await Promise.all(
    [...owners].map(async (name) => {
      // Without permission the id is unknown, but the sources of the ExternalSecrets still match.
      const owner = await objects.readClusterExternalSecret(name).catch(() => undefined);
      if (owner?.webhookId !== undefined) ids.set(name, owner.webhookId);
    }),
  );
  return externals.map((external) => {
    const webhookId = external.webhookId ?? ids.get(external.madeBy ?? "");
    return webhookId === undefined ? external : { ...external, webhookId };
  });
}

type Stores = ReadonlyMap<string, SecretStore | undefined | RelayError>;

const storeKey = ({ kind, name }: StoreRef, namespace: string): string =>
  kind === "SecretStore" ? `${kind}/${namespace}/${name}` : `${kind}/${name}`;

async function readStores(objects: EsoObjects, externals: readonly ExternalSecret[]): Promise<Stores> {
  const refs = externals.flatMap(({ namespace, references }) =>
    references.flatMap(({ store }) => (store === undefined ? [] : [{ ref: store, namespace }])),
  );
  return readEachStore(objects, refs);
}

async function readEachStore(
  objects: EsoObjects,
  refs: readonly { ref: StoreRef; namespace: string }[],
): Promise<Stores> {
  const distinct = new Map(refs.map((each) => [storeKey(each.ref, each.namespace), each]));
  const read = await Promise.all(
    [...distinct].map(async ([key, { ref, namespace }]) => {
      const store = await objects.readStore(ref, namespace).catch(ours);
      return [key, store] as const;
    }),
  );
  return new Map(read);
}

const findIn =
  (stores: Stores) =>
  (ref: StoreRef, namespace: string): SecretStore | undefined => {
    const store = stores.get(storeKey(ref, namespace));
    return store instanceof RelayError ? undefined : store;
  };

async function findAffected(
  deps: TriggerDependencies,
  { change, asked, budget }: TriggerRequest,
  candidates: readonly ExternalSecret[],
  stores: Stores,
): Promise<readonly ExternalSecret[]> {
  const check = (tags: Tags | "unreadable" | undefined) =>
    candidates.map((external) => ({
      external,
      concern: isRequested(asked, external) ? "yes" : affectedBy(change, external, findIn(stores), tags),
    }));
  const first = check(undefined);
  const decided = first.some(({ concern }) => concern === "tags-needed")
    ? check(await deps.readTags(change, budget))
    : first;
  return decided.flatMap(({ external, concern }) => (concern === "no" ? [] : [external]));
}

/**
 * The controller of a ClusterExternalSecret resets the annotations of its ExternalSecrets to its own, so it gets the same
 * annotation. Without permission for that, the refresh races with the reset.
 */
async function nudgeOwners(
  objects: EsoObjects,
  affected: readonly ExternalSecret[],
  { stamp }: TriggerRequest,
): Promise<void> {
  const owners = new Set(affected.flatMap(({ madeBy }) => madeBy ?? []));
  await Promise.all(
    [...owners].map((name) =>
      objects.nudgeClusterExternalSecret(name, printNudge(stamp, 1)).catch(() => undefined),
    ),
  );
}

async function triggerOne(
  deps: TriggerDependencies,
  objects: EsoObjects,
  request: TriggerRequest,
  { external, stores }: { readonly external: ExternalSecret; readonly stores: Stores },
): Promise<TriggerResult> {
  const skipReason = findSkipReason(external);
  if (skipReason !== undefined) return ignored(skipReason);
  const unreadable = external.references.flatMap(({ store }) => {
    const read = store && stores.get(storeKey(store, external.namespace));
    return read instanceof RelayError ? [read] : [];
  })[0];
  const result = await follow(deps, request, external, {
    nudge: (value) => objects.nudgeExternalSecret(external, value),
    read: () => objects.readExternalSecret(external),
  });
  if (result.kind !== "failed") return result;
  if (unreadable !== undefined) return resultOfError(unreadable, result.nudges);
  const unusable = findUnusableStore(external, findIn(stores));
  if (unusable !== undefined) {
    const error = new ExternalSecretStoreNotReady(nameOf(external), `${unusable.kind} ${unusable.name}`);
    return { ...result, code: error.code, advice: error.message };
  }
  return isOutsideWindow(external, deps.now()) ? ignored("SYNC_WINDOW_CLOSED") : result;
}

async function triggerPushSecrets(
  deps: TriggerDependencies,
  objects: EsoObjects,
  request: TriggerRequest,
  refreshed: readonly ExternalSecret[],
): Promise<TriggerOutcome[]> {
  const { cluster, change, asked } = request;
  const listed = await listEach(request, "PushSecret", objects.listPushSecrets);
  if (listed.objects.length === 0) return [...listed.problems];
  const changed = new Set([
    ...refreshed.map(({ namespace, targetName }) => `${namespace}/${targetName}`),
    ...(await request.written).map(({ namespace, name }) => `${namespace}/${name}`),
  ]);
  const stores = await readEachStore(
    objects,
    listed.objects
      .filter((push) => mayWriteSource(change, push))
      .flatMap((push) => push.stores.map((ref) => ({ ref, namespace: push.namespace }))),
  );
  const outcomes = listed.objects.map(async (push): Promise<TriggerOutcome[]> => {
    const result = await triggerPush(push);
    return result === undefined ? [] : [outcomeOf(cluster, nameOf(push), result)];
  });
  return [...listed.problems, ...(await Promise.all(outcomes)).flat()];

  async function triggerPush(push: PushSecret): Promise<TriggerResult | undefined> {
    if (!isNamedByWebhookId(change, push.webhookId) && !isNamed(asked, push)) {
      if (writesSource(change, push, findIn(stores))) return ignored("PUSH_SECRET_WRITES_SOURCE");
      if (push.pushedName === undefined || !changed.has(`${push.namespace}/${push.pushedName}`))
        return undefined;
    }
    if (push.isBeingDeleted) return ignored("EXTERNAL_SECRET_BEING_DELETED");
    return follow(deps, request, push, {
      nudge: (value) => objects.nudgePushSecret(push, value),
      read: () => objects.readPushSecret(push),
    });
  }
}

function follow(
  deps: TriggerDependencies,
  { rule, stamp, budget }: TriggerRequest,
  object: ExternalSecret | PushSecret,
  calls: Pick<FollowRequest, "nudge" | "read">,
): Promise<TriggerResult> {
  const deadlineMs = rule.deadlineSeconds * 1_000;
  return nudgeAndFollow(deps, { object, name: nameOf(object), ...calls, stamp, deadlineMs, budget });
}

const nameOf = ({ kind, namespace, name }: ExternalSecret | PushSecret): string =>
  `${kind}/${namespace}/${name}`;

const ours = (error: unknown): RelayError =>
  error instanceof RelayError ? error : UnexpectedFault.from(error);

const outcomeOf = (cluster: string, object: string, result: TriggerResult): TriggerOutcome => ({
  cluster,
  object,
  ...result,
});
