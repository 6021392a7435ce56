import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  affectedBy,
  type Lookups,
  mayBeAffected,
  nameSearchesOf,
  type SourceChange,
  type Tags,
} from "../../shared/external-secrets/find-affected.ts";
import type { MatchName } from "../../shared/external-secrets/match-name.ts";
import type { ExternalSecret, SecretStore } from "../../shared/external-secrets/objects.ts";
import { parseExternalSecret, parseSecretStore } from "../../shared/external-secrets/parse-objects.ts";
import { parseSecretReference } from "../../shared/source/parse-secret-reference.ts";
import { anySecretName, anySuffix } from "../source/arbitraries.ts";

const SELF = { partition: "aws", region: "eu-west-1", accountId: "111122223333" };
const arnOf = (name: string, suffix: string, { region, accountId } = SELF): string =>
  `arn:aws:secretsmanager:${region}:${accountId}:secret:${name}-${suffix}`;

/** The change in an event for that secret. */
function changeOf(name: string, suffix = "AbCdEf"): SourceChange {
  const source = parseSecretReference(arnOf(name, suffix), "full-arn");
  if (source === undefined) throw new Error("no ARN of a secret");
  return { source, webhookIds: [], self: SELF };
}

const storeOf = (aws: object = {}): SecretStore => {
  const spec = { provider: { aws: { service: "SecretsManager", region: SELF.region, ...aws } } };
  return parseSecretStore({ metadata: { name: "aws" }, spec }, "SecretStore") as SecretStore;
};
/** As long as no test says otherwise, JavaScript's expressions stand for RE2's. */
const findIn = (store: SecretStore | undefined, matches: MatchName = matchesHere): Lookups => ({
  findStore: () => store,
  matches,
});
const matchesHere: MatchName = ({ regexp, name }) => new RegExp(regexp).test(name);

function externalSecret(spec: object, annotations: object = {}): ExternalSecret {
  const raw = {
    metadata: { namespace: "shop", name: "db", annotations },
    spec: { secretStoreRef: { name: "aws" }, ...spec },
  };
  return parseExternalSecret(raw) as ExternalSecret;
}
const reading = (key: string, more: object = {}) =>
  externalSecret({ data: [{ secretKey: "x", remoteRef: { key, ...more } }] });
const finding = (find: object) => externalSecret({ dataFrom: [{ find }] });

describe("a remote key", () => {
  it("matches the source by name, full ARN or partial ARN, also split by the store's prefix", () => {
    fc.assert(
      fc.property(anySecretName, anySuffix, fc.nat(511), (name, suffix, cut) => {
        const prefix = name.slice(0, cut % name.length);
        const change = changeOf(name, suffix);

        const cases: [ExternalSecret, SecretStore][] = [
          [reading(name), storeOf()],
          [reading(arnOf(name, suffix)), storeOf()],
          [reading(name.slice(prefix.length)), storeOf({ prefix })],
        ];

        for (const [external, store] of cases) {
          expect(affectedBy(change, external, findIn(store), undefined)).toBe("yes");
        }
      }),
    );
  });

  it("never matches another name in the same location", () => {
    fc.assert(
      fc.property(anySecretName, anySecretName, (name, other) => {
        fc.pre(name !== other);

        expect(affectedBy(changeOf(name), reading(other), findIn(storeOf()), undefined)).toBe("no");
      }),
    );
  });

  it.each([
    { it: "in the store's Region", aws: { region: "us-east-1" }, want: "no" },
    {
      it: "in the account of the store's role",
      aws: { role: "arn:aws:iam::444455556666:role/eso" },
      want: "no",
    },
    {
      it: "in the source's account by a role with a path",
      aws: { role: "arn:aws:iam::111122223333:role/a/b" },
      want: "yes",
    },
    { it: "in a store of Parameter Store", aws: { service: "ParameterStore" }, want: "no" },
  ])("is resolved $it", ({ aws, want }) => {
    expect(affectedBy(changeOf("prod/db"), reading("prod/db"), findIn(storeOf(aws)), undefined)).toBe(want);
  });

  it("of a missing store is compared as a name", () => {
    const look = (key: string) => affectedBy(changeOf("prod/db"), reading(key), findIn(undefined), undefined);

    expect([look("prod/db"), look("prod/other")]).toEqual(["yes", "no"]);
  });

  it("is affected with a staging label, and not with a pinned version", () => {
    const look = (version: string) =>
      affectedBy(changeOf("prod/db"), reading("prod/db", { version }), findIn(storeOf()), undefined);

    expect([look("uuid/0a1b"), look("AWSCURRENT"), look("AWSPREVIOUS")]).toEqual(["no", "yes", "yes"]);
  });

  it("that is an ARN does not match after the prefix of the store", () => {
    const external = reading(arnOf("prod/db", "AbCdEf"));

    expect(affectedBy(changeOf("prod/db"), external, findIn(storeOf({ prefix: "prod/" })), undefined)).toBe(
      "no",
    );
  });
});

describe("a search", () => {
  const look = (find: object, tags?: Tags | "unreadable", aws: object = {}) =>
    affectedBy(changeOf("prod/db"), finding(find), findIn(storeOf(aws)), tags);

  it.each([
    { it: "matches a part of the name", find: { name: { regexp: "d.b?$" } }, want: "yes" },
    { it: "does not match another name", find: { name: { regexp: "^db" } }, want: "no" },
    { it: "matches with the path of the name", find: { path: "prod", name: { regexp: "db" } }, want: "yes" },
    { it: "does not match with another path", find: { path: "staging", name: { regexp: "db" } }, want: "no" },
    { it: "without name and tags, which ESO refuses, matches nothing", find: { path: "prod" }, want: "no" },
    { it: "needs the tags if only they can decide", find: { tags: { team: "shop" } }, want: "tags-needed" },
    {
      it: "needs no tags if the name does not match",
      find: { name: { regexp: "^x" }, tags: { a: "b" } },
      want: "no",
    },
  ])("$it", ({ find, want }) => expect(look(find)).toBe(want));

  it("counts as a match while its expression is not decided", () => {
    const lookups = findIn(storeOf(), () => undefined);
    const external = finding({ name: { regexp: "^x" } });
    expect(affectedBy(changeOf("prod/db"), external, lookups, undefined)).toBe("yes");
  });

  it("needs a decision for the whole name and for the name after the store's prefix", () => {
    const { findStore } = findIn(storeOf({ prefix: "prod/" }));
    const find = { name: { regexp: "^db" } };
    const searches = (more: object) =>
      nameSearchesOf(changeOf("prod/db"), finding({ ...find, ...more }), findStore);
    expect(searches({})).toEqual(["prod/db", "db"].map((name) => ({ regexp: "^db", name })));
    expect(searches({ path: "staging" })).toEqual([]);
  });

  it.each([
    { tags: { team: "shop" }, want: "yes" },
    { tags: { team: "orders", of: "shop" }, want: "yes" },
    { tags: { teams: "shopping" }, want: "yes" },
    { tags: { team: "orders" }, want: "no" },
    { tags: { of: "shop" }, want: "no" },
    { tags: {}, want: "no" },
  ])("for the tag team=shop returns $want for $tags, as the filter of Secrets Manager", ({ tags, want }) => {
    expect(look({ tags: { team: "shop" } }, tags)).toBe(want);
  });

  it("counts as a match if the tags cannot be read", () => {
    expect(look({ tags: { team: "shop" } }, "unreadable")).toBe("yes");
  });

  it("is limited to the Region of the store", () => {
    expect(look({ name: { regexp: ".*" } }, undefined, { region: "us-east-1" })).toBe("no");
  });
});

describe("a webhook id", () => {
  const WEBHOOK_ID = "reconcile.external-secrets.io/webhook-id";
  const look = (id: string, change: SourceChange) =>
    affectedBy(change, externalSecret({}, { [WEBHOOK_ID]: id }), findIn(undefined), undefined);
  const called = { webhookIds: ["shop-database"], self: SELF };

  it.each([
    { it: "matches the id of the call", id: "shop-database", change: called, want: "yes" },
    { it: "does not match another id", id: "shop-queue", change: called, want: "no" },
    { it: "matches the name of the source", id: "prod/db", change: changeOf("prod/db"), want: "yes" },
    {
      it: "matches the ARN of the source",
      id: arnOf("prod/db", "AbCdEf"),
      change: changeOf("prod/db"),
      want: "yes",
    },
    { it: "does not match another source", id: "prod/other", change: changeOf("prod/db"), want: "no" },
  ])("$it", ({ id, change, want }) => expect(look(id, change)).toBe(want));
});

it("only references that no store could make a match are excluded early", () => {
  fc.assert(
    fc.property(anySecretName, fc.nat(600), anySecretName, (name, cut, other) => {
      const change = changeOf(name);
      const prefix = name.slice(0, cut % (name.length + 1));
      const externals = [reading(name.slice(prefix.length)), reading(other), reading(arnOf(name, "AbCdEf"))];

      for (const external of externals) {
        const store = storeOf({ prefix });
        const concern = affectedBy(change, external, findIn(store), undefined);
        if (concern === "yes") expect(mayBeAffected(change, external)).toBe(true);
      }
    }),
  );
  expect(mayBeAffected(changeOf("prod/db"), reading("prod/queue"))).toBe(false);
});
