import type { ExternalSecretsRule, TargetRef } from "../bindings/binding.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { Wait } from "../runtime/retry.ts";
import type { TimeBudget } from "../runtime/time-budget.ts";
import type { Discover } from "./discover.ts";
import { ExternalSecretStoreNotReady, ExternalSecretsTooMany } from "./errors.ts";
import { type EsoObjects, esoObjects, type Listed } from "./eso-objects.ts";
import {
  affectedBy,
  isNamedByWebhookId,
  mayBeAffected,
  mayWriteSource,
  nameSearchesOf,
  type SourceChange,
  type Tags,
  writesSource,
} from "./find-affected.ts";
import type { NameMatcher, NameSearch } from "./match-name.ts";
import { type NudgeStamp, printNudge } from "./nudge.ts";
import { type FollowRequest, nudgeAndFollow } from "./nudge-and-follow.ts";
import type { ExternalSecret, Owner, PushSecret, SecretStore, StoreRef } from "./objects.ts";
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
  /** Limits the time for regular expressions in all clusters of the event. */
  readonly names: NameMatcher;
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
    const objects = esoObjects(connection, cluster, served, budget);
    const externals = await triggerExternalSecrets(deps, objects, request);
    if (!served.hasPushSecrets) return externals.outcomes;
    const pushes = await triggerPushSecrets(deps, objects, request, externals.refreshed);
    return [...externals.outcomes, ...pushes];
  } catch (error) {
    return [outcomeOf(cluster, "ExternalSecret/*", resultOfError(ours(error)))];
  }
}

type ListedEach<T> = { readonly objects: readonly T[]; readonly problems: readonly TriggerOutcome[] };

async function listEach<T>(
  { cluster, rule, asked }: TriggerRequest,
  kind: "ExternalSecret" | "PushSecret",
  list: (namespace: string | undefined) => Promise<Listed<T>>,
): Promise<ListedEach<T>> {
  const namesOne = asked !== undefined && "named" in asked ? [asked.named.namespace] : [];
  const namespaces =
    rule.namespaces === "all" ? [undefined] : [...new Set([...rule.namespaces, ...namesOne])];
  const lists = await Promise.all(
    namespaces.map(async (namespace): Promise<ListedEach<T>> => {
      const object = `${kind}/${namespace === undefined ? "" : `${namespace}/`}*`;
      const problemOf = (error: unknown) => outcomeOf(cluster, object, resultOfError(ours(error)));
      try {
        const { objects, isCut } = await list(namespace);
        return { objects, problems: isCut ? [problemOf(new ExternalSecretsTooMany(`${kind}s`))] : [] };
      } catch (error) {
        return { objects: [], problems: [problemOf(error)] };
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
  const mayMatter = (external: ExternalSecret): boolean =>
    isRequested(asked, external) || mayBeAffected(change, external);
  const listed = await listEach(request, "ExternalSecret", (namespace) =>
    objects.listExternalSecrets(namespace, (each) => each.madeBy !== undefined || mayMatter(each)),
  );
  const { externals, problems } = await withOwners(cluster, objects, listed.objects);
  const candidates = externals.filter(mayMatter);
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
  return { outcomes: [...listed.problems, ...problems, ...outcomes], refreshed };
}

/**
 * Adds the webhook id of a ClusterExternalSecret to its ExternalSecrets, and drops owners that do not exist with the uid
 * of the ownerReference.
 */
async function withOwners(
  cluster: string,
  objects: EsoObjects,
  externals: readonly ExternalSecret[],
): Promise<{ externals: readonly ExternalSecret[]; problems: readonly TriggerOutcome[] }> {
  const names = [...new Set(externals.flatMap(({ madeBy }) => madeBy?.name ?? []))];
  const read = await Promise.all(
    names.slice(0, READS_MAX).map(async (name) => {
      // Without permission the id is unknown, but the sources of the ExternalSecrets still match.
      const owner = await objects.readClusterExternalSecret(name).catch(() => "unreadable" as const);
      return [name, owner] as const;
    }),
  );
  const owners = new Map(read);
  const error = new ExternalSecretsTooMany("ClusterExternalSecrets");
  return {
    externals: externals.map(({ madeBy, ...external }) => {
      if (madeBy === undefined) return external;
      const owner = owners.get(madeBy.name);
      if (owner === "unreadable") return { ...external, madeBy };
      if (owner?.uid !== madeBy.uid) return external;
      const webhookId = external.webhookId ?? owner.webhookId;
      return { ...external, madeBy, ...(webhookId !== undefined && { webhookId }) };
    }),
    problems:
      names.length > READS_MAX ? [outcomeOf(cluster, "ClusterExternalSecret/*", resultOfError(error))] : [],
  };
}

/** Of owners, and of stores: any author of an ExternalSecret can name any number of them. */
const READS_MAX = 500;

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
    [...distinct].map(async ([key, { ref, namespace }], index) => {
      const store =
        index < READS_MAX
          ? await objects.readStore(ref, namespace).catch(ours)
          : new ExternalSecretsTooMany("SecretStores");
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
  { change, asked, names, budget }: TriggerRequest,
  candidates: readonly ExternalSecret[],
  stores: Stores,
): Promise<readonly ExternalSecret[]> {
  const findStore = findIn(stores);
  await names.decide(inTurns(candidates.map((each) => nameSearchesOf(change, each, findStore))));
  const lookups = { findStore, matches: names.matches };
  const check = (tags: Tags | "unreadable" | undefined) =>
    candidates.map((external) => ({
      external,
      concern: isRequested(asked, external) ? "yes" : affectedBy(change, external, lookups, tags),
    }));
  const first = check(undefined);
  const decided = first.some(({ concern }) => concern === "tags-needed")
    ? check(await deps.readTags(change, budget))
    : first;
  return decided.flatMap(({ external, concern }) => (concern === "no" ? [] : [external]));
}

/** The first search of each ExternalSecret, then the second: one with very many cannot use up the time of the others. */
function* inTurns(searches: readonly (readonly NameSearch[])[]): Iterable<NameSearch> {
  let left = searches;
  for (let at = 0; left.length > 0; at += 1) {
    left = left.filter(({ length }) => length > at);
    for (const each of left) yield each[at] as NameSearch;
  }
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
  const owners = new Map(
    affected.flatMap(({ madeBy }): [string, Owner][] => (madeBy ? [[madeBy.uid, madeBy]] : [])),
  );
  await Promise.all(
    [...owners.values()].map((owner) =>
      objects.nudgeClusterExternalSecret(owner, printNudge(stamp, 1)).catch(() => undefined),
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
  const mayMatter = (push: PushSecret): boolean =>
    push.pushedName !== undefined ||
    mayWriteSource(change, push) ||
    isNamedByWebhookId(change, push.webhookId) ||
    isNamed(asked, push);
  const listed = await listEach(request, "PushSecret", (namespace) =>
    objects.listPushSecrets(namespace, mayMatter),
  );
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
