/** The fields of ESO's objects that trigger mode needs. None of them holds a value. */
export type ExternalSecret = Nudgeable & {
  readonly kind: "ExternalSecret";
  readonly references: readonly Reference[];
  readonly refreshPolicy: "Periodic" | "OnChange" | "CreatedOnce";
  readonly refreshIntervalMs: number;
  readonly syncWindows?: SyncWindows;
  /** The Secret that ESO writes. */
  readonly targetName: string;
  /** The ClusterExternalSecret that created it and resets its annotations, by its ownerReference. */
  readonly madeBy?: Owner;
};

/** Any author of an ExternalSecret can write an ownerReference, so the owner counts only with this uid. */
export type Owner = { readonly name: string; readonly uid: string };

export type PushSecret = Nudgeable & {
  readonly kind: "PushSecret";
  /** The pushed Secret; undefined if selected by labels or generated. */
  readonly pushedName?: string;
  readonly stores: readonly StoreRef[];
  readonly remoteKeys: readonly string[];
};

/** The common fields of ExternalSecrets and PushSecrets. */
export type Nudgeable = {
  readonly namespace: string;
  readonly name: string;
  readonly isBeingDeleted: boolean;
  readonly webhookId?: string;
  /** The value of the nudge annotation. */
  readonly nudge?: string;
  /** When the relay last changed the annotation, by the API server's clock, in whole seconds. */
  readonly nudgedAt?: number;
  readonly status: RefreshStatus;
};

export type RefreshStatus = {
  /** The time of the last successful refresh, in whole seconds. */
  readonly refreshedAt?: number;
  /** Covers generation, labels and annotations at that refresh, so it changes after every nudge. */
  readonly syncedResourceVersion?: string;
  readonly isReady?: boolean;
  /** The reason of the Ready condition. Its message is not kept, because it may quote a provider's response. */
  readonly reason?: string;
};

/** A source that an ExternalSecret reads. */
export type Reference = { readonly store: StoreRef | undefined } & (
  | { readonly kind: "key"; readonly key: string; readonly version?: string }
  | {
      readonly kind: "find";
      readonly path?: string;
      readonly nameRegexp?: string;
      readonly tags: Readonly<Record<string, string>>;
    }
  | { readonly kind: "generator" }
);

export type StoreKind = "SecretStore" | "ClusterSecretStore";

export type StoreRef = { readonly kind: StoreKind; readonly name: string };

export type SecretStore = StoreRef & {
  readonly isReady: boolean;
  /** Undefined for other providers and other AWS services. */
  readonly secretsManager?: {
    readonly region: string;
    readonly prefix: string;
    /** The account of the role that ESO assumes; unknown without a role. */
    readonly accountId?: string;
  };
};

export type ClusterExternalSecret = Owner & {
  readonly webhookId?: string;
  /** Its controller copies this annotation to its ExternalSecrets. */
  readonly nudge?: string;
};

export type SyncWindows = {
  readonly kind: "allow" | "deny";
  readonly windows: readonly { readonly schedule: string; readonly durationMs: number }[];
};
