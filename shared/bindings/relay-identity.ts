import { parseAwsLocation } from "../source/parse-aws-location.ts";
import type { AwsLocation } from "../source/secret-id.ts";

/** An installation of the relay, by name, account and Region. */
export type RelayIdentity = AwsLocation & { readonly name: string };

export const DEFAULT_RELAY_NAME = "secret-relay";

/** Up to 32 characters, so that name, account and Region fit into the 63 characters of a label value. */
export const RELAY_NAME = /^[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?$/;

/** The metadata by which a relay recognises its own Secrets, derived from its identity. */
export type RelayMetadata = {
  readonly self: RelayIdentity;
  /** `name.account.region`: the value of the managed label. */
  readonly identity: string;
  readonly fieldManager: string;
  readonly managedLabel: string;
  readonly managedSelector: string;
  readonly annotations: RelayAnnotations;
};

/** The annotations that a relay keeps on a Secret, by purpose. */
export type RelayAnnotations = { readonly [Purpose in keyof typeof PURPOSES]: string };

const PURPOSES = {
  /** The VersionId of the data; for several sources, a digest of their VersionIds. */
  versionId: "version-id",
  /** The full ARNs of the sources, separated by commas. */
  source: "source",
  /** Only for several sources: their VersionIds in the order of the ARNs, separated by spaces. */
  sourceVersions: "source-versions",
  /** Shows that the binding's rules changed. */
  bindingFingerprint: "binding-fingerprint",
  /** The names of the data keys that the relay applied; they show a missing key without reading values. */
  keys: "keys",
  /** `retain` or `delete`, for when the binding is gone. */
  deletionPolicy: "deletion-policy",
  /** The time of the last apply, ISO 8601 by the relay's clock. */
  writtenAt: "written-at",
  /** The version that the readers must run with, and since when (shared/workloads/pending-restart.ts). */
  readersDue: "readers-due",
  /** The last times at which the relay took fields back from other managers. */
  takeBacks: "take-backs",
  /** Since when the source or the binding has been gone. */
  goneSince: "gone-since",
} as const;

export function relayMetadata(self: RelayIdentity): RelayMetadata {
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
  const location = rest.length === 0 ? parseAwsLocation(accountId, region) : undefined;
  return location !== undefined && RELAY_NAME.test(name) ? { ...location, name } : undefined;
}

/** The prefix of every label and annotation of a relay, alone or after the relay's name and a dot. */
const KEY_PREFIX = "secret-relay";
const MANAGED = "managed";

/** Whether a label or annotation belongs to any relay. */
export function isRelayKey(key: string): boolean {
  return RELAY_KEY.test(key);
}

const RELAY_KEY = /^(?:[a-z0-9][-a-z0-9]*\.)?secret-relay\//;

/** The identities of all relays that manage a Secret according to its labels. */
export function managingRelays(labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(labels)
    .filter((key) => MANAGED_LABEL.test(key))
    .map((key) => labels[key] ?? "");
}

const MANAGED_LABEL = /^(?:[a-z0-9][-a-z0-9]*\.)?secret-relay\/managed$/;

/** Until this time no relay writes the Secret. Shared by all relays, and may be set with kubectl. */
export const HOLD_ANNOTATION = "secret-relay/hold-until";
