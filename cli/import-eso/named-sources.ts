import type { SourceEntry } from "../../shared/bindings/bindings-file.ts";
import { RESERVED } from "./go-template.ts";
import type { VersionedSource } from "./parts.ts";

/** Gives each source a name for templates: the last part of its own name. */
export class NamedSources {
  readonly #byName = new Map<string, VersionedSource>();

  get all(): (SourceEntry & { readonly name: string })[] {
    return [...this.#byName].map(([name, at]) => ({ ...at, name }));
  }

  nameOf(at: VersionedSource): string {
    for (const [name, known] of this.#byName) if (isSame(known, at)) return name;
    const base = wordOf(at.source);
    let name = base;
    for (let count = 2; this.#byName.has(name) || RESERVED.has(name); count += 1) name = `${base}_${count}`;
    this.#byName.set(name, at);
    return name;
  }
}

const isSame = (one: VersionedSource, other: VersionedSource): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

function wordOf(source: string): string {
  const [last = ""] = source.split(/[/:]/).slice(-1);
  const word = last.replace(/[^A-Za-z0-9_]+/g, "_").slice(0, 60);
  return /^[A-Za-z_]/.test(word) ? word : `source_${word}`;
}
