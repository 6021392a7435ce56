import { describe, expect, it } from "vitest";
import { BindingsError } from "../../shared/bindings/bindings-error.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import {
  base64,
  CERTIFICATE_PEM,
  type ExpectedProblem,
  problemsOf,
  unmarked,
  withBindings,
} from "./bindings-text.ts";

type Case = { readonly it: string; readonly text: string; readonly want: readonly ExpectedProblem[] };

const OK_BINDING = "  - source: prod/db\n    targets: [{ namespace: shop, name: db }]\n";
const binding = (more: string): string => withBindings(`${OK_BINDING}    ${more}\n`);
const target = (fields: string): string =>
  withBindings(`  - source: prod/db\n    targets:\n      - ${fields}\n`);
const cluster = (fields: string): string =>
  `version: 1\nclusters:\n  prod: { name: prod-eks, region: eu-west-1, ${fields} }\nbindings: []\n`;
const long = (length: number): string => "a".repeat(length);

const yamlCases: Case[] = [
  {
    it: "an empty file",
    text: "▶",
    want: [{ says: "The file is empty", fix: "version, clusters and bindings" }],
  },
  {
    it: "a file of comments only",
    text: "▶# nothing\n",
    want: [{ says: "The file is empty", fix: "Start with" }],
  },
  {
    it: "a tab as indentation",
    text: "version: 1\nclusters:\n▶\tprod: {}\n",
    want: [{ says: "A tab is used as indentation", fix: "Indent with spaces" }],
  },
  {
    it: "a wrong quote and a wrong escape, both",
    text: 'version: "▶\\q"\nclusters: ▶"a\n',
    want: [
      { says: "unknown escape", fix: "single quotes" },
      { says: 'quote " is never closed', fix: 'Add "' },
    ],
  },
  {
    it: "a second document",
    text: "version: 1\n▶---\nversion: 1\n",
    want: [{ says: "more than one YAML document", fix: "Keep one document" }],
  },
  {
    it: "a tag",
    text: withBindings("  - source: ▶!!binary cHJvZA==\n"),
    want: [{ says: "tag is not supported", fix: "exclamation mark" }],
  },
  {
    it: "an old version of YAML",
    text: "▶%YAML 1.1\n---\nversion: 1\n",
    want: [{ says: "old version of YAML", fix: "%YAML" }],
  },
  {
    it: "a key that is a list",
    text: "version: 1\n▶[a]: 1\n",
    want: [{ says: "A key is not plain text", fix: "as text" }],
  },
  {
    it: "a duplicate key in a map, with the location of the first",
    text: "version: 1\nclusters: {}\n▶version: 1\nbindings: []\n",
    want: [{ says: 'The map already has the key "version" at 1:1', fix: "Remove one", path: "version" }],
  },
  {
    it: "a duplicate Secret key in the map of keys",
    text: binding("keys: { A: a, ▶A: b }"),
    want: [{ says: 'The map already has the key "A"', fix: "Remove one", path: "bindings[0].keys.A" }],
  },
  {
    it: "a duplicate __proto__, like any other name",
    text: binding("keys: { __proto__: a, ▶__proto__: b }"),
    want: [{ says: 'The map already has the key "__proto__"', fix: "Remove one" }],
  },
  {
    it: "an alias without an anchor",
    text: binding("labels: ▶*shop"),
    want: [{ says: 'There is no anchor "shop"', fix: "Check the spelling" }],
  },
  {
    it: "an alias inside its own anchor",
    text: binding("labels: &shop { a: ▶*shop }"),
    want: [{ says: 'The alias "shop" is inside its own anchor', fix: "Write the value without an alias" }],
  },
  {
    it: "brackets that are never closed, by the innermost",
    text: `version: ${"[".repeat(19)}▶[\n`,
    want: [{ says: "bracket [ is never closed", fix: "Add ]" }],
  },
  {
    it: "a list that is never closed, and nothing of what follows",
    text: "version: 1\nclusters: ▶[\nbindings: []\n",
    want: [{ says: "bracket [ is never closed", fix: "Add ]" }],
  },
  {
    it: "a map in brackets that is never closed",
    text: "version: 1\nclusters: ▶{ prod: { name: prod }\nbindings: []\n",
    want: [{ says: "bracket { is never closed", fix: "Add }" }],
  },
  {
    it: "a list that is never closed before the next binding",
    text: "bindings:\n  - targets: ▶[{ name: db }\n  - targets: [{ name: db }]\n",
    want: [{ says: "bracket [ is never closed", fix: "Add ]" }],
  },
  {
    it: "a single quote that is never closed",
    text: "version: 1\nclusters:\n  prod: { name: ▶'it''s, region: eu-west-1 }\n",
    want: [{ says: "quote ' is never closed", fix: "Add '" }],
  },
  {
    it: "a quote whose end is escaped",
    text: 'version: ▶"a\\"\nclusters: []\n',
    want: [{ says: 'quote " is never closed', fix: 'Add "' }],
  },
  {
    it: "a key that is indented below a value",
    text: "version: 1\nbindings:\n- source: ▶a\n   targets: []\n",
    want: [{ says: "is indented too far", fix: "Indent it like the key" }],
  },
];

const shapeCases: Case[] = [
  {
    it: "every required setting that is missing",
    text: "▶▶▶{}\n",
    want: [
      { says: "version is missing", fix: "Add version, for example 1" },
      { says: "clusters is missing", fix: 'for example {"prod":' },
      { says: "bindings is missing", fix: "Add bindings" },
    ],
  },
  {
    it: "a file that is a list",
    text: "▶- version: 1\n",
    want: [{ says: "A map is expected here, and this is a list", fix: "docs/reference.md" }],
  },
  {
    it: "another version",
    text: "version: ▶2\nclusters: {}\nbindings: []\n",
    want: [{ says: "The only value that is possible here is 1", fix: "Write 1" }],
  },
  {
    it: "a misspelt setting, with the right one",
    text: binding("▶anotations: {}"),
    want: [
      { says: 'no setting "anotations"', fix: "Did you mean annotations?", path: "bindings[0].anotations" },
    ],
  },
  {
    it: "a setting in another spelling style",
    text: cluster("▶role_arn: x"),
    want: [{ says: 'no setting "role_arn"', fix: "Did you mean roleArn?" }],
  },
  {
    it: "an unknown setting, with all valid ones",
    text: target("{ namespace: shop, name: db, ▶refreshInterval: 1h }"),
    want: [{ says: 'no setting "refreshInterval"', fix: "possible here: cluster, namespace, name, allow" }],
  },
  {
    it: "a merge key",
    text: withBindings(
      `  - &db\n    source: prod/db\n    targets: [{ namespace: shop, name: db }]\n  - ▶▶▶<<: *db\n`,
    ),
    want: [
      { says: "source is missing", fix: "Add source" },
      { says: "targets is missing", fix: "Add targets" },
      { says: 'no setting "<<"', fix: "Merge keys are not supported" },
    ],
  },
  {
    it: "a name that YAML reads as a number",
    text: target("{ namespace: ▶123, name: ▶true }"),
    want: [
      { says: "Text is expected here, and this is a number", fix: "Put it in quotes" },
      { says: "Text is expected here, and this is a boolean", fix: "Put it in quotes" },
    ],
  },
  {
    it: "a setting without a value",
    text: withBindings("  - source: ▶\n    targets: [{ namespace: shop, name: db }]\n"),
    want: [{ says: "Text is expected here, and this is empty", fix: "Write a value, for example prod/db" }],
  },
  {
    it: "targets that are not a list",
    text: withBindings("  - source: prod/db\n    targets: ▶{ namespace: shop, name: db }\n"),
    want: [{ says: "A list is expected here, and this is a map", fix: "Start it with a hyphen" }],
  },
  {
    it: "no targets",
    text: withBindings("  - source: prod/db\n    targets: ▶[]\n"),
    want: [{ says: "This is empty", fix: "Write it like [{" }],
  },
  {
    it: "adopt in quotes",
    text: binding('adopt: ▶"yes"'),
    want: [{ says: "True or false is expected here, and this is text", fix: "without quotes" }],
  },
  {
    it: "keys that are a single string",
    text: binding("keys: ▶password"),
    want: [{ says: "the only value that is possible here is all", fix: "put the key in brackets" }],
  },
  {
    it: "no keys in the list",
    text: binding("keys: ▶[]"),
    want: [{ says: "This is empty", fix: "Write it like all" }],
  },
  {
    it: "no keys in the map",
    text: binding("keys: ▶{}"),
    want: [{ says: "This is empty", fix: "Write it like" }],
  },
  {
    it: "each key in the list that is not a string",
    text: binding("keys: [▶{}, ▶{}, ▶1]"),
    want: [
      { says: "Text is expected here, and this is a map", fix: "Write it like DB_PASSWORD" },
      { says: "Text is expected here, and this is a map", fix: "Write it like DB_PASSWORD" },
      { says: "Text is expected here, and this is a number", fix: "Put it in quotes" },
    ],
  },
  {
    it: "keys and value together",
    text: binding("keys: all\n    ▶value: a"),
    want: [{ says: "either keys or value", fix: "Keep keys" }],
  },
];

const nameCases: Case[] = [
  {
    it: "a namespace that Kubernetes rejects, with a valid one",
    text: target("{ namespace: ▶Shop_EU, name: db }"),
    want: [{ says: "A namespace is lower-case", fix: "Write shop-eu" }],
  },
  {
    it: "a namespace that is too long",
    text: target(`{ namespace: ▶${long(64)}, name: db }`),
    want: [{ says: "at most 63 characters", fix: "Write it like shop" }],
  },
  {
    it: "a Secret name that Kubernetes rejects",
    text: target("{ namespace: shop, name: ▶prod/db }"),
    want: [{ says: "A Secret's name is lower-case", fix: "Write prod-db" }],
  },
  {
    it: "a Secret name that is too long",
    text: target(`{ namespace: shop, name: ▶${long(254)} }`),
    want: [{ says: "at most 253 characters", fix: "Write it like db" }],
  },
  {
    it: "an invalid key of the Secret in a map",
    text: binding("keys: { ▶DB PASSWORD: password }"),
    want: [{ says: "A Secret's key is letters", fix: "Write DB-PASSWORD" }],
  },
  {
    it: "a source key in the list that is invalid in a Secret, with the map that renames it",
    text: binding("keys: [▶db/password]"),
    want: [
      {
        says: "A Secret's key is letters",
        fix: 'Write keys as a map, for example {db-password: "db/password"}',
      },
    ],
  },
  ...[".", "..", "..a", "a b", "ä", `"${long(254)}"`].map((key) => ({
    it: `the key ${key.slice(0, 10)} for the whole value`,
    text: binding(`value: ▶${key}`),
    want: [{ says: "A Secret's key is letters", fix: "Write" }],
  })),
  {
    it: "a source key without a letter",
    text: binding('keys: { A: ▶"" }'),
    want: [{ says: "This is empty", fix: "Write it like password" }],
  },
  {
    it: "each duplicate key in the list",
    text: binding("keys: [a, b, ▶a, ▶b]"),
    want: [
      { says: 'The list already has "a" at 7:12', fix: "Remove one" },
      { says: 'The list already has "b" at 7:15', fix: "Remove one" },
    ],
  },
  ...["-a", "a/b/c", "Example.com/a", "/a", "a/", `"${long(64)}"`, '""', `${long(254)}/a`].map((key) => ({
    it: `the label key ${key.slice(0, 20)}`,
    text: binding(`labels: { ▶${key}: x }`),
    want: [{ says: "A label's key is", fix: "Write it like app.kubernetes.io/part-of" }],
  })),
  ...["-a", "a b", long(64), "a/b"].map((value) => ({
    it: `the label value ${value.slice(0, 20)}`,
    text: binding(`labels: { a: ▶${value} }`),
    want: [{ says: "A label's value is", fix: "Write it like shop" }],
  })),
  {
    it: "a label value that YAML reads as a number",
    text: binding("labels: { a: ▶1.10 }"),
    want: [{ says: "Text is expected here, and this is a number", fix: "Put it in quotes" }],
  },
  {
    it: "an annotation key",
    text: binding("annotations: { ▶a b: x }"),
    want: [{ says: "An annotation's key is", fix: "Write it like example.com/owner" }],
  },
  {
    it: "labels and annotations that are reserved for the relay",
    text: binding("labels: { ▶secret-relay/a: b }\n    annotations: { ▶secret-relay/version-id: x }"),
    want: [
      { says: "The prefix secret-relay/ is reserved for relays", fix: "another prefix" },
      { says: "The prefix secret-relay/ is reserved for relays", fix: "another prefix" },
    ],
  },
  ...["prod db", "prod/dbé", "arn:aws:s3:::bucket", `"${long(513)}"`].map((source) => ({
    it: `the source ${source.slice(0, 20)}`,
    text: withBindings(`  - source: ▶${source}\n    targets: [{ namespace: shop, name: db }]\n`),
    want: [{ says: "neither the name nor the ARN of a secret", fix: "Copy the name or the ARN" }],
  })),
  {
    it: "a mistake behind an anchor once, for any number of aliases",
    text: withBindings(
      `  - source: a\n    targets: [{ namespace: shop, name: a }]\n    labels: &labels { a: ▶"-" }\n` +
        "  - source: b\n    targets: [{ namespace: shop, name: b }]\n    labels: *labels\n",
    ),
    want: [{ says: "A label's value is", fix: "Write it like shop" }],
  },
];

const clusterCases: Case[] = [
  {
    it: "a cluster key that is hard to write on a command line",
    text: "version: 1\nclusters:\n  ▶my prod: { name: prod-eks, region: eu-west-1 }\nbindings: []\n",
    want: [{ says: "A cluster's key is", fix: "Write my-prod" }],
  },
  {
    it: "an Availability Zone, with its Region",
    text: "version: 1\nclusters:\n  prod: { name: prod-eks, region: ▶eu-west-1a }\nbindings: []\n",
    want: [{ says: "not the code of an AWS Region", fix: "Write eu-west-1" }],
  },
  {
    it: "a cluster without name and Region",
    text: "version: 1\nclusters:\n  prod: ▶▶{}\nbindings: []\n",
    want: [
      { says: "name is missing", fix: "for example prod-eks" },
      { says: "region is missing", fix: "for example eu-west-1" },
    ],
  },
  ...["relay", "arn:aws:iam::1234:role/relay", "arn:aws:sts::111122223333:assumed-role/relay/x"].map(
    (role) => ({
      it: `the role ${role}`,
      text: cluster(`roleArn: ▶"${role}"`),
      want: [
        { says: "not the ARN of an IAM role", fix: "Write it like arn:aws:iam::111122223333:role/relay" },
      ],
    }),
  ),
  {
    it: "an endpoint without its CA",
    text: `version: 1\nclusters:\n  prod: ▶{ name: a, region: eu-west-1, endpoint: "https://example.com" }\nbindings: []\n`,
    want: [{ says: "certificateAuthorityData is missing; the two", fix: "or remove the other one" }],
  },
  ...["http://example.com", "example.com", "https://u:p@example.com", "https://example.com/?a=b"].map(
    (endpoint) => ({
      it: `the endpoint ${endpoint}`,
      text: `version: 1\nclusters:\n  prod: ▶{ name: a, region: eu-west-1, endpoint: ▶"${endpoint}" }\nbindings: []\n`,
      want: [
        { says: "certificateAuthorityData is missing", fix: "Add" },
        { says: "The endpoint is an https:// URL", fix: "Write it like https://" },
      ],
    }),
  ),
  {
    it: "an endpoint that is not a URL",
    text: `version: 1\nclusters:\n  prod: ▶{ name: a, region: eu-west-1, endpoint: ▶"https://[::1" }\nbindings: []\n`,
    want: [
      { says: "certificateAuthorityData is missing", fix: "Add" },
      { says: "The endpoint is not a URL", fix: "Copy it" },
    ],
  },
  ...[
    {
      it: "a CA that is PEM as it is",
      data: "-----BEGIN CERTIFICATE-----",
      says: "base64-encoded PEM is expected",
    },
    { it: "a CA that is not base64", data: "?", says: "not base64 on one line" },
    { it: "a CA that is base64 of other content", data: base64("certificate"), says: "does not hold PEM" },
    {
      it: "a CA with a private key",
      data: base64("-----BEGIN PRIVATE KEY-----\nMIG=\n-----END PRIVATE KEY-----\n"),
      says: "something other than certificates",
    },
    {
      it: "a damaged CA",
      data: base64("-----BEGIN CERTIFICATE-----\nMIG=\n-----END CERTIFICATE-----\n"),
      says: "is damaged",
    },
  ].map(({ it, data, says }) => ({
    it,
    text: cluster(`endpoint: "https://example.com", certificateAuthorityData: ▶"${data}"`),
    want: [{ says, fix: it.endsWith("as it is") ? "base64 -w0" : "aws eks describe-cluster" }],
  })),
  {
    it: "an undefined cluster, with the closest defined one",
    text: target("{ cluster: ▶prdo, namespace: shop, name: db }"),
    want: [{ says: 'clusters has no entry "prdo"', fix: "Did you mean prod?" }],
  },
  {
    it: "an undefined cluster named like a property of every object",
    text: target("{ cluster: ▶constructor, namespace: shop, name: db }"),
    want: [{ says: 'clusters has no entry "constructor"', fix: "Add it to clusters" }],
  },
  {
    it: "an undefined default cluster, once",
    text: `version: 1\nclusters: {}\ndefaults: { cluster: ▶prod }\nbindings:\n${OK_BINDING}${OK_BINDING.replace("db }", "db2 }")}`,
    want: [{ says: 'clusters has no entry "prod"', fix: "Add it to clusters" }],
  },
  {
    it: "a target without cluster, namespace and defaults",
    text: `version: 1
clusters: { a: { name: a, region: eu-west-1 }, b: { name: b, region: eu-west-1 } }
bindings:
  - source: prod/db
    targets: [▶▶{ name: db }]
`,
    want: [
      { says: "has no namespace", fix: "Add namespace here or to defaults" },
      { says: "this target has no cluster", fix: "Add cluster here or to defaults" },
    ],
  },
];

const secretCases: Case[] = [
  {
    it: "a duplicate target, with the location of the first",
    text: withBindings(
      `${OK_BINDING}  - source: prod/other\n    targets: [▶{ cluster: prod, name: db, namespace: shop }]\n`,
    ),
    want: [
      {
        says: 'The Secret "db" in the namespace "shop" of the same cluster is already a target at 6:15',
        fix: "Keep one",
      },
    ],
  },
  {
    it: "a duplicate target through two entries for one cluster",
    text: `version: 1
clusters:
  a: { name: prod-eks, region: eu-west-1 }
  b: { name: prod-eks, region: eu-west-1 }
bindings:
  - source: prod/db
    targets: [{ cluster: a, namespace: shop, name: db }, ▶{ cluster: b, namespace: shop, name: db }]
`,
    want: [{ says: "is already a target at 7:15", fix: "Keep one" }],
  },
  ...["kube-system", "kube-public", "kube-node-lease"].map((namespace) => ({
    it: `the namespace ${namespace}`,
    text: target(`{ namespace: ▶${namespace}, name: db }`),
    want: [{ says: "belongs to Kubernetes itself", fix: "allowSystemNamespace: true" }],
  })),
  {
    it: "a system namespace as the default",
    text: `version: 1\nclusters: {}\ndefaults: { namespace: ▶kube-system }\nbindings: []\n`,
    want: [{ says: "cannot be the default", fix: "allowSystemNamespace: true" }],
  },
  {
    it: "the types that Kubernetes manages itself",
    text: `version: 1
clusters: { prod: { name: prod-eks, region: eu-west-1 } }
defaults: { type: ▶kubernetes.io/service-account-token }
bindings:
${OK_BINDING}    type: ▶bootstrap.kubernetes.io/token
`,
    want: [
      { says: "writes a working token", fix: "Use another type" },
      { says: "lets new nodes join", fix: "Use another type" },
    ],
  },
  {
    it: "an invalid type",
    text: binding("type: ▶kubernetes.io/a/b"),
    want: [{ says: "A Secret's type is", fix: "Write it like kubernetes.io/tls" }],
  },
  {
    it: "each missing key of a tls Secret",
    text: binding("type: kubernetes.io/tls\n    ▶▶keys: { cert: tls.crt }"),
    want: [
      { says: "needs the key tls.crt", fix: "Add tls.crt to keys" },
      { says: "needs the key tls.key", fix: "Add tls.key to keys" },
    ],
  },
  ...[
    ["kubernetes.io/dockerconfigjson", ".dockerconfigjson"],
    ["kubernetes.io/dockercfg", ".dockercfg"],
    ["kubernetes.io/ssh-auth", "ssh-privatekey"],
    ["kubernetes.io/basic-auth", "username or password"],
  ].map(([type, key]) => ({
    it: `a ${type} Secret without ${key}`,
    text: binding(`type: ${type}\n    ▶value: other`),
    want: [{ says: `needs the key ${key}, but`, fix: "or use the type Opaque" }],
  })),
  {
    it: "annotations that exceed the limit together, though each is valid",
    text: `version: 1
clusters: { prod: { name: prod-eks, region: eu-west-1 } }
defaults: { annotations: { a: ${long(200_000)} } }
bindings:
${OK_BINDING}    ▶annotations: { b: ${long(60_000)} }
`,
    want: [{ says: "annotations of this Secret, defaults included, are over 252 KiB", fix: "Shorten them" }],
  },
  {
    it: "a Secret without space for a value",
    text: withBindings(
      `  - ▶source: a\n    targets: [{ namespace: shop, name: db }]\n    keys:\n` +
        Array.from({ length: 5_000 }, (_, i) => `      k${i}-${long(240)}: a\n`).join(""),
    ),
    want: [{ says: "over 1 MiB even without values", fix: "Shorten" }],
  },
];

describe.each([
  ["YAML", yamlCases],
  ["shape", shapeCases],
  ["names", nameCases],
  ["clusters", clusterCases],
  ["Secrets", secretCases],
])("%s", (_, cases) => {
  it.each(cases)("reports $it, with the location and a fix", ({ text: marked, want }) => {
    const { text, places } = unmarked(marked);

    const problems = problemsOf(text);

    expect(places).toHaveLength(want.length);
    expect(problems.map(({ line, column }) => ({ line, column }))).toEqual(places);
    for (const [index, { says, fix, path }] of want.entries()) {
      expect(problems[index]?.message).toContain(says);
      expect(problems[index]?.fix).toContain(fix);
      if (path !== undefined) expect(problems[index]?.path).toBe(path);
    }
  });
});

describe("the error", () => {
  it("reports mistakes of every kind at once, in the order of the file", () => {
    const { text, places } = unmarked(`version: 1
clusters:
  prod: { name: prod-eks, region: ▶Ireland }
bindings:
  - source: ▶prod db
    targets: [{ cluster: ▶prdo, namespace: shop, name: ▶DB }]
    ▶lables: {}
`);

    const problems = problemsOf(text);

    expect(problems.map(({ line, column }) => ({ line, column }))).toEqual(places);
  });

  it("reads like a compiler's, is terminal, and has a code", () => {
    const error = catchError(() => loadBindings(target("{ namespace: Shop, name: db }"), "my/bindings.yaml"));

    expect(error).toMatchObject({ code: "BINDINGS_INVALID", retryable: false, name: "BindingsError" });
    expect(error.message.split("\n")).toEqual([
      "my/bindings.yaml has 1 problem",
      expect.stringMatching(
        /^my\/bindings\.yaml:7:22: bindings\[0\]\.targets\[0\]\.namespace: A namespace .*\. Write shop\.$/,
      ),
    ]);
  });

  it("quotes no value, even if an operator pastes a secret into the file", () => {
    const text = `version: 1
clusters: { prod: { name: hunter2!, region: hunter2!, roleArn: hunter2!, endpoint: hunter2!, certificateAuthorityData: hunter2! } }
defaults: { type: "hunter2 !", adopt: hunter2! }
bindings:
  - source: "hunter2 !"
    targets: [{ namespace: shop, name: db, allowSystemNamespace: hunter2! }]
    keys: hunter2!
    labels: { a: hunter2! }
    annotations: { a: [hunter2!] }
`;

    const error = catchError(() => loadBindings(text, "bindings.yaml"));

    expect(error.problems.length).toBeGreaterThan(9);
    expect(JSON.stringify([error.message, error])).not.toContain("hunter2");
  });

  it("escapes control characters in names, and truncates long names", () => {
    const [problem] = problemsOf(binding(`"\\e[31m\\u202e${long(500)}": 1`));

    expect(problem?.message).toContain("\\u001b[31m\\u202e");
    expect(problem?.message.length).toBeLessThan(150);
  });

  it("stops after a thousand problems, and reports that", () => {
    const bindings = Array.from({ length: 1_200 }, (_, i) => `  - { source: a${i}, targets: [] }\n`).join("");

    const error = catchError(() => loadBindings(withBindings(bindings), "bindings.yaml"));

    expect(error.problems).toHaveLength(1_000);
    expect(error.truncated).toBe(true);
    expect(error.message).toContain("bindings.yaml has more than 1000 problems");
  });

  it("rejects aliases that would exhaust memory without delay", () => {
    const lines = Array.from({ length: 30 }, (_, i) => `  l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(10)}]`);

    const problems = problemsOf(`version: 1\nx:\n  l0: &l0 [1, 1]\n${lines.join("\n")}\n`);

    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain("more than 2,000,000 values");
  });

  it("rejects a huge file of another kind without delay", () => {
    expect(problemsOf("a".repeat(32 * 1024 * 1024 + 1))[0]?.message).toBe("The file is larger than 32 MiB");
  });

  it.each(["[", "{a: ", "- ", "? ", "a:\n ", "&a ", "*a ", "!!x ", '"', "'", "|\n", "%"])(
    "does not run out of stack over %j ten thousand times",
    (piece) => {
      const problems = problemsOf(piece.repeat(10_000));

      expect(problems.length).toBeGreaterThan(0);
    },
  );
});

it("accepts a CA from EKS, and a bundle of two", () => {
  for (const ca of [CERTIFICATE_PEM, `${CERTIFICATE_PEM}\n${CERTIFICATE_PEM}`]) {
    const text = cluster(`endpoint: "https://example.com:6443", certificateAuthorityData: ${base64(ca)}`);
    expect(problemsOf(text)).toEqual([]);
  }
});

function catchError(run: () => unknown): BindingsError {
  try {
    run();
  } catch (error) {
    if (error instanceof BindingsError) return error;
    throw error;
  }
  throw new Error("It loaded, and was expected not to");
}
