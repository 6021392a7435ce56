/** ESO's objects, as far as a nudge needs them. Nothing of a value is in any of them. */
export type ExternalSecret = Nudgeable & {
  readonly kind: "ExternalSecret";
  readonly references: readonly Reference[];
  readonly refreshPolicy: "Periodic" | "OnChange" | "CreatedOnce";
  readonly refreshIntervalMs: number;
  readonly syncWindows?: SyncWindows;
  /** The Secret that ESO makes of it. */
  readonly targetName: string;
  /** The ClusterExternalSecret that made it, and takes its annotations back. */
  readonly madeBy?: string;
};

export type PushSecret = Nudgeable & {
  readonly kind: "PushSecret";
  /** The Secret that is pushed; undefined for one that is chosen by labels or comes from a generator. */
  readonly pushedName?: string;
  readonly stores: readonly StoreRef[];
  readonly remoteKeys: readonly string[];
};

/** What ExternalSecrets and PushSecrets have in common. */
export type Nudgeable = {
  readonly namespace: string;
  readonly name: string;
  readonly isBeingDeleted: boolean;
  /** Somebody names the source by this id. */
  readonly webhookId?: string;
  /** What the last nudge wrote, whoever made it. */
  readonly nudge?: string;
  /** When our field manager last changed that, by the API server's clock, in whole seconds. */
  readonly nudgedAt?: number;
  readonly status: RefreshStatus;
};

export type RefreshStatus = {
  /** Of the last refresh that succeeded, in whole seconds. */
  readonly refreshedAt?: number;
  /** Of generation, labels and annotations at that refresh: it moves with every nudge that was followed. */
  readonly syncedResourceVersion?: string;
  readonly isReady?: boolean;
  /** ESO's code word for it. Its message is not kept: it may hold what a provider answered. */
  readonly reason?: string;
};

/** One thing that an ExternalSecret reads. */
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
  /** Undefined for every other provider, and for AWS's other services. */
  readonly secretsManager?: {
    readonly region: string;
    readonly prefix: string;
    /** Of the role that ESO assumes; without one it is not known. */
    readonly accountId?: string;
  };
};

export type ClusterExternalSecret = {
  readonly name: string;
  readonly webhookId?: string;
  /** As on an ExternalSecret: its controller copies this annotation to those that it made. */
  readonly nudge?: string;
};

export type SyncWindows = {
  readonly kind: "allow" | "deny";
  readonly windows: readonly { readonly schedule: string; readonly durationMs: number }[];
};
