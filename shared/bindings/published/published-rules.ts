import { shortenTimeBudget, type TimeBudget } from "../../runtime/time-budget.ts";
import type { AwsLocation } from "../../source/secret-id.ts";
import type { Binding } from "../binding.ts";
import { type BindingIndex, createBindingIndex } from "../binding-index.ts";
import { BindingsDeleted, RulesSuperseded } from "./errors.ts";
import { STORE_WAIT_MS_MAX } from "./limit-store-wait.ts";
import { mergeParts, parsePart, partOfWebhookId, partsOfSource } from "./part.ts";
import { BindingsDamaged, keyOfPart, POINTER_KEY, type Pointer, parsePointer } from "./pointer.ts";
import type { Rules, RulesSource } from "./rules.ts";
import type { ReadObject, ReadParts } from "./rules-store.ts";

/**
 * The published rules. The pointer is read with If-None-Match, and a part only once: it never changes.
 */
export function publishedRules(readObject: ReadObject): RulesSource {
  const parts = partCache(readObject);
  let known: Known | undefined;

  const refresh = async (budget: TimeBudget): Promise<Known> => {
    const before = known; // another call may replace it meanwhile
    const etag = before?.etag;
    const answer = await readObject({ key: POINTER_KEY, ...(etag !== undefined && { etag }) }, budget);
    if (answer.kind === "unchanged" && before !== undefined) return before;
    if (answer.kind === "unchanged") throw new BindingsDamaged(POINTER_KEY, "is missing");
    // A publication never removes the pointer: without it nothing can be said about what is in force.
    if (answer.kind === "absent" && (answer.isDeleted || etag !== undefined)) throw new BindingsDeleted();
    const read = answer.kind === "absent" ? {} : { pointer: parsePointer(answer.body), etag: answer.etag };
    // The answer to an earlier request may come after one that had newer rules.
    if (known === before || generationOf(read) > generationOf(known)) known = read;
    return read;
  };

  const opened = new WeakMap<Known, Rules>(); // keeps the index of all bindings from one invocation to the next
  const rulesOf = (of: Known): Rules => {
    const known = opened.get(of) ?? openRules(of);
    opened.set(of, known);
    return known;
  };
  const openRules = (of: Known): Rules => {
    const check: Rules["check"] = async (budget) => {
      try {
        const { etag } = await refresh(shortenTimeBudget(budget, STORE_WAIT_MS_MAX));
        return etag === of.etag ? "in-force" : "superseded";
      } catch {
        return "unknown";
      }
    };
    const { pointer } = of;
    if (pointer === undefined) return nothingPublished(check);
    return { ...rulesOfPointer(pointer, parts, check), store: { pointer, readObject, readParts: parts } };
  };

  return {
    known: async (budget) => rulesOf(known ?? (await refresh(budget))),
    latest: async (budget) => {
      try {
        return rulesOf(await refresh(budget));
      } catch (error) {
        if (known === undefined || error instanceof BindingsDeleted) throw error;
        return rulesOf(known);
      }
    },
  };
}

/** Empty before the first publication. */
type Known = { readonly pointer?: Pointer; readonly etag?: string };

const generationOf = (known: Known | undefined): number => known?.pointer?.generation ?? 0;

function rulesOfPointer(pointer: Pointer, readParts: ReadParts, check: Rules["check"]): Rules {
  const { generation, relay, clusters, parts } = pointer;
  // By a cached part's bindings: an index of a hundred takes 0.1 ms. A function is always in one account and Region.
  const indexes = new WeakMap<readonly Binding[], BindingIndex>();
  const index = async (
    self: AwsLocation,
    numbers: Iterable<number>,
    budget: TimeBudget,
  ): Promise<BindingIndex> => {
    const bindings = await readParts(pointer, numbers, budget).catch(async (error: unknown) => {
      // A part of an old generation may be gone.
      const isOld = error instanceof BindingsDamaged && (await check(budget)) === "superseded";
      throw isOld ? new RulesSuperseded() : error;
    });
    const known =
      indexes.get(bindings) ?? createBindingIndex({ version: 1, relay, clusters, bindings }, self);
    indexes.set(bindings, known);
    return known;
  };
  let all: Promise<BindingIndex> | undefined;
  return {
    relay,
    clusters,
    generation,
    check,
    find: async (self, subject, budget) => {
      if ("source" in subject) return index(self, partsOfSource(subject.source, parts.length), budget);
      const { webhookId } = subject;
      const own = partOfWebhookId(webhookId, parts.length);
      // Its sources may have further bindings, without the id.
      const bound = (await index(self, [own], budget)).findByWebhookId(webhookId);
      const numbers = bound.flatMap(({ source }) => [...partsOfSource(source, parts.length)]);
      return index(self, new Set([own, ...numbers]), budget);
    },
    all: (self, budget) => {
      all ??= index(self, parts.keys(), budget);
      all.catch(() => {
        all = undefined;
      });
      return all;
    },
  };
}

function nothingPublished(check: Rules["check"]): Rules {
  const compiled = { version: 1, relay: "", clusters: {}, bindings: [] } as const;
  const index = async (self: AwsLocation) => createBindingIndex(compiled, self);
  return { relay: "", clusters: {}, generation: 0, check, find: index, all: index };
}

/** Reads parts, and keeps the last few of them by their hash. */
function partCache(readObject: ReadObject): ReadParts {
  const cached = new Map<string, readonly Binding[]>();
  const readPart = async (hash: string, clusters: Pointer["clusters"], budget: TimeBudget) => {
    const known = cached.get(hash);
    if (known !== undefined) return known;
    const key = keyOfPart(hash);
    const answer = await readObject({ key }, budget);
    if (answer.kind !== "object") throw new BindingsDamaged(key, "is missing");
    const bindings = parsePart(answer.body, hash, clusters);
    cached.set(hash, bindings);
    const [oldest] = cached.keys();
    if (cached.size > PARTS_CACHED_MAX && oldest !== undefined) cached.delete(oldest);
    return bindings;
  };
  return async (pointer, numbers, budget) => {
    const hashes = [...numbers].map((number) => pointer.parts[number] ?? "").filter((hash) => hash !== "");
    const [only = ""] = hashes;
    if (hashes.length === 1) return readPart(only, pointer.clusters, budget);
    const read: (readonly Binding[])[] = [];
    for (const batch of batchesOf(hashes)) {
      read.push(...(await Promise.all(batch.map((hash) => readPart(hash, pointer.clusters, budget)))));
    }
    return mergeParts(read);
  };
}

function* batchesOf(hashes: readonly string[]): Generator<readonly string[]> {
  for (let start = 0; start < hashes.length; start += PARTS_AT_ONCE) {
    yield hashes.slice(start, start + PARTS_AT_ONCE);
  }
}

/** Parsed, a part is about 100 kB. */
const PARTS_CACHED_MAX = 32;

const PARTS_AT_ONCE = 16;
