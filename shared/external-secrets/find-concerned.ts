import { partitionOfRegion } from "../secret-id/parse-secret-home.ts";
import { parseBoundReference, parseSecretReference } from "../secret-id/parse-secret-reference.ts";
import { referencesMayMatch } from "../secret-id/references-may-match.ts";
import type { SecretHome, SecretReference } from "../secret-id/secret-id.ts";
import { matchesName } from "./match-name.ts";
import type { ExternalSecret, PushSecret, Reference, SecretStore, StoreRef } from "./objects.ts";

/** What changed, as far as ESO's objects can speak of it. */
export type SourceChange = {
  /** None when a call named nothing but a webhook id. */
  readonly source?: SecretReference;
  /** Ids by which somebody may call the source. */
  readonly webhookIds: readonly string[];
  /** The account and Region of the function: where a source without a home lives. */
  readonly self: SecretHome;
};

export type Tags = Readonly<Record<string, string>>;

/** Undefined for a store that does not exist, or that could not be read. */
export type FindStore = (ref: StoreRef, namespace: string) => SecretStore | undefined;

/** Whether an ExternalSecret reads what changed; `tags-needed` when only the source's tags can say so. Pure. */
export type Concern = "yes" | "no" | "tags-needed";

/**
 * Whether this ExternalSecret reads the changed source, by the key or the search that it states and the store that it
 * states it for. Where that can't be known (the account of a store without a role, an expression that JavaScript does
 * not have), it may: a refresh too many costs one call, one too few an outage. `tags` are undefined while unread, and
 * `unreadable` when they will stay so.
 */
export function concernOf(
  change: SourceChange,
  external: ExternalSecret,
  findStore: FindStore,
  tags: Tags | "unreadable" | undefined,
): Concern {
  if (isNamedByWebhookId(change, external.webhookId)) return "yes";
  if (change.source === undefined) return "no";
  const concerns = external.references.map((reference) => {
    const store = reference.store && findStore(reference.store, external.namespace);
    return concernOfReference(change, reference, store, tags);
  });
  return concerns.includes("yes") ? "yes" : concerns.includes("tags-needed") ? "tags-needed" : "no";
}

/** Whether any store could make this ExternalSecret read the changed source: if not, its stores need no look. Pure. */
export function mayConcern({ source, ...change }: SourceChange, external: ExternalSecret): boolean {
  if (isNamedByWebhookId({ ...change, ...(source && { source }) }, external.webhookId)) return true;
  return (
    source !== undefined &&
    external.references.some(
      (reference) =>
        reference.kind === "find" || (reference.kind === "key" && mayBeKeyOf(source, reference.key)),
    )
  );
}

/** The same for a PushSecret that may write into the changed source. Pure. */
export function mayWriteSource({ source }: SourceChange, push: PushSecret): boolean {
  return source !== undefined && push.remoteKeys.some((key) => mayBeKeyOf(source, key));
}

/** A store may put any prefix before the key. */
const mayBeKeyOf = ({ names }: SecretReference, key: string): boolean =>
  key.startsWith("arn:") || names.some((name) => name.endsWith(key));

/** The annotation holds an id that was called, or names the source as Secrets Manager does. */
export function isNamedByWebhookId(change: SourceChange, webhookId: string | undefined): boolean {
  if (webhookId === undefined) return false;
  if (change.webhookIds.includes(webhookId)) return true;
  const named = change.source && parseBoundReference(webhookId);
  return named !== undefined && isSameSource(change, named, undefined);
}

/** The remote keys of a PushSecret that would be written into the changed source. Pure. */
export function writesSource(change: SourceChange, push: PushSecret, findStore: FindStore): boolean {
  const stores = push.stores.map((ref) => findStore(ref, push.namespace));
  return push.remoteKeys.some((key) =>
    stores.some((store) => concernOfKey(change, key, store) && store?.secretsManager !== undefined),
  );
}

function concernOfReference(
  change: SourceChange,
  reference: Reference,
  store: SecretStore | undefined,
  tags: Tags | "unreadable" | undefined,
): Concern {
  if (reference.kind === "generator") return "no";
  if (reference.kind === "find") return concernOfFind(change, reference, store, tags);
  // A pinned version stays what it is, whatever becomes current.
  const isPinned = reference.version?.startsWith("uuid/") === true;
  return !isPinned && concernOfKey(change, reference.key, store) ? "yes" : "no";
}

function concernOfKey(change: SourceChange, key: string, store: SecretStore | undefined): boolean {
  if (store !== undefined && store.secretsManager === undefined) return false;
  // ESO puts the prefix before whatever the key is, an ARN too, which Secrets Manager then does not know.
  const written = parseBoundReference(`${store?.secretsManager?.prefix ?? ""}${key}`);
  return written !== undefined && isSameSource(change, written, store);
}

function concernOfFind(
  change: SourceChange,
  find: Extract<Reference, { kind: "find" }>,
  store: SecretStore | undefined,
  tags: Tags | "unreadable" | undefined,
): Concern {
  const { source } = change;
  if (source === undefined || (store !== undefined && store.secretsManager === undefined)) return "no";
  const { path, nameRegexp, tags: wantedTags } = find;
  const wanted = Object.entries(wantedTags);
  if (nameRegexp === undefined && wanted.length === 0) return "no"; // which ESO refuses
  if (!isSameHome(change, store)) return "no";
  const isFound = source.names.some((name) =>
    namesToSearch(name, store).some(
      (searched) =>
        (path === undefined || startsAsFiltered(searched, path)) &&
        (nameRegexp === undefined || matchesName(nameRegexp, searched) !== false),
    ),
  );
  if (!isFound) return "no";
  if (wanted.length === 0 || tags === "unreadable") return "yes";
  if (tags === undefined) return "tags-needed";
  return wanted.every(([key, value]) => hasTag(tags, key, value)) ? "yes" : "no";
}

/** ESO searches whole names, then reads what it found by prefix and name: so a source is found under either. */
function namesToSearch(name: string, store: SecretStore | undefined): readonly string[] {
  const prefix = store?.secretsManager?.prefix ?? "";
  return prefix !== "" && name.startsWith(prefix) ? [name, name.slice(prefix.length)] : [name];
}

/** Secrets Manager's filters take the beginning of a text, and a leading `!` turns one round. */
function startsAsFiltered(text: string, filter: string): boolean {
  return filter.startsWith("!") ? !text.startsWith(filter.slice(1)) : text.startsWith(filter);
}

/** ESO sends a tag as two filters, one for keys and one for values: they need not be of the same tag. */
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
  const home = written.home ?? homeOf(store, source.home ?? self);
  return referencesMayMatch({ ...written, home }, source, self);
}

function isSameHome({ source, self }: SourceChange, store: SecretStore | undefined): boolean {
  const seen = source?.home ?? self;
  const home = homeOf(store, seen);
  return (
    home.region === seen.region && home.accountId === seen.accountId && home.partition === seen.partition
  );
}

/** Where a store reads a name. What it does not say is taken to be as with the source: it may be. */
function homeOf(store: SecretStore | undefined, seen: SecretHome): SecretHome {
  const { region = "", accountId = seen.accountId } = store?.secretsManager ?? {};
  return region === "" ? { ...seen, accountId } : { region, accountId, partition: partitionOfRegion(region) };
}

/** For a person's argument: the id of a source, as they write it. */
export function parseSourceArgument(text: string): SecretReference | undefined {
  return parseSecretReference(text, "any");
}
