import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import partSchema from "../../shared/bindings/published/part.schema.json" with { type: "json" };
import { hashOfPart, parsePart } from "../../shared/bindings/published/part.ts";
import pointerSchema from "../../shared/bindings/published/pointer.schema.json" with { type: "json" };
import {
  BindingsDamaged,
  type Pointer,
  parsePointer,
  printPointer,
} from "../../shared/bindings/published/pointer.ts";
import { openBindingsStore } from "../harness/bindings-store.ts";
import { runs } from "../harness/property-runs.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend } from "../harness/use-scene.ts";

const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false });
const isPointer = ajv.compile(pointerSchema);
const isPart = ajv.compile(partSchema);

/** Every field of a compiled binding and cluster at least once. */
const CLUSTERS = {
  main: { name: "prod", region: "eu-west-1" },
  other: {
    name: "prod",
    region: "eu-west-2",
    roleArn: "arn:aws:iam::111122223333:role/relay",
    externalSecrets: { namespaces: ["shop"] },
  },
};
const target = (name: string, more: object = {}) => ({ cluster: "main", namespace: "shop", name, ...more });
const BINDINGS = [
  {
    source: "prod/all",
    targets: [target("all", { restart: "auto", nudge: true, checkPods: true, events: true })],
  },
  {
    source: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf",
    keys: {
      user: "username",
      url: { template: "{{ username }}" },
      length: { jmespath: "length(url)" },
      raw: { key: "raw", decode: "base64" },
    },
    stage: "AWSPREVIOUS",
    labels: { team: "shop" },
    annotations: { team: "shop" },
    deletionPolicy: "delete",
    foreignKeys: "remove",
    immutable: true,
    onChange: "replace",
    webhookId: "db",
    targets: [target("db", { restart: [{ kind: "Deployment", name: "web" }] })],
  },
  { source: "prod/value", value: "value", decode: "base64", ownership: "keys", targets: [target("value")] },
  {
    source: "prod/extracted",
    extract: {
      jmespath: "main",
      decode: "auto",
      include: ["a*"],
      exclude: ["ab"],
      rename: [{ pattern: "a*", to: "b*" }],
    },
    targets: [{ ...target("extracted"), cluster: "other" }],
  },
  {
    sources: [
      { source: "prod/one", name: "one" },
      { source: "prod/two", keys: ["b"] },
    ],
    keys: { both: { template: "{{ one }}" } },
    collisions: "last",
    targets: [target("several")],
  },
];

const used = useBackend(startSandboxBackend);

async function publishAll() {
  const store = await openBindingsStore(used.backend);
  await store.publish(BINDINGS, undefined, CLUSTERS);
  await store.publish(BINDINGS.slice(1), undefined, CLUSTERS);
  await store.rollBackTo(1);
  const pointers: Pointer[] = [];
  for await (const { versionId } of store.bucket.listPointerVersions()) {
    const stored = await store.bucket.readPointer(versionId);
    if (stored !== undefined) pointers.push(stored.pointer);
  }
  const hashes = [...new Set(pointers.flatMap(({ parts }) => parts))].filter((hash) => hash !== "");
  const parts = await Promise.all(hashes.map(async (hash) => (await store.bucket.readPart(hash)) ?? ""));
  store.close();
  return { pointers, parts };
}

describe("published objects", () => {
  it("are valid by their schemas", async () => {
    const { pointers, parts } = await publishAll();

    expect(pointers.map(({ generation }) => generation)).toEqual([3, 2, 1]);
    for (const pointer of pointers) expect(isPointer(pointer), ajv.errorsText(isPointer.errors)).toBe(true);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(isPart(JSON.parse(part)), ajv.errorsText(isPart.errors)).toBe(true);
  });

  it("have every field of the schemas, and no other", async () => {
    const { pointers, parts } = await publishAll();
    const published = [...pointers, ...parts.map((part) => JSON.parse(part))];

    const unused = [...fieldsOf(pointerSchema), ...fieldsOf(partSchema)].filter(
      (field) => !keysIn(published).has(field),
    );
    expect(unused).toEqual(["endpoint", "certificateAuthorityData", "versionId"]);
    for (const each of published) {
      const isStrict = ajv.compile(closed("generation" in each ? pointerSchema : partSchema));
      expect(isStrict(each), ajv.errorsText(isStrict.errors)).toBe(true);
    }
  });

  it("are read exactly if their schemas accept them, wherever they are damaged", {
    timeout: 60_000,
  }, async () => {
    const { pointers, parts } = await publishAll();
    const { clusters } = pointers[0] as Pointer;
    const wholes = [...pointers, ...parts.map((part) => JSON.parse(part))];
    const tally = { read: 0, refused: 0 };
    fc.assert(
      fc.property(fc.constantFrom(...wholes), fc.nat(), anyDamage, (whole, where, damage) => {
        const damaged = damageAt(structuredClone(whole), where, damage);
        const isOfPointer = "generation" in whole;

        const isRead = canRead(() =>
          isOfPointer ? readPointer(damaged) : readPart(JSON.stringify(damaged), clusters),
        );

        tally[isRead ? "read" : "refused"] += 1;
        const isValid = isOfPointer
          ? isPointer(damaged) && isPowerOfTwo(damaged.parts)
          : isPart(damaged) && hasKnownClusters(damaged.bindings, clusters);
        expect(isRead).toBe(isValid);
      }),
      { numRuns: runs(1_500) },
    );
    expect(Math.min(tally.read, tally.refused)).toBeGreaterThan(50);
  });
});

const readPointer = (value: unknown) => parsePointer(printPointer(value as Pointer));
const readPart = (text: string, clusters: Pointer["clusters"]) => parsePart(text, hashOfPart(text), clusters);

function canRead(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof BindingsDamaged) return false;
    throw error;
  }
}

// What the schemas cannot say.
const isPowerOfTwo = (parts: unknown): boolean => Number.isInteger(Math.log2((parts as unknown[]).length));
const hasKnownClusters = (bindings: unknown, clusters: object): boolean =>
  (bindings as { target: { cluster: string } }[]).every(({ target: { cluster } }) =>
    Object.hasOwn(clusters, cluster),
  );

type Damage = { readonly kind: "remove" } | { readonly kind: "replace" | "add"; readonly by: unknown };

const anyDamage: fc.Arbitrary<Damage> = fc.oneof(
  fc.constant<Damage>({ kind: "remove" }),
  fc.record({
    kind: fc.constantFrom("replace" as const, "add" as const),
    by: fc.oneof(
      fc.constantFrom<unknown>(null, true, 0, 1, -1, 1.5, 2 ** 53, "", "all", "auto", "none", "main", [], {}),
      fc.constantFrom<unknown>([""], [{}], ["x"], { keys: {} }, { key: "x" }, { key: 1, template: "x" }),
      fc.jsonValue({ maxDepth: 2 }),
    ),
  }),
);

/** Changes the n-th place of a JSON value. */
function damageAt(root: Record<string, unknown>, where: number, damage: Damage): Record<string, unknown> {
  const places: [Record<string, unknown>, string][] = [];
  const walk = (at: unknown): void => {
    if (typeof at !== "object" || at === null) return;
    for (const key of Object.keys(at)) {
      places.push([at as Record<string, unknown>, key]);
      walk((at as Record<string, unknown>)[key]);
    }
  };
  walk(root);
  const [map, key] = places[where % places.length] ?? [root, "version"];
  if (damage.kind === "replace") map[key] = damage.by;
  else if (damage.kind === "add")
    Array.isArray(map) ? map.push(damage.by) : Object.assign(map, { added: damage.by });
  else if (Array.isArray(map)) map.splice(Number(key), 1);
  else delete map[key];
  return root;
}

type Schema = { readonly properties?: object; readonly [keyword: string]: unknown };

/** The schema with no field but those that it describes. */
function closed(schema: unknown): Schema {
  if (Array.isArray(schema)) return schema.map(closed) as unknown as Schema;
  if (typeof schema !== "object" || schema === null) return schema as never;
  const entries = Object.entries(schema).map(([key, value]) => [key, closed(value)]);
  const copy = Object.fromEntries(entries) as Schema;
  return Array.isArray(copy.required) && copy.properties !== undefined
    ? { ...copy, additionalProperties: false }
    : copy;
}

function fieldsOf(schema: unknown): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties = {} } = schema as Schema;
  return [...new Set([...Object.keys(properties), ...Object.values(schema).flatMap(fieldsOf)])];
}

function keysIn(value: unknown): ReadonlySet<string> {
  if (typeof value !== "object" || value === null) return new Set();
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return new Set([...own, ...Object.values(value).flatMap((inner) => [...keysIn(inner)])]);
}
