import { describe, expect, it } from "vitest";
import { NOTES, type NoteCode } from "../../cli/import-eso/notes.ts";
import { printConversions } from "../../cli/import-eso/print-import.ts";
import { settleNotes } from "../../cli/import-eso/settle-notes.ts";
import { writeBindings } from "../../cli/import-eso/write-bindings.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { SourceNotFound } from "../../shared/source/errors.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import { renderCurrent } from "../../shared/sync/render-current.ts";
import { MARK } from "../harness/canary.ts";
import { makeCertificates, makeSshKey } from "../harness/certificates.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { convert, externalSecret, OPTIONS, pick, store } from "./manifests.ts";

const property = (property: string) => ({ data: [pick("a", { property })] });
const extract = (more: object = {}) => ({ dataFrom: [{ extract: { key: "prod/db" }, ...more }] });
const rename = extract({ rewrite: [{ regexp: { source: "^db_", target: "" } }] });
const nested = { dataFrom: [{ extract: { key: "prod/db", property: "a" } }] };
const literal = (text: string) => ({ target: { template: { templateFrom: [{ literal: text }] } } });
const block = literal("made: |\n  x={{ .a }}\n  end\n");
const template = (text: string) => ({ target: { template: { data: { made: text } } } });
const typed = (type: string, ...keys: string[]) => ({
  target: { template: { type: `kubernetes.io/${type}` } },
  data: keys.map((key) => pick(key, { property: key.replaceAll(".", "\\.") })),
});
const { pair, otherPair } = makeCertificates();
const tls = (key: string) => JSON.stringify({ "tls.crt": pair.certificatePem, "tls.key": key });
const registry = (entry: object) =>
  JSON.stringify({ ".dockerconfigjson": JSON.stringify({ auths: { "r.example.com": entry } }) });

type Case = {
  readonly code: NoteCode;
  readonly spec: object;
  /** Values for which the operator makes another Secret. */
  readonly affected: readonly string[];
  readonly unaffected: readonly string[];
};

const CASES: readonly Case[] = [
  {
    code: "NUMBER_SPELLING",
    spec: property("a"),
    affected: ['{"a":1.10}', '{"a":1e3}', '{"a":1e+21}'],
    unaffected: ['{"a":"1.10"}', '{"a":1.5}', '{"a":123456789012345678901}', '{"a":"x","b":1.10}'],
  },
  {
    code: "NUMBER_SPELLING",
    spec: property("a.b"),
    affected: ['{"a":{"b":1.10}}'],
    unaffected: ['{"a":{"b":"x","c":1.10}}'],
  },
  {
    code: "NESTED_SPELLING",
    spec: property("a"),
    affected: ['{"a":{"b": 1}}', '{"a":["\\u0061"]}'],
    unaffected: ['{ "a": {"b":1}, "c": "x y" }', '{ "a": "x" }'],
  },
  {
    code: "NESTED_SPELLING",
    spec: extract(),
    affected: ['{"a":"x","b":[1, 2]}'],
    unaffected: ['{"a":"x", "b":[1,2]}'],
  },
  {
    code: "NESTED_SPELLING",
    spec: { ...extract(), ...template("{{ .a }}") },
    affected: ['{"a":[1, 2]}'],
    unaffected: ['{"a":"x","b":[1, 2]}'],
  },
  {
    code: "NESTED_SPELLING",
    spec: nested,
    affected: ['{"a":{"b":{"c": 1}}}', JSON.stringify({ a: '{"b":{"c": 1}}' })],
    unaffected: ['{"a":{"b":{"c":1}}}', '{"a":{"b":"x"},"c":[1, 2]}', JSON.stringify({ a: '{"b":{"c":1}}' })],
  },
  {
    code: "KEY_REPEATED",
    spec: property("a"),
    affected: ['{"a":"x","a":"y"}', '{"a":{"b":1,"b":2}}'],
    unaffected: ['{"a":"x","b":{"a":"y"},"c":[{"a":1},{"a":1}]}'],
  },
  {
    code: "PATH_TWICE",
    spec: nested,
    affected: ['{"a":{"b":"x"},"a":{"b":"y"}}'],
    unaffected: ['{"a":{"b":"x"},"b":{"a":"y"}}'],
  },
  {
    code: "NULL_REFUSED",
    spec: property("a.b"),
    affected: ['{"a":{"b":null}}'],
    unaffected: ['{"a":{"b":"x"}}'],
  },
  {
    code: "INDEX_OR_KEY",
    spec: property("a.0"),
    affected: ['{"a":{"0":"x"}}'],
    unaffected: ['{"a":["x"]}'],
  },
  {
    code: "INDEX_OR_KEY",
    spec: { dataFrom: [{ extract: { key: "prod/db", property: "a.0" } }] },
    affected: ['{"a":{"0":{"b":"x"}}}'],
    unaffected: ['{"a":[{"b":"x"}]}'],
  },
  {
    code: "ILLEGAL_KEYS_REFUSED",
    spec: nested,
    affected: ['{"a":{"my key":"x"}}', JSON.stringify({ a: '{"my key":"x"}' })],
    unaffected: ['{"a":{"my_key":"x"},"my key":"x"}'],
  },
  {
    code: "ILLEGAL_KEYS_REFUSED",
    spec: extract(),
    affected: ['{"my key":"x"}'],
    unaffected: ['{"my_key":"x"}'],
  },
  { code: "RENAMED_ALIKE", spec: rename, affected: ['{"db_a":"x","a":"y"}'], unaffected: ['{"db_a":"x"}'] },
  { code: "EMPTY_REFUSED", spec: extract(), affected: ["{}"], unaffected: ['{"a":"x"}'] },
  {
    code: "B64DEC_REFUSED",
    spec: { ...extract(), ...template("x{{ .a | b64dec }}") },
    affected: ['{"a":"abc!"}'],
    unaffected: ['{"a":"w7w="}'],
  },
  {
    code: "B64DEC_REFUSED",
    spec: { ...extract(), ...template("{{ .a | b64dec }}") },
    affected: ['{"a":"abc!"}'],
    unaffected: ['{"a":"w7w="}'],
  },
  {
    code: "ABSENT_KEY_REFUSED",
    spec: { ...extract(), ...template('x{{ index . "a" }}') },
    affected: ['{"b":"x"}'],
    unaffected: ['{"a":"x"}'],
  },
  {
    code: "LITERAL_LINES",
    spec: { ...property("a"), ...block },
    affected: ['{"a":"x\\ny"}', '{"a":"x\\u0007"}'],
    unaffected: ['{"a":"x y","b":"x\\ny"}'],
  },
  {
    code: "LITERAL_LINES",
    spec: { data: [pick("a")], ...block },
    affected: ["x\ny"],
    unaffected: ["x y"],
  },
  {
    code: "TLS_CHECKED",
    spec: typed("tls", "tls.crt", "tls.key"),
    affected: [tls(otherPair.keyPem), tls(pair.keyPem.trimEnd())],
    unaffected: [tls(pair.keyPem)],
  },
  {
    code: "DOCKER_CONFIG_CHECKED",
    spec: typed("dockerconfigjson", ".dockerconfigjson"),
    affected: [registry({})],
    unaffected: [registry({ auth: "YTpi" })],
  },
  {
    code: "SSH_KEY_CHECKED",
    spec: typed("ssh-auth", "ssh-privatekey"),
    affected: ['{"ssh-privatekey":"ssh-ed25519 AAAA"}'],
    unaffected: [JSON.stringify({ "ssh-privatekey": makeSshKey() })],
  },
  {
    code: "BASIC_AUTH_CHECKED",
    spec: typed("basic-auth", "username"),
    affected: ['{"username":"a:b"}'],
    unaffected: ['{"username":"a"}'],
  },
];

describe("a note on values", () => {
  it("is tried for each code", () => {
    const codes = Object.entries(NOTES).flatMap(([code, { kind }]) => (kind === "value" ? [code] : []));

    expect([...new Set(CASES.map(({ code }) => code))].sort()).toEqual(codes.sort());
  });

  it.each(CASES)("says for which values the Secret differs: $code", ({ code }) => {
    expect(NOTES[code].text).toMatch(
      /^Differs only for .*, such as |^Differs only for a source without any key/,
    );
  });

  it.each(
    CASES.flatMap(({ code, spec, affected, unaffected }) => [
      ...affected.map((text) => ({ code, spec, text, now: "affected" })),
      ...unaffected.map((text) => ({ code, spec, text, now: "unaffected" })),
    ]),
  )("$code is $now by a present value", async ({ code, spec, text, now }) => {
    const { settled } = await settle(spec, text);

    expect(settled).toContainEqual({ code, now });
  });

  it("is unaffected if the operator's Secret has the same data", async () => {
    const { settled } = await settle(property("a"), '{"a":1.10}', { isSame: true });

    expect(new Set(settled.map(({ now }) => now))).toEqual(new Set(["unaffected"]));
  });

  it("is unknown if the source could not be read, or the relay refuses the value for another reason", async () => {
    const unread = await settle(property("a"), new SourceNotFound("prod/db"));
    const refused = await settle({ ...extract(), ...template("x{{ .a | b64dec }}") }, '{"b":"x"}');

    expect(new Set(unread.settled.map(({ now }) => now))).toEqual(new Set(["unknown"]));
    expect(refused.settled).toContainEqual({ code: "B64DEC_REFUSED", now: "unknown" });
  });

  it("is shown without its text once settled, and never with a value", async () => {
    const { settled, conversions } = await settle(property("a"), `{"a":1.10,"b":"${MARK}"}`);
    const target = { cluster: "prod", namespace: "shop", name: "app" };
    const checked = [{ target, finding: "IN_SYNC", action: "none", is: "absent", notes: settled }] as const;

    const shown = printConversions({ paintMessage: (_, text) => text }, conversions, [], checked as never);

    expect(shown).toContain(
      "NUMBER_SPELLING (ExternalSecret shop/app): concerns the present value\n  Differs only",
    );
    expect(shown).toMatch(
      /Notes that concern none of the present values\n {2}NESTED_SPELLING \(ExternalSecret shop\/app\)\n {2}KEY_REPEATED \(ExternalSecret shop\/app\)$/,
    );
    expect(shown).not.toContain(MARK);
  });
});

it.each([
  ["a whole value", { data: [pick("a")] }],
  ["a whole value that is decoded", { data: [pick("a", { decodingStrategy: "Base64" })] }],
  ["a template of whole values", { data: [pick("a")], ...template("{{ .a | upper }}") }],
  ["a type that is not checked", { data: [pick("a")], target: { template: { type: "example.com/x" } } }],
])("%s has no note on values, because the Secret can't differ", (_, spec) => {
  const { converted } = convert([store(), externalSecret(spec)]);

  expect(converted.flatMap(({ notes }) => notes).filter((code) => NOTES[code].kind === "value")).toEqual([]);
});

async function settle(spec: object, value: string | SourceNotFound, { isSame = false } = {}) {
  const conversions = convert([store(), externalSecret(spec)]);
  const { converted } = conversions;
  const [binding] = loadBindings(writeBindings(converted, OPTIONS), "bindings.yaml").bindings;
  if (binding === undefined) throw new TypeError("Nothing was bound");
  const read =
    typeof value === "string"
      ? {
          arn: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf",
          versionId: "version-1" as VersionId,
          value: SecretValue.fromText(value),
        }
      : value;
  const reads = binding.sources.map(() => read);
  const render = (type: string) => renderCurrent({ ...binding, type }, reads, RELAY_METADATA);
  const [desired, unchecked] = [await render(binding.type), await render("Opaque")];
  const codes = converted.flatMap(({ notes }) => notes);
  return { conversions, settled: settleNotes(codes, { binding, reads, desired, unchecked, isSame }) };
}
