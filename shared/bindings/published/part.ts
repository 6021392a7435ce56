import { createHash } from "node:crypto";
import { lookupNames } from "../../source/references-may-match.ts";
import type { SecretReference } from "../../source/secret-id.ts";
import type { Binding } from "../binding.ts";
import { isBinding } from "../compiled-fields.ts";
import { nameOfTarget } from "../name-of-target.ts";
import { BindingsDamaged, isMap, keyOfPart, type Pointer, parseJson } from "./pointer.ts";

/** The bindings of all sources whose name hashes to this part. A part never changes: its name is its hash. */
export type Part = { readonly version: 1; readonly bindings: readonly Binding[] };

export const printPart = (bindings: readonly Binding[]): string =>
  JSON.stringify({ version: 1, bindings } satisfies Part);

export const hashOfPart = (text: string): string => sha256(text).toString("hex", 0, HASH_BYTES);

const HASH_BYTES = 16;

/** Throws BindingsDamaged unless the text is the part of that hash. */
export function parsePart(text: string, hash: string, clusters: Pointer["clusters"]): readonly Binding[] {
  const key = keyOfPart(hash);
  if (hashOfPart(text) !== hash) throw new BindingsDamaged(key, "does not match its hash");
  const value = parseJson(text, key);
  if (!isMap(value) || value.version !== 1) throw new BindingsDamaged(key, "is not a part of version 1");
  const { bindings } = value;
  if (!Array.isArray(bindings) || !bindings.every((each) => isBinding(each, clusters))) {
    throw new BindingsDamaged(key, "is damaged");
  }
  return bindings;
}

/** The bindings of several parts, each once: a binding of several sources is in several parts. */
export function mergeParts(parts: Iterable<readonly Binding[]>): Binding[] {
  const byTarget = new Map<string, Binding>();
  for (const bindings of parts) {
    for (const binding of bindings) byTarget.set(nameOfTarget(binding.target), binding);
  }
  return [...byTarget.values()];
}

/** The parts with the bindings that may follow this source: one, or two if its ARN can be read in two ways. */
export const partsOfSource = (reference: SecretReference, parts: number): ReadonlySet<number> =>
  new Set(lookupNames(reference).map((name) => partOf(`source ${name}`, parts)));

export const partOfWebhookId = (webhookId: string, parts: number): number =>
  partOf(`webhook ${webhookId}`, parts);

/** Every part that must have this binding. */
export function partsOfBinding({ sources, webhookId }: Binding, parts: number): ReadonlySet<number> {
  const numbers = new Set(sources.flatMap((source) => [...partsOfSource(source, parts)]));
  if (webhookId !== undefined) numbers.add(partOfWebhookId(webhookId, parts));
  return numbers;
}

/** By a hash, since names share prefixes. */
const partOf = (text: string, parts: number): number => sha256(text).readUInt32BE(0) % parts;

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
