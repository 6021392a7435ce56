import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { compareWithPublished } from "../../cli/publish/compare-with-published.ts";
import { rowsOfDiff } from "../../cli/publish/print-diff.ts";
import { publishBindings } from "../../cli/publish/publish-bindings.ts";
import type { BindingEntry, BindingsFile, TargetEntry } from "../../shared/bindings/bindings-file.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { anyBindingsFile } from "../bindings/any-bindings-file.ts";
import { runs } from "../harness/property-runs.ts";
import { memoryBucket } from "./memory-bucket.ts";

const PUBLISHER = { callerArn: "", now: () => 0, reportProgress: () => {} };
const clusters = {
  main: {
    name: "prod-eks",
    region: "eu-west-1",
    externalSecrets: { namespaces: ["shop", "pay"] },
  },
};

type Rules = Omit<BindingEntry, "targets">;
type TargetRules = Omit<TargetEntry, "name">;

const DB = { source: "prod/db" };
const NAMED = {
  sources: [
    { source: "prod/db", name: "db" },
    { source: "prod/api", name: "api" },
  ],
};
const FORMS: Readonly<Record<string, Rules>> = {
  "all keys": DB,
  "a list of keys": { ...DB, keys: ["user", "password"] },
  "renamed keys": { ...DB, keys: { USER: "user", PASSWORD: "password" } },
  "a key with a decoding": { ...DB, keys: { PASSWORD: { key: "password", decode: "base64" } } },
  "an expression": { ...DB, keys: { HOST: { jmespath: "hosts[0].name" }, PORT: "port" } },
  "a template": { ...DB, keys: { URL: { template: "db://{{ user }}@db" } } },
  "the whole value": { ...DB, value: "db.json" },
  "a decoded value": { ...DB, value: "file", decode: "auto" },
  "extracted keys": {
    ...DB,
    extract: {
      jmespath: "admin",
      include: ["db_*", "api_*"],
      exclude: ["*_old"],
      rename: [{ pattern: "db_*", to: "DB_*" }],
    },
  },
  "decoded keys": { ...DB, extract: { decode: "base64url" } },
  "a staging label": { ...DB, stage: "AWSPREVIOUS" },
  "a pinned version": { ...DB, versionId: "123e4567-e89b-12d3-a456-426614174000" },
  "several sources": {
    sources: [
      { source: "prod/db", keys: ["user"] },
      { source: "prod/api", keys: { KEY: { template: "{{ key }}" } } },
    ],
    collisions: "last",
  },
  "named sources": {
    ...NAMED,
    keys: { URL: { template: "{{ db.user }}:{{ api.key }}" }, USER: { template: "{{ db.user }}" } },
  },
};
const EXTRAS: readonly Partial<Rules>[] = [
  { type: "example.com/config" },
  { labels: { team: "shop" }, annotations: { "example.com/owner": "team-shop", note: "a: b" } },
  { adopt: true, deletionPolicy: "delete" },
  { foreignKeys: "remove" },
  { immutable: true, onChange: "replace" },
  { webhookId: "hook-of-the-shop-team" },
];
const TARGETS: readonly TargetRules[] = [
  { nudge: true, checkPods: true, events: true },
  { restart: "auto" },
  {
    restart: [
      { kind: "Deployment", name: "web" },
      { kind: "StatefulSet", name: "db" },
    ],
  },
  { restart: { workloads: [{ kind: "Rollout", name: "web" }], delaySeconds: 5, order: "sequence" } },
];

const bindingOf = (name: string, rules: Rules, at: TargetRules = {}): BindingEntry => ({
  ...rules,
  targets: [{ cluster: "main", namespace: "shop", name, ...at }],
});
const fileOf = (bindings: readonly BindingEntry[]): BindingsFile => ({ version: 1, clusters, bindings });

/** What publish shows for `after` when `before` is in force. */
async function differenceOf(before: BindingsFile, after: BindingsFile) {
  const { bucket } = memoryBucket();
  await publishBindings(bucket, load(before), undefined, PUBLISHER);
  const diff = await compareWithPublished(bucket, load(after), await bucket.readPointer());
  return { diff, rows: rowsOfDiff(diff) };
}

const load = (file: BindingsFile) => loadBindings(stringify(file), "bindings.yaml");

const NEW = bindingOf("appended", { source: "prod/appended" });
const append = ({ bindings, ...file }: BindingsFile): BindingsFile => ({
  ...file,
  clusters: { ...file.clusters, ...clusters },
  bindings: [...bindings, NEW],
});

/** The same file, with the keys of each map in the reverse order. */
function reversed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reversed) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, reversed(inner)] as const);
  return Object.fromEntries(entries.toReversed()) as T;
}

const onlyOneIsNew = { added: [{ target: { name: "appended" } }], removed: [], changed: [] };

describe("an appended binding is the only difference", () => {
  it.each(Object.keys(FORMS))("to a binding of %s", async (form) => {
    const file = fileOf([bindingOf("db", FORMS[form] as Rules)]);
    expect((await differenceOf(file, append(file))).diff).toMatchObject({
      ...onlyOneIsNew,
      clusters: { added: [], removed: [], changed: [] },
    });
  });

  it.each(EXTRAS)("to a binding with %j", async (extra) => {
    const file = fileOf([bindingOf("db", { ...DB, ...extra })]);
    expect((await differenceOf(file, append(file))).diff).toMatchObject(onlyOneIsNew);
  });

  it.each(TARGETS)("to a target with %j", async (at) => {
    const file = fileOf([bindingOf("db", DB, at)]);
    expect((await differenceOf(file, append(file))).diff).toMatchObject(onlyOneIsNew);
  });

  it("to any bindings of these forms, in any layout of the file", async () => {
    const anyRules = fc
      .tuple(fc.constantFrom(...Object.values(FORMS)), fc.subarray([...EXTRAS]))
      .map(([form, extras]): Rules => Object.assign({}, form, ...extras));
    const anyOne = fc.tuple(anyRules, fc.constantFrom({}, ...TARGETS));
    await fc.assert(
      fc.asyncProperty(fc.array(anyOne, { maxLength: 6 }), async (all) => {
        const file = fileOf(all.map(([rules, at], index) => bindingOf(`db-${index}`, rules, at)));
        expect((await differenceOf(file, reversed(append(file)))).diff).toMatchObject(onlyOneIsNew);
      }),
      { numRuns: runs(50) },
    );
  });

  it("to any file", async () => {
    await fc.assert(
      fc.asyncProperty(anyBindingsFile, async (file) => {
        expect((await differenceOf(file, append(file))).diff).toMatchObject(onlyOneIsNew);
      }),
      { numRuns: runs(50) },
    );
  });
});

describe("a difference is shown in words:", () => {
  const changeOf = async (before: Rules, after: Rules) => {
    const { rows } = await differenceOf(fileOf([bindingOf("db", before)]), fileOf([bindingOf("db", after)]));
    return rows.map(({ change, details }) => [change, ...details]);
  };
  it("the keys that named sources make", async () => {
    const { rows } = await differenceOf(
      fileOf([]),
      fileOf([bindingOf("db", FORMS["named sources"] as Rules)]),
    );
    expect(rows[0]?.details).toEqual(["keys: URL, USER made from prod/db, prod/api"]);
  });

  it("the keys beside those of named sources", async () => {
    const [first, second] = NAMED.sources;
    const rules = { sources: [{ ...first, keys: ["user"] }, second], keys: { A: { template: "{{ api }}" } } };
    const { rows } = await differenceOf(fileOf([]), fileOf([bindingOf("db", rules as Rules)]));
    expect(rows[0]?.details).toEqual(["keys: user of prod/db, A made from prod/db, prod/api"]);
  });

  it.each<[it: string, before: Rules, after: Rules, details: string[]]>([
    [
      "a template of a named source",
      { ...NAMED, keys: { URL: { template: "{{ db }}" }, B: { template: "b" } } },
      { ...NAMED, keys: { URL: { template: "{{ api }}" }, B: { template: "b" } } },
      ["how URL is made"],
    ],
    [
      "a further key of a named source",
      { ...NAMED, keys: { URL: { template: "{{ db }}" } } },
      { ...NAMED, keys: { URL: { template: "{{ db }}" }, B: { template: "b" } } },
      ["keys: URL made from prod/db, prod/api -> URL, B made from prod/db, prod/api"],
    ],
    [
      "a template of one source",
      { ...DB, keys: { URL: { template: "{{ user }}" } } },
      { ...DB, keys: { URL: { template: "{{ host }}" } } },
      ["how URL is made"],
    ],
    ["a version", DB, { ...DB, stage: "AWSPREVIOUS" }, ["version, name or decoding of a source"]],
  ])("%s", async (_, before, after, details) => {
    expect(await changeOf(before, after)).toEqual([["changed", ...details]]);
  });

  it("a restart", async () => {
    const files = [
      fileOf([bindingOf("db", DB)]),
      fileOf([bindingOf("db", DB, { restart: "auto" })]),
    ] as const;
    const { rows } = await differenceOf(...files);
    expect(rows[0]?.details).toEqual([expect.stringMatching(/^restart: none -> \{.*"workloads":"auto"/)]);
  });
});
