import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { findQueriesIn } from "../../cli/import-eso/expand-finds.ts";
import type { FindAnswer, FindQuery } from "../../cli/import-eso/find-query.ts";
import { readManifests } from "../../cli/import-eso/manifest.ts";
import { convert, convertOne, externalSecret, OPTIONS, pick, store } from "./manifests.ts";

const ACCOUNT = "arn:aws:secretsmanager:eu-west-1:111122223333:secret";
const listed = (...names: string[]) =>
  names.map((name) => ({ name, arn: `${ACCOUNT}:${name}-AbCdEf`, hasValue: true }));
const expand = (
  spec: object,
  answer: FindAnswer = listed("prod/db", "prod/api", "test/db"),
  more: { aws?: object } = {},
) => convertOne(spec, more, { found: () => answer });
const find = (find: object, more: object = {}) => ({ dataFrom: [{ find, ...more }] });
const byName = (regexp: string, more: object = {}, beside: object = {}) =>
  find({ name: { regexp }, ...more }, beside);
const rewrite = (...steps: [source: string, target: string][]) => ({
  rewrite: steps.map(([source, target]) => ({ regexp: { source, target } })),
});

describe("each secret that find matches is a source with its whole value", () => {
  it.each<[it: string, spec: object, sources: object[]]>([
    [
      "under its name, with _ for what a key cannot have",
      byName("^prod/"),
      [
        { source: "prod/api", value: "prod_api" },
        { source: "prod/db", value: "prod_db" },
      ],
    ],
    [
      "with conversionStrategy: Unicode",
      byName("^prod/", { conversionStrategy: "Unicode" }),
      [
        { source: "prod/api", value: "prod_U002f_api" },
        { source: "prod/db", value: "prod_U002f_db" },
      ],
    ],
    [
      "decoded",
      byName("db$", { decodingStrategy: "Base64" }),
      [
        { source: "prod/db", value: "prod_db", decode: "base64" },
        { source: "test/db", value: "test_db", decode: "base64" },
      ],
    ],
    [
      "renamed by expressions in turn, also by ones that no pattern can express",
      byName("^prod/", {}, rewrite(["[^a-z]", "-"], ["(?P<all>.+)", "x_$all$$"], ["\\$", ""])),
      [
        { source: "prod/api", value: "x_prod-api" },
        { source: "prod/db", value: "x_prod-db" },
      ],
    ],
    [
      "without those whose new name is empty",
      byName("^prod/", {}, rewrite(["^prod/db$", ""], ["prod/", ""])),
      [{ source: "prod/api", value: "api" }],
    ],
  ])("%s", (_, spec, sources) => {
    const [only, ...more] = sources;
    expect(expand(spec)).toMatchObject({
      rules: more.length === 0 ? only : { sources },
      notes: expect.arrayContaining(["FIND_FIXED"]),
    });
    expect(expand(spec).rules).not.toHaveProperty("collisions");
  });

  it("and a note says that Auto decodes what only looks encoded", () => {
    const { rules, notes } = expand(byName("^prod/db$", { decodingStrategy: "Auto" }));
    expect(rules).toMatchObject({ source: "prod/db", value: "prod_db", decode: "auto" });
    expect(notes).toContain("AUTO_DECODES");
  });

  it("and data or a later extract wins a key, as with the operator", () => {
    const spec = { ...byName("^prod/"), data: [pick("prod_db", { property: "password" })] };
    expect(expand(spec)).toMatchObject({
      rules: {
        sources: [
          { source: "prod/api", value: "prod_api" },
          { source: "prod/db", value: "prod_db" },
          { source: "prod/db", keys: { prod_db: "password" } },
        ],
        collisions: "last",
      },
    });
  });

  it("and templates use their keys", () => {
    const template = { data: { url: "{{ .prod_db }}:{{ .prod_api }}", one: "{{ .prod_db }}", none: "text" } };
    expect(expand({ ...byName("^prod/"), target: { template } })).toMatchObject({
      rules: {
        sources: [
          { source: "prod/db", value: "one" },
          { source: "prod/db", name: "db" },
          { source: "prod/api", name: "api" },
        ],
        keys: { url: { template: "{{ db }}:{{ api }}" }, none: { template: "text" } },
      },
    });
  });

  it("by its ARN if the store reads elsewhere, with the suffix if the name alone is not clear", () => {
    const far = (name: string) => `arn:aws:secretsmanager:us-east-1:111122223333:secret:${name}`;
    const answer = ["prod/db", "team-abcdef"].map((name) => ({
      name,
      arn: `${far(name)}-AbCdEf`,
      hasValue: true,
    }));
    expect(expand(byName(""), answer, { aws: { region: "us-east-1" } })).toMatchObject({
      rules: {
        sources: [
          { source: far("prod/db"), value: "prod_db" },
          { source: far("team-abcdef-AbCdEf"), value: "team-abcdef" },
        ],
      },
    });
  });

  it("and with tags alone, or with a path, the prefix of the store and secrets without a value do not count", () => {
    const answer = [...listed("prod/db"), { name: "prod/empty", arn: "", hasValue: false }];
    for (const spec of [find({ tags: { team: "shop" } }), byName("prod", { path: "prod/" })]) {
      expect(expand(spec, answer, { aws: { prefix: "team/" } })).toMatchObject({
        rules: { source: "prod/db", value: "prod_db" },
      });
    }
  });
});

describe("AWS is asked with the filters of the operator:", () => {
  const queriesOf = (entries: object[], aws: object = {}): FindQuery[] => {
    const text = [store(aws), externalSecret({ dataFrom: entries })].map((object) => stringify(object));
    return findQueriesIn(readManifests("x.yaml", text.join("---\n")).manifests, OPTIONS);
  };
  const here = { region: "eu-west-1", accountId: "111122223333" };

  it.each<[it: string, find: object, filters: object[]]>([
    ["a name alone lists every secret", { name: { regexp: "x" } }, []],
    [
      "each tag is two independent filters",
      { tags: { team: "shop", env: "prod" } },
      [
        { Key: "tag-key", Values: ["team"] },
        { Key: "tag-value", Values: ["shop"] },
        { Key: "tag-key", Values: ["env"] },
        { Key: "tag-value", Values: ["prod"] },
      ],
    ],
    [
      "a path is the start of the name",
      { name: { regexp: "x" }, path: "prod/" },
      [{ Key: "name", Values: ["prod/"] }],
    ],
  ])("%s", (_, find, filters) => {
    expect(queriesOf([{ find }])).toEqual([{ ...here, filters }]);
  });

  it("the same question is asked once", () => {
    const one = { find: { name: { regexp: "a" } } };
    expect(queriesOf([one, { find: { name: { regexp: "b" } } }])).toHaveLength(1);
  });

  it("the Region and the account are those of the store", () => {
    const role = "arn:aws:iam::444455556666:role/eso";
    expect(queriesOf([{ find: { name: { regexp: "a" } } }], { region: "us-east-1", role })).toEqual([
      { region: "us-east-1", accountId: "444455556666", filters: [] },
    ]);
  });
});

describe("a find is refused", () => {
  const objectionsOf = (spec: object, answer?: FindAnswer, aws: object = {}) =>
    convert([store(aws), externalSecret(spec)], { found: () => answer ?? listed("prod/db", "prod.db") })
      .notConverted.flatMap(({ objections }) => objections)
      .map(({ path, code, reason }) => `${path} ${code}: ${reason}`);
  const AT = "spec.dataFrom[0].find";

  it.each<[it: string, spec: object, objection: RegExp, answer?: FindAnswer | undefined, aws?: object]>([
    ["if it matches nothing", byName("nope"), /find FIND: it matches no secret today/],
    ["if two secrets get one key", byName("", {}, rewrite([".*", "same"])), /find FIND: .*the key "same"/],
    [
      "if two names become one key",
      byName(""),
      /find FIND: .*the key "prod_db"/,
      listed("prod/db", "prod_db"),
    ],
    ["without name and tags", find({ path: "prod/" }), /find FIND: it has neither name nor tags/],
    [
      "with an expression that Go refuses",
      byName("(?=x)"),
      /find\.name\.regexp FIND: it is not a regular expression of Go/,
    ],
    [
      "with a rewrite that Go refuses",
      byName("", {}, rewrite(["a**", "b"])),
      /rewrite\[0\]\.regexp REWRITE: it is not/,
    ],
    [
      "with a rewrite by a template",
      byName("", {}, { rewrite: [{ transform: { template: "x" } }] }),
      /transform REWRITE: after find only regexp/,
    ],
    ["with a merge", byName("", {}, { rewrite: [{ merge: {} }] }), /merge REWRITE: after find only regexp/],
    [
      "if a key is not one of Kubernetes",
      byName("/", {}, rewrite(["^", "ä&"])),
      /find FIND: the secret prod\/db would have the key "ä&prod\/db"/,
    ],
    [
      "by name with a store's prefix",
      byName("x"),
      /find FIND: the store has the prefix team\//,
      undefined,
      { prefix: "team/" },
    ],
    [
      "with more tags than AWS takes",
      find({ tags: Object.fromEntries([..."abcdef"].map((key) => [key, "x"])) }),
      /find FIND: AWS does not take/,
    ],
    ["with a tag that AWS does not take", find({ tags: { team: "ä" } }), /find FIND: AWS does not take/],
    [
      "together with extract",
      find({ name: { regexp: "" } }, { extract: { key: "a" } }),
      /extract FIELD_MALFORMED/,
    ],
    [
      "with an unknown strategy",
      byName("", { conversionStrategy: "None" }),
      /conversionStrategy FIELD_MALFORMED/,
    ],
    ["with nullBytePolicy: Fail", byName("", { nullBytePolicy: "Fail" }), /nullBytePolicy NULL_BYTE_POLICY/],
    ["with an unknown field", byName("", { sort: true }), /find\.sort FIELD_UNKNOWN/],
    [
      "if AWS cannot be asked",
      byName(""),
      /find FIND: the store reads in account/,
      "the store reads in account 444455556666",
    ],
    [
      "by name if a secret has no value",
      byName("empty"),
      /find FIND: prod\/empty has no current value/,
      [{ name: "prod/empty", arn: "", hasValue: false }],
    ],
    [
      "if it matches more secrets than a binding has sources",
      byName(""),
      /find FIND: it matches 51 secrets/,
      listed(...Array.from({ length: 51 }, (_, index) => `a${index}`)),
    ],
    [
      "if AWS lists a hostile name, which is not shown",
      byName(""),
      /find FIND: AWS lists a secret whose name is not valid$/,
      listed("a", "\u001b[2Jx: y\n- z"),
    ],
    [
      "if AWS lists an ARN as a name",
      byName(""),
      /find FIND: AWS lists a secret whose name/,
      listed(`${ACCOUNT}:a-AbCdEf`),
    ],
  ])("%s", (_, spec, objection, answer, aws) => {
    const objections = objectionsOf(spec, answer, aws);
    expect(objections.join("\n")).toMatch(objection);
    for (const each of objections) expect(each).not.toMatch(/\p{Cc}/u);
  });

  it("without the option, and the refusal names it", () => {
    const { notConverted } = convert([store(), externalSecret(byName(""))]);
    expect(notConverted).toMatchObject([
      { objections: [{ path: AT, code: "FIND", reason: expect.stringContaining("--expand-find") }] },
    ]);
  });
});
