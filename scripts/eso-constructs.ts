import { readFileSync } from "node:fs";
import { parse } from "yaml";

/** One row of test/import-eso/constructs.yaml, which explains the fields. */
export type Construct = {
  readonly construct: string;
  readonly fields?: readonly string[];
  readonly apiVersion?: string;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly metadata?: object;
  readonly aws?: { readonly prefix?: string };
  readonly store?: object;
  readonly cluster?: object;
  readonly status?: object;
  /** What AWS lists, for a run with --expand-find. */
  readonly found?: readonly string[];
  /** Null for an unknown account of the functions. */
  readonly account?: null;
} & (
  | {
      readonly becomes?: string;
      readonly notes?: readonly string[];
      /** The notes that other constructs have, and this one does not. */
      readonly without?: readonly string[];
      readonly refused?: undefined;
    }
  | { readonly refused: string; readonly at: string; readonly forward: string }
);

export type Constructs = {
  /** The value of each secret, by its name, and by its name and version. */
  readonly sources: Readonly<Record<string, unknown>>;
  readonly constructs: readonly Construct[];
};

/** One row of test/import-eso/template-functions.yaml. */
export type TemplateConstruct = { readonly construct: string } & (
  | {
      readonly functions: readonly string[];
      readonly becomes: readonly string[];
      readonly cases: readonly (readonly [template: string, output: string])[];
      readonly forward?: undefined;
    }
  | { readonly template: string; readonly forward: string }
);

export type TemplateConstructs = {
  readonly values: Readonly<Record<string, unknown>>;
  readonly rows: readonly TemplateConstruct[];
};

export const readConstructs = (): Constructs => read("constructs.yaml");

export const readTemplateConstructs = (): TemplateConstructs => read("template-functions.yaml");

/** One of the operator's own examples, in test/real/external-secrets/examples.json. */
export type ExampleResult = {
  readonly file: string;
  /** The value notes of its bindings. */
  readonly notes?: readonly string[];
  /** Each objection, as `path CODE`. */
  readonly refused?: readonly string[];
  /** Why the file is not a manifest. */
  readonly unread?: string;
};

export const readExampleResults = (): readonly ExampleResult[] =>
  JSON.parse(readFileSync(new URL("../test/real/external-secrets/examples.json", import.meta.url), "utf8"));

const read = (file: string) =>
  parse(readFileSync(new URL(`../test/import-eso/${file}`, import.meta.url), "utf8"));
