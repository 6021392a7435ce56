import type { Decoding, KeySource } from "../../shared/bindings/binding.ts";
import type { BindingEntry, ExtractEntry } from "../../shared/bindings/bindings-file.ts";
import type { FieldReader, Objections } from "./fields.ts";
import type { FindAnswers } from "./find-query.ts";
import type { NoteCode } from "./notes.ts";
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
  /** What AWS lists for each `find`; absent: a `find` is refused. */
  readonly found: FindAnswers | undefined;
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
    | { readonly kind: "whole"; readonly decode?: Decoding }
    | { readonly kind: "part"; readonly source: KeySource };
};

/** An entry of `dataFrom`: the keys of a source, or the whole value of a source that `find` matches. */
export type Extraction = {
  readonly at: VersionedSource;
  readonly rules:
    | { readonly keys: "all" }
    | { readonly extract: ExtractEntry }
    | { readonly value: string; readonly decode?: Decoding };
};
