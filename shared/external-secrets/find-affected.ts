import { partitionOfRegion } from "../source/parse-aws-location.ts";
import { parseBoundReference } from "../source/parse-secret-reference.ts";
import { referencesMayMatch } from "../source/references-may-match.ts";
import type { AwsLocation, SecretReference } from "../source/secret-id.ts";
import type { MatchName, NameSearch } from "./match-name.ts";
import type { ExternalSecret, PushSecret, Reference, SecretStore, StoreRef } from "./objects.ts";

export type SourceChange = {
  /** Absent if a call names only a webhook id. */
  readonly source?: SecretReference;
  /** The webhook ids of the source. */
  readonly webhookIds: readonly string[];
  /** The function's account and Region, which locate a bare name. */
  readonly self: AwsLocation;
};

export type Tags = Readonly<Record<string, string>>;

export type Lookups = { readonly findStore: FindStore; readonly matches: MatchName };

/** Undefined for a missing or unreadable store. */
export type FindStore = (ref: StoreRef, namespace: string) => SecretStore | undefined;

/** Whether an ExternalSecret reads the changed source; `tags-needed` if that depends on the source's tags. */
export type Concern = "yes" | "no" | "tags-needed";

/**
 * Whether an ExternalSecret reads the changed source, according to its keys, searches and stores. Pure. If that is
 * unknown (the account of a store without a role, a regular expression that was not decided), the answer is yes: a
 * needless refresh costs one call, a missed one an outage. `tags` is undefined before they are read.
 */
export function affectedBy(
  change: SourceChange,
  external: ExternalSecret,
  { findStore, matches }: Lookups,
  tags: Tags | "unreadable" | undefined,
): Concern {
  if (isNamedByWebhookId(change, external.webhookId)) return "yes";
  if (change.source === undefined) return "no";
  const concerns = external.references.map((reference) => {
    const store = reference.store && findStore(reference.store, external.namespace);
    return concernOfReference(change, reference, { store, matches, tags });
  });
  return concerns.includes("yes") ? "yes" : concerns.includes("tags-needed") ? "tags-needed" : "no";
}

/** The searches by name that decide whether an ExternalSecret is affected. Pure. */
export function nameSearchesOf(
  change: SourceChange,
  { references, namespace }: ExternalSecret,
  findStore: FindStore,
): readonly NameSearch[] {
  return references.flatMap((reference) => {
    if (reference.kind !== "find" || reference.nameRegexp === undefined) return [];
    const { nameRegexp: regexp } = reference;
    const store = reference.store && findStore(reference.store, namespace);
    return namesInReach(change, reference, store).map((name) => ({ regexp, name }));
  });
}

/** Whether this ExternalSecret could read the changed source with any store; if not, its stores are not read. Pure. */
export function mayBeAffected({ source, ...change }: SourceChange, external: ExternalSecret): boolean {
  if (isNamedByWebhookId({ ...change, ...(source && { source }) }, external.webhookId)) return true;
  return (
    source !== undefined &&
    external.references.some(
      (reference) =>
        reference.kind === "find" || (reference.kind === "key" && mayBeKeyOf(source, reference.key)),
    )
  );
}

/** Whether a PushSecret could write into the changed source with any store. Pure. */
export function mayWriteSource({ source }: SourceChange, push: PushSecret): boolean {
  return source !== undefined && push.remoteKeys.some((key) => mayBeKeyOf(source, key));
}

/** A store may add any prefix to the key. */
const mayBeKeyOf = ({ names }: SecretReference, key: string): boolean =>
  key.startsWith("arn:") || names.some((name) => name.endsWith(key));

/** Whether the annotation holds a called webhook id, or the name or ARN of the source. */
export function isNamedByWebhookId(change: SourceChange, webhookId: string | undefined): boolean {
  if (webhookId === undefined) return false;
  if (change.webhookIds.includes(webhookId)) return true;
  const named = change.source && parseBoundReference(webhookId);
  return named !== undefined && isSameSource(change, named, undefined);
}

/** Whether a PushSecret writes into the changed source. Pure. */
export function writesSource(change: SourceChange, push: PushSecret, findStore: FindStore): boolean {
  const stores = push.stores.map((ref) => findStore(ref, push.namespace));
  return push.remoteKeys.some((key) =>
    stores.some((store) => concernOfKey(change, key, store) && store?.secretsManager !== undefined),
  );
}

type Known = {
  readonly store: SecretStore | undefined;
  readonly matches: MatchName;
  readonly tags: Tags | "unreadable" | undefined;
};

function concernOfReference(change: SourceChange, reference: Reference, known: Known): Concern {
  if (reference.kind === "generator") return "no";
  if (reference.kind === "find") return concernOfFind(change, reference, known);
  // The value of a pinned version never changes.
  const isPinned = reference.version?.startsWith("uuid/") === true;
  return !isPinned && concernOfKey(change, reference.key, known.store) ? "yes" : "no";
}

function concernOfKey(change: SourceChange, key: string, store: SecretStore | undefined): boolean {
  if (store !== undefined && store.secretsManager === undefined) return false;
  // ESO adds the prefix to any key, even to an ARN, which then is not valid.
  const written = parseBoundReference(`${store?.secretsManager?.prefix ?? ""}${key}`);
  return written !== undefined && isSameSource(change, written, store);
}

type Find = Extract<Reference, { kind: "find" }>;

function concernOfFind(change: SourceChange, find: Find, { store, matches, tags }: Known): Concern {
  const { nameRegexp: regexp, tags: wantedTags } = find;
  const isFound = namesInReach(change, find, store).some(
    (name) => regexp === undefined || matches({ regexp, name }) !== false,
  );
  if (!isFound) return "no";
  const wanted = Object.entries(wantedTags);
  if (wanted.length === 0 || tags === "unreadable") return "yes";
  if (tags === undefined) return "tags-needed";
  return wanted.every(([key, value]) => hasTag(tags, key, value)) ? "yes" : "no";
}

/** The names under which a search may find the source, before its regular expression and its tags. */
function namesInReach(change: SourceChange, find: Find, store: SecretStore | undefined): readonly string[] {
  const { source } = change;
  const { path, nameRegexp, tags } = find;
  if (source === undefined || (store !== undefined && store.secretsManager === undefined)) return [];
  if (nameRegexp === undefined && Object.keys(tags).length === 0) return []; // ESO refuses this
  if (!isSameHome(change, store)) return [];
  const names = source.names.flatMap((name) => namesToSearch(name, store));
  return names.filter((name) => path === undefined || startsAsFiltered(name, path));
}

/** ESO searches by whole name, then reads by prefix and name, so a source may match under either. */
function namesToSearch(name: string, store: SecretStore | undefined): readonly string[] {
  const prefix = store?.secretsManager?.prefix ?? "";
  return prefix !== "" && name.startsWith(prefix) ? [name, name.slice(prefix.length)] : [name];
}

/** Secrets Manager's filters match prefixes, and a leading `!` negates them. */
function startsAsFiltered(text: string, filter: string): boolean {
  return filter.startsWith("!") ? !text.startsWith(filter.slice(1)) : text.startsWith(filter);
}

/** ESO sends separate filters for the key and the value of a tag, so they may match different tags. */
function hasTag(tags: Tags, key: string, value: string): boolean {
  const matches = (texts: readonly string[], filter: string) =>
    filter.startsWith("!")
      ? !texts.some((text) => text.startsWith(filter.slice(1)))
      : texts.some((text) => text.startsWith(filter));
  return matches(Object.keys(tags), key) && matches(Object.values(tags), value);
}

function isSameSource(
  change: SourceChange,
  written: SecretReference,
  store: SecretStore | undefined,
): boolean {
  const { source, self } = change;
  if (source === undefined) return false;
  const location = written.location ?? storeLocation(store, source.location ?? self);
  return referencesMayMatch({ ...written, location }, source, self);
}

function isSameHome({ source, self }: SourceChange, store: SecretStore | undefined): boolean {
  const expected = source?.location ?? self;
  const { region, accountId, partition } = storeLocation(store, expected);
  return region === expected.region && accountId === expected.accountId && partition === expected.partition;
}

/** The location of a store's names. Unknown parts are assumed to equal the source's. */
function storeLocation(store: SecretStore | undefined, source: AwsLocation): AwsLocation {
  const { region = "", accountId = source.accountId } = store?.secretsManager ?? {};
  return region === ""
    ? { ...source, accountId }
    : { region, accountId, partition: partitionOfRegion(region) };
}
