import type { KeySource } from "../../shared/bindings/binding.ts";
import type { BindingEntry, SourceEntry } from "../../shared/bindings/bindings-file.ts";
import type { FieldReader, Objections } from "./fields.ts";
import type { NoteCode } from "./notes.ts";
import type { Encoding } from "./remote-ref.ts";
import type { StoreReference, Stores } from "./stores.ts";

/** What an ExternalSecret says, wherever it stands: by itself, or in a ClusterExternalSecret. */
export type ExternalSecretRequest = {
  readonly spec: FieldReader;
  readonly name: string;
  readonly namespace: string;
  /** Of the ExternalSecret: without a template they are those of the Secret. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

/** One conversion under way. */
export type Conversion = {
  readonly request: ExternalSecretRequest;
  readonly stores: Stores;
  readonly wrong: Objections;
  readonly note: (...codes: readonly NoteCode[]) => void;
  /** The store of every entry that names none of its own. */
  readonly store: PlacedStore | undefined;
};

/** What a conversion makes: a binding without its targets. */
export type Rules = Omit<BindingEntry, "targets">;

/** A store, and where it is named. */
export type PlacedStore = StoreReference & { readonly path: string };

/** A source at one of its versions. */
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

/** An entry of `dataFrom`: all keys of a source, perhaps renamed. */
export type Extraction = {
  readonly at: VersionedSource;
  readonly rules: { readonly keys: "all" } | { readonly extract: NonNullable<SourceEntry["extract"]> };
};
