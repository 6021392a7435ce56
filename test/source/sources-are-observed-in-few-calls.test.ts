import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SourceThrottled } from "../../shared/source/errors.ts";
import type { SecretReference } from "../../shared/source/secret-id.ts";
import { listSourceStates } from "../../shared/source/secrets-manager/list-source-states.ts";
import { namePrefixesOf } from "../../shared/source/secrets-manager/name-prefixes.ts";
import type { CatalogPage, SourceCatalog } from "../../shared/source/secrets-manager/source-catalog.ts";
import type { Source } from "../../shared/source/source.ts";
import type { SecretDescription, SourceState } from "../../shared/source/source-state.ts";
import { describeOnce } from "../../shared/sweep/describe-once.ts";
import { SELF } from "../harness/relay-metadata.ts";
import { anyBudget, arnOf, sourceOf } from "../sweep/factories.ts";

const ELSEWHERE = { ...SELF, region: "us-east-1" };

const secretOf = (name: string, more: Partial<SecretDescription> = {}): SecretDescription => ({
  Name: name,
  ARN: arnOf(name),
  SecretVersionsToStages: { [`version-of-${name}`]: ["AWSCURRENT"], old: ["AWSPREVIOUS"] },
  ...more,
});

/** Lists these in pages of 100, and records the calls. */
const catalogOf = (secrets: readonly SecretDescription[], failsAt = Infinity) => {
  const asked: { namePrefixes: readonly string[] }[] = [];
  const catalog: SourceCatalog = {
    describe: () => Promise.reject(new Error("Nothing is described here")),
    listPage: async ({ namePrefixes, nextToken = "0" }): Promise<CatalogPage> => {
      asked.push({ namePrefixes });
      if (asked.length > failsAt) throw new SourceThrottled("the list");
      const start = Number(nextToken);
      const isLast = start + 100 >= secrets.length;
      return {
        secrets: secrets.slice(start, start + 100),
        ...(!isLast && { nextToken: String(start + 100) }),
      };
    },
  };
  return { catalog, asked };
};

const names = (count: number, folder = "prod") =>
  Array.from({ length: count }, (_, at) => `${folder}/db-${at}`);

const observe = (catalog: SourceCatalog, sources: readonly SecretReference[]) =>
  listSourceStates(catalog, { sources, self: SELF, budget: anyBudget() });

describe("the versions of the sources", () => {
  it("of few sources are not listed: each source is described when needed", async () => {
    const { catalog, asked } = catalogOf([]);
    expect(await observe(catalog, names(20).map(sourceOf))).toEqual(new Map());
    expect(asked).toEqual([]);
  });

  it("of many sources are listed in pages of a hundred, filtered by the prefix of the names", async () => {
    const { catalog, asked } = catalogOf(names(250).map((name) => secretOf(name)));
    const states = await observe(catalog, names(250).map(sourceOf));
    expect(states.size).toBe(250);
    expect(states.get("prod/db-7")).toEqual({ kind: "current", versionId: "version-of-prod/db-7" });
    expect(asked).toEqual([
      { namePrefixes: ["prod/"] },
      { namePrefixes: ["prod/"] },
      { namePrefixes: ["prod/"] },
    ]);
  });

  it("are listed only until all are known", async () => {
    const { catalog, asked } = catalogOf(names(1_000).map((name) => secretOf(name)));
    await observe(catalog, names(100).map(sourceOf));
    expect(asked).toHaveLength(1);
  });

  it("are listed up to a limit in an account with far more secrets than bindings", async () => {
    const { catalog, asked } = catalogOf(names(50_000, "other").map((name) => secretOf(name)));
    expect(await observe(catalog, names(30).map(sourceOf))).toEqual(new Map());
    expect(asked).toHaveLength(10);
  });

  it("that were listed before the list failed are kept, and the others stay unknown", async () => {
    const { catalog } = catalogOf(
      names(250).map((name) => secretOf(name)),
      1,
    );
    expect((await observe(catalog, names(250).map(sourceOf))).size).toBe(100);
  });

  it("in another location are never listed", async () => {
    const { catalog, asked } = catalogOf([]);
    const sources = names(50).map((name) => sourceOf(arnOf(name, ELSEWHERE)));
    expect(await observe(catalog, sources)).toEqual(new Map());
    expect(asked).toEqual([]);
  });

  it("are also found by ARN, and a recreated secret of the same name is another one", async () => {
    const { catalog } = catalogOf(names(30).map((name) => secretOf(name)));
    const bound = names(30).map((name) => sourceOf(arnOf(name)));
    const gone = sourceOf(arnOf("prod/db-1").replace(/-AbCdEf$/, "-ZyXwVu"));
    const states = await observe(catalog, [...bound, gone]);
    expect(states.size).toBe(30);
    expect(states.has(gone.id)).toBe(false);
  });

  it("of a name with a deleted and a live secret are those of the live one", async () => {
    const secrets = names(30).map((name) => secretOf(name));
    const deleted = secretOf("prod/db-0", { DeletedDate: new Date() });
    const living: SourceState = { kind: "current", versionId: "version-of-prod/db-0" as never };
    for (const order of [
      [deleted, ...secrets],
      [...secrets, deleted],
    ]) {
      const states = await observe(catalogOf(order).catalog, names(30).map(sourceOf));
      expect(states.get("prod/db-0")).toEqual(living);
    }
  });

  it("identify a source without a current value, and one that is scheduled for deletion", async () => {
    const { catalog } = catalogOf([
      ...names(30)
        .map((name) => secretOf(name))
        .slice(2),
      secretOf("prod/db-0", { SecretVersionsToStages: { v: ["AWSPENDING"] } }),
      secretOf("prod/db-1", { DeletedDate: new Date() }),
    ]);
    const states = await observe(catalog, names(30).map(sourceOf));
    expect(states.get("prod/db-0")).toEqual({ kind: "without-value" });
    expect(states.get("prod/db-1")).toEqual({ kind: "scheduled-for-deletion" });
  });
});

describe("the prefixes of the names", () => {
  const anyName = fc
    .array(fc.constantFrom("prod", "test", "a", "b", "c", "d", "e", "f", "g", "h", "i"), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.join("/"));

  it("cover every name, and number at most ten", () => {
    fc.assert(
      fc.property(fc.array(anyName, { maxLength: 60 }), (all) => {
        const prefixes = namePrefixesOf(all);
        expect(prefixes.length).toBeLessThanOrEqual(10);
        if (prefixes.length === 0) return; // the whole account
        for (const each of all) expect(prefixes.some((prefix) => each.startsWith(prefix))).toBe(true);
      }),
    );
  });

  it.each([
    { of: ["prod/a/db", "prod/b/db"], are: ["prod/a/", "prod/b/"] },
    { of: ["prod/db", "prod/a/db"], are: ["prod/"] },
    { of: Array.from({ length: 11 }, (_, at) => `prod/team-${at}/db`), are: ["prod/"] },
    { of: ["prod/db", "db"], are: [] },
    { of: Array.from({ length: 11 }, (_, at) => `team-${at}/db`), are: [] },
    { of: [], are: [] },
  ])("of $of are $are", ({ of, are }) => expect(namePrefixesOf(of)).toEqual(are));
});

it("a source with many targets is described once, unless it is missing", async () => {
  let calls = 0;
  let state: SourceState = { kind: "scheduled-for-deletion" };
  const describeSlowly = async (): Promise<SourceState> => {
    calls += 1;
    return state;
  };
  const { describe: describeSource } = describeOnce<Pick<Source, "describe">>({ describe: describeSlowly });

  const budget = anyBudget();
  await Promise.all(names(3).flatMap((name) => [1, 2, 3].map(() => describeSource(sourceOf(name), budget))));

  expect(calls).toBe(3);
  state = { kind: "missing" };
  await describeSource(sourceOf("prod/gone"), budget);
  await describeSource(sourceOf("prod/gone"), budget);
  expect(calls).toBe(5);
});
