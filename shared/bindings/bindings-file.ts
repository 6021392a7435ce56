import type { Decoding, DeletionPolicy, KeyRename, KeySource, RestartRule } from "./binding.ts";

/** bindings.yaml after validation against bindings.schema.json. */
export type BindingsFile = {
  readonly version: 1;
  readonly relay?: string;
  readonly clusters: Readonly<Record<string, ClusterEntry>>;
  readonly defaults?: Rules & Partial<Where>;
  readonly bindings: readonly BindingEntry[];
};

export type ClusterEntry = {
  readonly name: string;
  readonly region: string;
  readonly roleArn?: string;
  readonly endpoint?: string;
  readonly certificateAuthorityData?: string;
  readonly externalSecrets?: {
    readonly namespaces: "all" | readonly string[];
    readonly deadlineSeconds?: number;
  };
};

/** Has either `source` with its settings, or `sources`. */
export type BindingEntry = Rules &
  Partial<SourceEntry> & {
    readonly sources?: readonly (SourceEntry & { readonly name?: string })[];
    readonly collisions?: "refuse" | "last";
    readonly targets: readonly TargetEntry[];
    readonly ownership?: "secret" | "keys";
    readonly foreignKeys?: "keep" | "remove";
    readonly immutable?: boolean;
    readonly onChange?: "refuse" | "replace";
    readonly webhookId?: string;
  };

export type SourceEntry = {
  readonly source: string;
  readonly stage?: string;
  readonly versionId?: string;
  readonly keys?: KeysEntry;
  readonly value?: string;
  readonly decode?: Decoding;
  readonly extract?: ExtractEntry;
};

export type KeysEntry = "all" | readonly string[] | Readonly<Record<string, string | KeySource>>;

export type ExtractEntry = {
  readonly jmespath?: string;
  readonly decode?: Decoding;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly rename?: readonly KeyRename[];
};

export type TargetEntry = Partial<Where> & {
  readonly name: string;
  readonly allowSystemNamespace?: boolean;
  readonly restart?: RestartEntry;
  readonly nudge?: boolean;
  readonly checkPods?: boolean;
  readonly events?: boolean;
};

export type RestartEntry =
  | RestartRule["workloads"]
  | (Pick<RestartRule, "workloads"> & Partial<Omit<RestartRule, "workloads">>);

type Rules = {
  readonly type?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly adopt?: boolean;
  readonly deletionPolicy?: DeletionPolicy;
};

type Where = { readonly cluster: string; readonly namespace: string };
