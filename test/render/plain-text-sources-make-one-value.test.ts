import { describe, expect, it } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { loadRenderers } from "../../shared/render/load-renderers.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import type { RenderSource } from "../../shared/render/render-source.ts";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { RELAY_METADATA } from "../harness/relay-metadata.ts";
import { binarySource, CANARY, shownData, textSource } from "./factories.ts";

const bind = (rules: object) => {
  const file = {
    version: 1,
    clusters: { main: { name: "main", region: "eu-west-1" } },
    bindings: [{ targets: [{ namespace: "app", name: "db" }], ...rules }],
  };
  const [binding] = loadBindings(JSON.stringify(file), "bindings.yaml").bindings;
  if (binding === undefined) throw new TypeError("The file has one binding");
  return binding;
};

const render = async (rules: object, values: readonly (string | RenderSource)[]) => {
  const binding = bind(rules);
  const reads = values.map((value, index) => ({
    ...(typeof value === "string" ? textSource(value) : value),
    arn: `arn:source-${index}`,
    versionId: `${index}` as VersionId,
  }));
  return shownData(renderSecret(binding, reads, RELAY_METADATA, await loadRenderers(binding)));
};

const SOURCES = [
  { source: "prod/user", name: "user" },
  { source: "prod/password", name: "password" },
  { source: "prod/db", name: "db" },
];
const VALUES = ["app\n", "p@ss word\n", '{ "host": "db.example.com", "port": 5432.0 }'];
const withTemplate = (template: string) => ({ sources: SOURCES, keys: { K: { template } } });

describe("a template of the binding", () => {
  it("makes one connection string of plain-text and JSON sources, without their trailing line breaks", async () => {
    const template =
      '{% assign user = user | rstrip %}{% assign password = password | rstrip: "\n" %}' +
      '{{ "postgresql" | connection_url: user: user, password: password, host: db.host, port: 5432 }}';

    expect(await render(withTemplate(template), VALUES)).toEqual({
      K: "postgresql://app:p%40ss%20word@db.example.com:5432",
    });
  });

  it.each<[what: string, template: string, want: string]>([
    ["a text as it stands", "{{ password }}", "p@ss word\n"],
    ["a JSON object as it stands", "{{ db }}", '{ "host": "db.example.com", "port": 5432.0 }'],
    ["a member in the spelling of the source", "{{ db.port }}", "5432.0"],
    ["a text without spaces at its ends", "[{{ password | strip }}]", "[p@ss word]"],
    ["a JSON object through a filter", "{{ db | base64_encode | base64_decode }}", VALUES[2] ?? ""],
  ])("writes %s", async (_, template, want) => {
    expect(await render(withTemplate(template), VALUES)).toEqual({ K: want });
  });

  it.each([
    ["looks like a number", "0123"],
    ["looks like JSON of another kind", '["a"]'],
    ["is a JSON string", '"a"'],
    ["looks like a JSON object", '{"a" : 1}'],
    ["is empty", ""],
    ["holds a template", "{{ user }}"],
  ])("writes a password that %s as it stands", async (_, password) => {
    const rules = {
      sources: [{ source: "prod/p", name: "p" }],
      keys: { K: { template: "{{ p }}" }, L: "p" },
    };
    expect(await render(rules, [password])).toEqual({ K: password, L: password });
  });

  it("reads UTF-8 in SecretBinary", async () => {
    const rules = { sources: [{ source: "prod/p", name: "p" }], keys: { K: { template: "{{ p }}" } } };
    expect(await render(rules, [binarySource(Buffer.from("pä"))])).toEqual({ K: "pä" });
    await expect(render(rules, [binarySource(Buffer.from([0xff, 0xfe]))])).rejects.toMatchObject({
      code: "DECODE_FAILED",
    });
  });
});

it("a named source sets keys of its own only if its entry says so", async () => {
  const rules = {
    sources: [
      { source: "prod/db", name: "db", keys: ["host"] },
      { source: "prod/p", name: "password", value: "password.txt" },
      { source: "prod/u", name: "user" },
    ],
    keys: { LOGIN: { template: "{{ user }}:{{ password }}@{{ db.host }}" }, USER: { key: "user" } },
  };
  expect(await render(rules, ['{"host":"h","port":1}', "p", "u"])).toEqual({
    host: "h",
    "password.txt": "p",
    LOGIN: "u:p@h",
    USER: "u",
  });
});

it("bytes can be decoded", async () => {
  const rules = { sources: [{ source: "prod/k", name: "k" }], keys: { K: { key: "k", decode: "base64" } } };
  expect(await render(rules, ["aGk=\n"])).toEqual({ K: "hi" });
});

describe("what is missing is reported with its source, and no value:", () => {
  it.each<[what: string, values: string[], code: string, says: string]>([
    [
      "a member",
      ["u", CANARY, `{"port":"${CANARY}"}`],
      "TEMPLATE_VARIABLE_MISSING",
      "db.host in line 1, which arn:source-2",
    ],
    ["a JSON object", ["u", CANARY, CANARY], "SOURCE_NOT_JSON_OBJECT", "arn:source-2"],
    [
      "a comma of JSON",
      ["u", CANARY, `{"a":"${CANARY}" "host":1}`],
      "SOURCE_NOT_JSON_OBJECT",
      "no comma between two values",
    ],
  ])("%s", async (_, values, code, says) => {
    const error = await render(withTemplate("{{ db.host }}"), values).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringContaining(says) });
    expect(String(error)).not.toContain(CANARY);
  });
});

describe("a key that a source and the binding both set", () => {
  const rules = {
    sources: [{ source: "prod/db", name: "db", keys: "all" }],
    keys: { K: { template: "{{ db.a }}" } },
  };

  it("is refused", async () => {
    await expect(render(rules, ['{"a":"1","K":"2"}'])).rejects.toMatchObject({
      code: "DATA_KEYS_COLLIDE",
      message: expect.stringContaining("K (prod/db, keys of the binding)"),
    });
  });

  it("is that of the binding with collisions: last", async () => {
    expect(await render({ ...rules, collisions: "last" }, ['{"a":"1","K":"2"}'])).toEqual({ a: "1", K: "1" });
  });
});

it("a binding of several sources without templates loads no template language", async () => {
  const sources = [
    { source: "prod/password", value: "password" },
    { source: "prod/db", keys: ["host"] },
  ];
  expect(await loadRenderers(bind({ sources }))).toEqual({});
});
