import type { KeySource } from "../../shared/bindings/binding.ts";
import type { BindingEntry, SourceEntry } from "../../shared/bindings/bindings-file.ts";
import type { FieldReader, Objections } from "./fields.ts";
import type { NoteCode } from "./notes.ts";
import type { Encoding } from "./remote-ref.ts";
import type { StoreReference, Stores } from "./stores.ts";

/** An ExternalSecret, or the template of one in a ClusterExternalSecret. */
export type ExternalSecretRequest = {
  readonly spec: FieldReader;
  readonly name: string;
  readonly namespace: string;
  /** Of the ExternalSecret; without a template the operator copies them to the Secret. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

export type Conversion = {
  readonly request: ExternalSecretRequest;
  readonly stores: Stores;
  readonly objections: Objections;
  readonly note: (...codes: readonly NoteCode[]) => void;
  /** The default store of the entries. */
  readonly store: PlacedStore | undefined;
};

/** A binding without its targets. */
export type Rules = Omit<BindingEntry, "targets">;

/** A reference to a store, and its path in the manifest. */
export type PlacedStore = StoreReference & { readonly path: string };

export type VersionedSource = {
  readonly source: string;
  readonly stage?: string;
  readonly versionId?: string;
};

/** An entry of `data`: one key of the Secret. */
export type PickedKey = {
  readonly path: string;
  readonly key: string;
  readonly at: VersionedSource;
  readonly made:
    | { readonly kind: "whole"; readonly decode?: Encoding }
    | { readonly kind: "part"; readonly source: KeySource };
};

/** An entry of `dataFrom`: all keys of a source, with optional renames. */
export type Extraction = {
  readonly at: VersionedSource;
  readonly rules: { readonly keys: "all" } | { readonly extract: NonNullable<SourceEntry["extract"]> };
};
