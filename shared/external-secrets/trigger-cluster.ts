import type { ExternalSecretsRule, TargetRef } from "../bindings/binding.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import type { Wait } from "../retry/retry.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import type { Discover } from "./discover.ts";
import { ExternalSecretStoreNotReady } from "./errors.ts";
import { type EsoObjects, esoObjects } from "./eso-objects.ts";
import {
  concernOf,
  isNamedByWebhookId,
  mayConcern,
  mayWriteSource,
  type SourceChange,
  type Tags,
  writesSource,
} from "./find-concerned.ts";
import { type NudgeStamp, printNudge } from "./nudge.ts";
import { type FollowRequest, nudgeAndFollow } from "./nudge-and-follow.ts";
import type { ExternalSecret, PushSecret, SecretStore, StoreRef } from "./objects.ts";
import { findObstacle, findUnusableStore, isOutsideWindow } from "./obstacle.ts";
import { ignored, resultOfError, type TriggerOutcome, type TriggerResult } from "./outcome.ts";

export type TriggerDependencies = {
  readonly connect: (clusterKey: string) => Pick<ClusterConnection, "callObject">;
  readonly discover: (clusterKey: string) => Discover;
  /** The tags of the changed source; asked for only when a search by tags is in reach. */
  readonly readTags: (change: SourceChange, budget: TimeBudget) => Promise<Tags | "unreadable">;
  readonly now: () => number;
  readonly wait: Wait;
};

export type TriggerRequest = {
  readonly cluster: string;
  readonly rule: ExternalSecretsRule;
  readonly change: SourceChange;
  readonly stamp: NudgeStamp;
  /** What a person asks for besides, whatever it reads. */
  readonly asked?: Asked;
  /** The Secrets of this cluster that the relay wrote for the change: somebody may push them on. */
  readonly written: Promise<readonly TargetRef[]>;
  readonly budget: TimeBudget;
};

/** One object by its name, or every ExternalSecret that the rule reaches. */
export type Asked = { readonly named: ObjectName } | { readonly everything: true };

type ObjectName = { readonly namespace: string; readonly name: string };

/**
 * Makes ESO refresh whatever concerns a change in one cluster: first the ExternalSecrets that read the source, then the
 * PushSecrets that push on what those, or the relay, have written. Never throws: every failure is an outcome.
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

function isNamed(asked: Asked | undefined, { namespace, name }: ObjectName): boolean {
  if (asked === undefined || "everything" in asked) return false;
  return asked.named.namespace === namespace && asked.named.name === name;
}

const isAskedFor = (asked: Asked | undefined, external: ExternalSecret): boolean =>
  isNamed(asked, external) || (asked !== undefined && "everything" in asked);

async function triggerExternalSecrets(
  deps: TriggerDependencies,
  objects: EsoObjects,
  request: TriggerRequest,
): Promise<{ outcomes: TriggerOutcome[]; refreshed: readonly ExternalSecret[] }> {
  const { cluster, change, asked } = request;
  const listed = await listEach(request, "ExternalSecret", objects.listExternalSecrets);
  const named = await withIdsOfMakers(objects, listed.objects);
  const candidates = named.filter((each) => isAskedFor(asked, each) || mayConcern(change, each));
  const stores = await readStores(objects, candidates);
  const concerned = await keepConcerned(deps, request, candidates, stores);

  await nudgeMakers(objects, concerned, request);
  const refreshed: ExternalSecret[] = [];
  const outcomes = await Promise.all(
    concerned.map(async (external) => {
      const result = await triggerOne(deps, objects, request, { external, stores });
      if (result.kind === "refreshed" || result.kind === "already") refreshed.push(external);
      return outcomeOf(cluster, nameOf(external), result);
    }),
  );
  return { outcomes: [...listed.problems, ...outcomes], refreshed };
}

/** Whoever annotates a ClusterExternalSecret means the ExternalSecrets that it made. */
async function withIdsOfMakers(
  objects: EsoObjects,
  externals: readonly ExternalSecret[],
): Promise<readonly ExternalSecret[]> {
  const makers = new Set(externals.flatMap(({ madeBy }) => madeBy ?? []));
  const ids = new Map<string, string>();
  await Promise.all(
    [...makers].map(async (name) => {
      // Without the right, an id there is not seen; what the ExternalSecrets read is.
      const maker = await objects.readClusterExternalSecret(name).catch(() => undefined);
      if (maker?.webhookId !== undefined) ids.set(name, maker.webhookId);
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
  const asked = new Map(refs.map((each) => [storeKey(each.ref, each.namespace), each]));
  const read = await Promise.all(
    [...asked].map(async ([key, { ref, namespace }]) => {
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

async function keepConcerned(
  deps: TriggerDependencies,
  { change, asked, budget }: TriggerRequest,
  candidates: readonly ExternalSecret[],
  stores: Stores,
): Promise<readonly ExternalSecret[]> {
  const look = (tags: Tags | "unreadable" | undefined) =>
    candidates.map((external) => ({
      external,
      concern: isAskedFor(asked, external) ? "yes" : concernOf(change, external, findIn(stores), tags),
    }));
  const first = look(undefined);
  const decided = first.some(({ concern }) => concern === "tags-needed")
    ? look(await deps.readTags(change, budget))
    : first;
  return decided.flatMap(({ external, concern }) => (concern === "no" ? [] : [external]));
}

/**
 * The controller of a ClusterExternalSecret takes back every annotation of those that it made but this one, which it
 * copies from there. So it is written there too, with the same value; where that is not allowed, it is a race that the
 * refresh wins or loses.
 */
async function nudgeMakers(
  objects: EsoObjects,
  concerned: readonly ExternalSecret[],
  { stamp }: TriggerRequest,
): Promise<void> {
  const makers = new Set(concerned.flatMap(({ madeBy }) => madeBy ?? []));
  await Promise.all(
    [...makers].map((name) =>
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
  const obstacle = findObstacle(external);
  if (obstacle !== undefined) return ignored(obstacle);
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

/** Within the time that the request leaves. */
function follow(
  deps: TriggerDependencies,
  { rule, stamp, budget }: TriggerRequest,
  object: ExternalSecret | PushSecret,
  ways: Pick<FollowRequest, "nudge" | "read">,
): Promise<TriggerResult> {
  const deadlineMs = rule.deadlineSeconds * 1_000;
  return nudgeAndFollow(deps, { object, name: nameOf(object), ...ways, stamp, deadlineMs, budget });
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
