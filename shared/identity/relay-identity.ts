import { parseSecretHome } from "../secret-id/parse-secret-home.ts";
import type { SecretHome } from "../secret-id/secret-id.ts";

/** One installation of the relay: its name, and the account and Region that it runs in. */
export type RelayIdentity = SecretHome & { readonly name: string };

export const DEFAULT_RELAY_NAME = "secret-relay";

/** Up to 32 characters, so that name, account and Region fit into the 63 characters of a label value. */
export const RELAY_NAME = /^[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?$/;

/** Everything by which a relay recognises its own Secrets. All of it derives from the identity. */
export type RelayMarks = {
  readonly self: RelayIdentity;
  /** `name.account.region`: the value of the managed label. */
  readonly identity: string;
  /** The name under which the relay owns fields. */
  readonly fieldManager: string;
  readonly managedLabel: string;
  readonly managedSelector: string;
  readonly annotations: RelayAnnotations;
};

/** The annotations that a relay keeps on a Secret, by purpose. */
export type RelayAnnotations = { readonly [Purpose in keyof typeof PURPOSES]: string };

const PURPOSES = {
  /** The VersionId that the data was made from; of several sources, what stands for theirs together. */
  versionId: "version-id",
  /** The full ARN of the source; of several, with commas between. */
  source: "source",
  /** Of several sources only: the VersionId of each, in the order of their ARNs, with spaces between. */
  sourceVersions: "source-versions",
  /** The binding's fingerprint: shows that the rules changed. */
  bindingFingerprint: "binding-fingerprint",
  /** The names of the data keys that the relay applied: without values, they show which one is missing. */
  keys: "keys",
  /** What to do with the Secret when its binding is gone: `retain` or `delete`. */
  deletionPolicy: "deletion-policy",
  /** When the relay applied it, ISO 8601 by its own clock. */
  writtenAt: "written-at",
  /** Which version the readers must run with, and since when (shared/workloads/notice.ts). */
  readersDue: "readers-due",
  /** When the relay last took fields back from other managers. */
  takeBacks: "take-backs",
  /** Since when the source or the binding has been gone. */
  goneSince: "gone-since",
} as const;

export function relayMarks(self: RelayIdentity): RelayMarks {
  const { name, accountId, region } = self;
  const identity = `${name}.${accountId}.${region}`;
  const prefix = name === DEFAULT_RELAY_NAME ? KEY_PREFIX : `${name}.${KEY_PREFIX}`;
  const managedLabel = `${prefix}/${MANAGED}`;
  const annotations = Object.fromEntries(
    Object.entries(PURPOSES).map(([purpose, key]) => [purpose, `${prefix}/${key}`]),
  ) as RelayAnnotations;
  return {
    self,
    identity,
    fieldManager: name,
    managedLabel,
    managedSelector: `${managedLabel}=${identity}`,
    annotations,
  };
}

/** `name.account.region`, as the managed label holds it; undefined for anything else. */
export function parseIdentity(text: string): RelayIdentity | undefined {
  const [name = "", accountId = "", region = "", ...rest] = text.split(".");
  const home = rest.length === 0 ? parseSecretHome(accountId, region) : undefined;
  return home !== undefined && RELAY_NAME.test(name) ? { ...home, name } : undefined;
}

/** Every label and annotation of any relay has this prefix, or ends with it after the relay's name and a dot. */
const KEY_PREFIX = "secret-relay";
const MANAGED = "managed";

/** Whether a label or annotation belongs to a relay, whichever it is. */
export function isRelayKey(key: string): boolean {
  return RELAY_KEY.test(key);
}

const RELAY_KEY = /^(?:[a-z0-9][-a-z0-9]*\.)?secret-relay\//;

/** The identities of the relays that manage a Secret, as its labels say, this one included. */
export function managingRelays(labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(labels).flatMap(([key, identity]) => (MANAGED_LABEL.test(key) ? [identity] : []));
}

const MANAGED_LABEL = /^(?:[a-z0-9][-a-z0-9]*\.)?secret-relay\/managed$/;

/** Anyone may set it, kubectl too: until when every relay leaves the Secret as it is. The same for all relays. */
export const HOLD_ANNOTATION = "secret-relay/hold-until";
