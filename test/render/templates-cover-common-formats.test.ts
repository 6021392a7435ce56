import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { JsonTreeObject } from "../../shared/bindings/expressions/json-tree.ts";
import { parseJsonTree } from "../../shared/bindings/expressions/json-tree.ts";
import { renderTemplate, TEMPLATE_WORDS } from "../../shared/bindings/expressions/liquid.ts";
import { makeCertificates } from "../harness/certificates.ts";

const { authorityPem, pair } = makeCertificates();
const SOURCE = {
  user: "app user",
  password: "p@ss/w:rd+'\"\\ €",
  host: "db.example.com",
  v6: "2001:db8::1",
  port: 5432,
  when: "2026-11-20T09:15:42.5",
  bundle: `some text\n${authorityPem}${pair.keyPem}${pair.certificatePem}`.replaceAll("\n", "\r\n"),
};

const make = (template: string) =>
  renderTemplate(template, parseJsonTree(JSON.stringify(SOURCE))?.root as JsonTreeObject);
const textOf = (template: string): string => {
  const result = make(template);
  return result.kind === "made" ? result.text : JSON.stringify(result);
};

describe("a filter makes", () => {
  it.each([
    ["{{ user | url_encode }}", "app%20user"],
    ["{{ password | url_encode }}", "p%40ss%2Fw%3Ard%2B%27%22%5C%20%E2%82%AC"],
    ["{{ user | base64_encode }}", "YXBwIHVzZXI="],
    ["{{ user | base64_encode | base64_decode }}", "app user"],
    ["{{ '??>' | base64url_encode }}", "Pz8-"],
    ["{{ password | json }}", JSON.stringify(SOURCE.password)],
    ["{{ password | yaml_quote }}", JSON.stringify(SOURCE.password)],
    ["{{ password | shell_quote }}", `'p@ss/w:rd+'\\''"\\ €'`],
    ["{{ password | properties_escape }}", `p@ss/w\\:rd+'"\\\\ €`],
    ["{{ when | date: '%Y-%m-%d %H:%M:%S' }}", "2026-11-20 09:15:42"],
    ["{{ '2026-11-20T01:00:00+02:00' | date: '%d %H' }}", "19 23"],
    ["{{ 86400 | date: '%Y-%m-%d' }}", "1970-01-02"],
    ["{% if nothing %}a{% else %}b{% endif %}{{ nothing | default: 'c' }}", "bc"],
    [
      '{{ "r.example.com" | docker_config: username: "u", password: user }}',
      '{"auths":{"r.example.com":{"username":"u","password":"app user","auth":"dTphcHAgdXNlcg=="}}}',
    ],
  ])("%s", (template, want) => {
    expect(textOf(template)).toBe(want);
  });
});

describe("a connection URL", () => {
  it("contains every part, with special characters encoded", () => {
    const url = new URL(
      textOf(
        '{{ "postgresql" | connection_url: user: user, password: password, host: host, port: port, path: "a b", sslmode: "require" }}',
      ),
    );

    expect(decodeURIComponent(url.username)).toBe(SOURCE.user);
    expect(decodeURIComponent(url.password)).toBe(SOURCE.password);
    expect([url.protocol, url.host, url.pathname, url.search]).toEqual([
      "postgresql:",
      "db.example.com:5432",
      "/a%20b",
      "?sslmode=require",
    ]);
  });

  it("has an IPv6 address in brackets", () => {
    expect(textOf('{{ "redis" | connection_url: host: v6, port: 6379 }}')).toBe("redis://[2001:db8::1]:6379");
  });

  it.each([
    '{{ "pg" | connection_url: user: user }}',
    '{{ "pg" | connection_url: host: password }}',
    '{{ "pg" | connection_url: host: host, port: user }}',
    '{{ "p g" | connection_url: host: host }}',
    '{{ "pg" | connection_url: host }}',
  ])("is refused if it would be invalid: %s", (template) => {
    expect(make(template)).toMatchObject({
      kind: "failed",
      reason: expect.stringContaining("connection_url"),
    });
  });
});

describe("a PEM bundle in any order", () => {
  it("is split into leaf, chain and key", () => {
    const subjectOf = (pem: string) => new X509Certificate(pem).fingerprint256;

    expect(subjectOf(textOf("{{ bundle | pem_leaf }}"))).toBe(subjectOf(pair.certificatePem));
    expect(subjectOf(textOf("{{ bundle | pem_chain }}"))).toBe(subjectOf(authorityPem));
    expect(textOf("{{ bundle | pem_key }}").trim()).toBe(pair.keyPem.trim());
    expect(textOf("{{ bundle | pem_split | size }}")).toBe("3");
    expect(textOf("{{ bundle | pem_split | pem_join }}")).toBe(
      `${[authorityPem, pair.keyPem, pair.certificatePem].map((pem) => pem.trim()).join("\n")}\n`,
    );
    expect(textOf("{{ bundle | pem_leaf }}{{ bundle | pem_chain }}").match(/BEGIN/g)).toHaveLength(2);
  });

  it("without a certificate has no leaf", () => {
    expect(make("{{ bundle | pem_key | pem_leaf }}")).toMatchObject({ kind: "failed" });
  });
});

describe("PEM that was damaged on its way", () => {
  const { certificatePem, keyPem } = pair;
  const run = (template: string, pem: string) => renderTemplate(template, { pem });
  const FILTERS = [
    "pem_split",
    "pem_join",
    "pem_certificates",
    "pem_leaf",
    "pem_chain",
    "pem_key",
    "pem_wrap",
  ];
  const tidy = (pem: string) => `${pem.trim()}\n`;

  it.each<[what: string, change: (pem: string) => string]>([
    ["as one line", (pem) => pem.replaceAll("\n", "")],
    ["with spaces for line breaks", (pem) => pem.replaceAll("\n", " ")],
    ["with \\n for line breaks", (pem) => pem.replaceAll("\n", "\\n")],
    ["with \\r\\n for line breaks", (pem) => pem.replaceAll("\n", "\\r\\n")],
    ["with \\\\n for line breaks", (pem) => pem.replaceAll("\n", "\\\\n")],
    ["with line ends of Windows", (pem) => pem.replaceAll("\n", "\r\n")],
    ["indented", (pem) => pem.replaceAll("\n", "\n  ")],
    ["whole", (pem) => pem],
    ["after other text", (pem) => `Bag Attributes\n    friendlyName: x\n${pem}`],
  ])("%s is wrapped again", (_, change) => {
    const both = tidy(certificatePem) + tidy(keyPem);
    expect(run("{{ pem | pem_wrap }}", change(both))).toEqual({ kind: "made", text: both });
    expect(run("{{ pem | pem_wrap | pem_key }}", change(both))).toEqual({ kind: "made", text: tidy(keyPem) });
  });

  it("keeps the headers of a key with a passphrase", () => {
    const locked = `-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,${"0F".repeat(16)}

${Buffer.alloc(96, 7).toString("base64").slice(0, 64)}
${Buffer.alloc(96, 7).toString("base64").slice(64)}
-----END RSA PRIVATE KEY-----
`;
    for (const text of [locked, locked.replaceAll("\n", " "), locked.replaceAll("\n", "\\n")]) {
      expect(run("{{ pem | pem_wrap }}", text)).toEqual({ kind: "made", text: locked });
    }
  });

  it.each(FILTERS)("is never written as it is by %s", (filter) => {
    const lost = certificatePem.replaceAll("\n", "");
    const damaged = [
      certificatePem.replace(/\n.{64}\n/, "\n"),
      certificatePem.replace(/\n.{64}\n/, "\n%\n"),
      certificatePem.slice(0, -30),
      keyPem.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA"),
      "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
      "no PEM",
      "",
    ];
    for (const pem of damaged) {
      expect(run(`{{ pem | ${filter} }}`, pem)).toMatchObject({
        kind: "failed",
        reason: expect.stringContaining(filter),
      });
    }
    if (filter === "pem_wrap") return;
    expect(run(`{{ pem | ${filter} }}`, lost)).toMatchObject({
      reason: expect.stringContaining("lost its line breaks; put pem_wrap before it"),
    });
    const twice = Buffer.from(Buffer.from(certificatePem).toString("base64")).toString("base64");
    expect(run(`{{ pem | ${filter} }}`, twice)).toMatchObject({
      reason: expect.stringContaining("put base64_decode | base64_decode before it"),
    });
  });
});

it("the documentation lists every tag and filter, and no other", () => {
  const docs = readFileSync(join(import.meta.dirname, "../../docs/bindings.md"), "utf8");
  const named = new Set([...docs.matchAll(/`([a-z0-9_]+)(?=[`:])/g)].map((match) => match[1]));
  const words = [...TEMPLATE_WORDS.tags, ...TEMPLATE_WORDS.filters].filter((word) => word !== "#");
  expect(words.filter((word) => !named.has(word))).toEqual([]);
});

it("an assignment asks for its variable as an output does, except before default", () => {
  expect(renderTemplate("{% assign a = secret_key | rstrip %}{{ a }}", {})).toMatchObject({
    kind: "missing",
    name: "secret_key",
  });
  expect(renderTemplate('{% assign a = port | default: "5432" %}{{ a }}', {})).toEqual({
    kind: "made",
    text: "5432",
  });
});
