import { describe, expect, it } from "vitest";
import { readManifests } from "../../cli/import-eso/manifest.ts";
import { convert, convertOne, externalSecret, pick, store } from "./manifests.ts";

const data = (...entries: object[]) => ({ data: entries });

describe("data", () => {
  it.each([
    {
      it: "converts a property to a key of the source",
      spec: data(pick("PASSWORD", { property: "password" }), pick("USER", { property: "user" })),
      rules: { source: "prod/db", keys: { PASSWORD: "password", USER: "user" } },
    },
    {
      it: "converts a whole value under its key",
      spec: data(pick("license.txt")),
      rules: { source: "prod/db", value: "license.txt" },
    },
    {
      it: "decodes strictly if a decoding strategy is set",
      spec: data(
        pick("cert", { property: "p12", decodingStrategy: "Base64" }),
        pick("a", { property: "b", decodingStrategy: "Base64URL" }),
      ),
      rules: {
        source: "prod/db",
        keys: { cert: { key: "p12", decode: "base64" }, a: { key: "b", decode: "base64url" } },
      },
    },
    {
      it: "also decodes a whole value",
      spec: data(pick("file", { decodingStrategy: "Base64" })),
      rules: { source: "prod/db", value: "file", decode: "base64" },
    },
    {
      it: "decodes what looks encoded, like the operator with Auto",
      spec: data(
        pick("cert", { property: "p12", decodingStrategy: "Auto" }),
        pick("file", { key: "prod/file", decodingStrategy: "Auto" }),
      ),
      rules: {
        sources: [
          { source: "prod/db", keys: { cert: { key: "p12", decode: "auto" } } },
          { source: "prod/file", value: "file", decode: "auto" },
        ],
      },
    },
    {
      it: "looks up a dotted property as a key, then as a path, like the operator",
      spec: data(pick("name", { property: "admin.name" })),
      rules: {
        source: "prod/db",
        keys: { name: { jmespath: '["admin.name", admin.name][?@ != `null`] | [0]' } },
      },
    },
    {
      it: "reads an escaped dot as part of a name, after the operator's lookup with every dot escaped",
      spec: data(pick("cert", { property: "tls\\.crt" })),
      rules: {
        source: "prod/db",
        keys: { cert: { jmespath: '["tls\\\\".crt, "tls.crt"][?@ != `null`] | [0]' } },
      },
    },
    {
      it: "reads a number in a path as an index of a list",
      spec: data(pick("host", { property: "hosts.1.name" })),
      rules: {
        source: "prod/db",
        keys: { host: { jmespath: '["hosts.1.name", hosts[1].name][?@ != `null`] | [0]' } },
      },
    },
    {
      it: "converts a staging label",
      spec: data(pick("old", { property: "password", version: "AWSPREVIOUS" })),
      rules: { source: "prod/db", stage: "AWSPREVIOUS", keys: { old: "password" } },
    },
    {
      it: "pins a version",
      spec: data(pick("key", { version: "uuid/123e4567-e89b-12d3-a456-426614174000" })),
      rules: { source: "prod/db", versionId: "123e4567-e89b-12d3-a456-426614174000", value: "key" },
    },
    {
      it: "lists several sources, each with its keys",
      spec: data(
        pick("user", { property: "user" }),
        pick("token", { key: "prod/api" }),
        pick("password", { property: "password" }),
      ),
      rules: {
        sources: [
          { source: "prod/db", keys: { user: "user", password: "password" } },
          { source: "prod/api", value: "token" },
        ],
      },
    },
    {
      it: "keeps two versions of one source separate",
      spec: data(pick("now", { property: "p" }), pick("before", { property: "p", version: "AWSPREVIOUS" })),
      rules: {
        sources: [
          { source: "prod/db", keys: { now: "p" } },
          { source: "prod/db", stage: "AWSPREVIOUS", keys: { before: "p" } },
        ],
      },
    },
  ])("$it", ({ spec, rules }) => expect(convertOne(spec)).toMatchObject({ rules }));
});

describe("dataFrom", () => {
  const extract = (more: object = {}) => ({ extract: { key: "prod/db" }, ...more });
  const rewrite = (source: string, target: string) => extract({ rewrite: [{ regexp: { source, target } }] });

  it.each([
    { it: "converts all keys of a source", dataFrom: [extract()], rules: { source: "prod/db", keys: "all" } },
    {
      it: "renames by an expression that is equivalent to a pattern",
      dataFrom: [rewrite("^db_(.*)$", "DB_$1")],
      rules: { source: "prod/db", extract: { rename: [{ pattern: "db_*", to: "DB_*" }] } },
    },
    {
      it: "puts text before every key",
      dataFrom: [rewrite("(.*)", "db_$1")],
      rules: { source: "prod/db", extract: { rename: [{ pattern: "*", to: "db_*" }] } },
    },
    {
      it: "puts text after every key, by an anchor alone",
      dataFrom: [rewrite("$", "_old")],
      rules: { source: "prod/db", extract: { rename: [{ pattern: "*", to: "*_old" }] } },
    },
    {
      it: "keeps the text before an expression without an anchor",
      dataFrom: [rewrite("db_(.*)", "DB_$1")],
      rules: { source: "prod/db", extract: { rename: [{ pattern: "*db_*", to: "*DB_*" }] } },
    },
    {
      it: "renames a prefix",
      dataFrom: [rewrite("^team-", "")],
      rules: { source: "prod/db", extract: { rename: [{ pattern: "team-*", to: "*" }] } },
    },
    {
      it: "renames a suffix",
      dataFrom: [rewrite("\\.old$", "_old")],
      rules: { source: "prod/db", extract: { rename: [{ pattern: "*.old", to: "*_old" }] } },
    },
    {
      it: "takes the keys of a nested object",
      dataFrom: [{ extract: { key: "prod/db", property: "main" } }],
      rules: { source: "prod/db", extract: { jmespath: "main" } },
    },
    {
      it: "takes the keys of a nested object by a path, and renames and decodes them",
      dataFrom: [
        {
          extract: { key: "prod/db", property: "db.main", decodingStrategy: "Auto" },
          rewrite: [{ regexp: { source: "^", target: "db_" } }],
        },
      ],
      rules: {
        source: "prod/db",
        extract: {
          jmespath: '["db.main", db.main][?@ != `null`] | [0]',
          decode: "auto",
          rename: [{ pattern: "*", to: "db_*" }],
        },
      },
    },
    {
      it: "decodes all keys",
      dataFrom: [{ extract: { key: "prod/db", decodingStrategy: "Base64URL" } }],
      rules: { source: "prod/db", extract: { decode: "base64url" } },
    },
    {
      it: "lets the later source win, like the operator",
      dataFrom: [extract(), { extract: { key: "prod/cache" } }],
      rules: {
        sources: [
          { source: "prod/db", keys: "all" },
          { source: "prod/cache", keys: "all" },
        ],
        collisions: "last",
      },
    },
    {
      it: "takes keys with each conversion strategy, as illegal keys are refused at sync time",
      dataFrom: [{ extract: { key: "prod/db", conversionStrategy: "Unicode" } }],
      rules: { source: "prod/db", keys: "all" },
    },
  ])("$it", ({ dataFrom, rules }) => expect(convertOne({ dataFrom })).toMatchObject({ rules }));

  it("comes before data, which wins", () => {
    expect(
      convertOne({ data: [pick("password", { key: "prod/api", property: "token" })], dataFrom: [extract()] }),
    ).toMatchObject({
      rules: {
        sources: [
          { source: "prod/db", keys: "all" },
          { source: "prod/api", keys: { password: "token" } },
        ],
        collisions: "last",
      },
      notes: expect.arrayContaining(["LAST_WINS"]),
    });
  });
});

describe("a template", () => {
  const one = [pick("user", { property: "username" }), pick("password", { property: "password" })];
  const templated = (template: object, entries = one) => ({ target: { template }, data: entries });

  it.each([
    {
      it: "replaces data, and uses the names in the source",
      spec: templated({ data: { url: "postgres://{{ .user }}:{{ .password }}@db" } }),
      rules: {
        source: "prod/db",
        keys: { url: { template: "postgres://{{ username }}:{{ password }}@db" } },
      },
    },
    {
      it: "is merged with data, and wins over it",
      spec: templated({ mergePolicy: "Merge", data: { url: "{{ .user }}", password: "x{{ .password }}" } }),
      rules: {
        source: "prod/db",
        keys: {
          user: "username",
          url: { template: "{{ username }}" },
          password: { template: "x{{ password }}" },
        },
      },
    },
    {
      it: "can encode, and use a name with a hyphen",
      spec: templated({ data: { a: '{{ .user | toString | b64enc }}-{{ index . "user" }}' } }),
      rules: {
        source: "prod/db",
        keys: { a: { template: "{{ username | base64_encode }}-{{ username }}" } },
      },
    },
    {
      it: "can use the keys of an extract",
      spec: {
        target: { template: { data: { dsn: "{{ .host }}:5432" } } },
        dataFrom: [{ extract: { key: "prod/db" } }],
      },
      rules: { source: "prod/db", keys: { dsn: { template: "{{ host }}:5432" } } },
    },
    {
      it: "is translated with its functions, and quotes names that are no words",
      spec: templated({ data: { a: '{{ .user | upper }}{{ if .password }}{{ index . "odd" }}{{ end }}' } }, [
        ...one,
        pick("odd", { property: "user-name" }),
      ]),
      rules: {
        source: "prod/db",
        keys: {
          a: {
            template:
              '{{ username | go_upper }}{% assign text_1 = password | text %}{% if text_1 != "" %}{{ ["user-name"] }}{% endif %}',
          },
        },
      },
    },
    {
      it: "is a key of the binding if it uses whole values or several sources",
      spec: templated({ data: { url: "{{ .user }}:{{ .token }}@{{ .host }}", user: "{{ .user }}" } }, [
        ...one,
        pick("token", { key: "prod/api", property: "to-ken" }),
        pick("host", { key: "other/db" }),
      ]),
      rules: {
        sources: [
          { source: "prod/db", keys: { user: { template: "{{ username }}" } } },
          { source: "prod/db", name: "db" },
          { source: "prod/api", name: "api" },
          { source: "other/db", name: "db_2" },
        ],
        keys: { url: { template: '{{ db.username }}:{{ api["to-ken"] }}@{{ db_2 }}' } },
      },
    },
    {
      it: "of one whole value is that value, also decoded",
      spec: templated({ data: { store: "{{ .file | b64dec }}" } }, [pick("file")]),
      rules: { source: "prod/db", value: "store", decode: "base64" },
    },
    {
      it: "that only decodes a key can make bytes",
      spec: templated({ data: { store: "{{ .user | b64dec }}" } }),
      rules: { source: "prod/db", keys: { store: { key: "username", decode: "base64" } } },
    },
    {
      it: "without variables does not read a whole value as JSON",
      spec: templated({ data: { fixed: "text" } }, [pick("file")]),
      rules: { sources: [{ source: "prod/db", name: "db" }], keys: { fixed: { template: "text" } } },
    },
    {
      it: "of a literal makes the keys of its YAML map, and data wins over it",
      spec: templated({
        data: { own: "{{ .user }}" },
        templateFrom: [
          {
            target: "Data",
            literal:
              "# config\nuser: {{ .user | quote }}\nown: x\nport: 5432\non-call: 'it''s'\n{{- /* c */}}\nfile: |\n  user={{ .user }}\n  # end\n",
          },
          { literal: 'port: "5433"\nmode: {{ quote .password -}}\n' },
        ],
      }),
      rules: {
        source: "prod/db",
        keys: {
          user: { template: "{{ username }}" },
          own: { template: "{{ username }}" },
          port: { template: "5433" },
          "on-call": { template: "it's" },
          file: { template: "user={{ username }}\n# end\n" },
          mode: { template: "{{ password }}" },
        },
      },
    },
    {
      it: "sets the type, the labels and the annotations",
      spec: templated(
        { type: "kubernetes.io/basic-auth", metadata: { labels: { a: "b" }, annotations: { c: "d" } } },
        [pick("username", { property: "u" }), pick("password", { property: "p" })],
      ),
      rules: {
        source: "prod/db",
        keys: { username: "u", password: "p" },
        type: "kubernetes.io/basic-auth",
        labels: { a: "b" },
        annotations: { c: "d" },
      },
    },
  ])("$it", ({ spec, rules }) => expect(convertOne(spec)).toMatchObject({ rules }));
});

describe("the Secret", () => {
  const all = { dataFrom: [{ extract: { key: "prod/db" } }] };

  it("has the name of its ExternalSecret, unless it has its own", () => {
    const targets = convert([
      store(),
      externalSecret(all),
      externalSecret({ ...all, target: { name: "other" } }, { name: "b" }),
    ]);
    expect(targets.converted.map(({ entry }) => entry.targets)).toEqual([
      [{ namespace: "shop", name: "app" }],
      [{ namespace: "shop", name: "other" }],
    ]);
  });

  it("has the labels and annotations of its ExternalSecret, except those of tools", () => {
    const annotations = {
      "example.com/owner": "team-shop",
      "kubectl.kubernetes.io/last-applied-configuration": "{}",
      "external-secrets.io/force-sync": "1",
    };
    expect(convertOne(all, { metadata: { labels: { team: "shop" }, annotations } })).toMatchObject({
      rules: { labels: { team: "shop" }, annotations: { "example.com/owner": "team-shop" } },
      notes: expect.arrayContaining(["TOOL_NOTES_DROPPED"]),
    });
  });

  it.each([
    { target: { creationPolicy: "Orphan" }, rules: {} },
    { target: { creationPolicy: "Merge" }, rules: { ownership: "keys" } },
    { target: { creationPolicy: "CreateOrMerge" }, rules: { ownership: "keys" } },
    { target: { deletionPolicy: "Delete" }, rules: { deletionPolicy: "delete" } },
    { target: { immutable: true }, rules: { immutable: true, onChange: "refuse" } },
  ])("follows $target", ({ target, rules }) => {
    expect(convertOne({ ...all, target })).toMatchObject({ rules: { source: "prod/db", ...rules } });
  });
});

it("a Secret of several sources is deleted after the last of them, with a note", () => {
  const entries = [pick("a", { property: "a" }), pick("b", { key: "prod/api", property: "b" })];
  expect(convertOne({ data: entries, target: { deletionPolicy: "Delete" } })).toMatchObject({
    rules: { deletionPolicy: "delete" },
    notes: expect.arrayContaining(["DELETED_AFTER_LAST"]),
  });
});

it("only a Secret that the relay creates in the operator's place has the note MERGE_CREATES", () => {
  const notesOf = (creationPolicy: string) =>
    convertOne({ data: [pick("a")], target: { creationPolicy } }).notes;

  expect(notesOf("Merge")).toContain("MERGE_CREATES");
  expect(notesOf("CreateOrMerge")).not.toContain("MERGE_CREATES");
});

describe("a store", () => {
  const all = { dataFrom: [{ extract: { key: "db" } }] };
  const sourceWith = (aws: object, options = {}) => convertOne(all, { aws }, options);

  it.each([
    { it: "puts its prefix before the key", aws: { prefix: "prod/" }, source: "prod/db" },
    {
      it: "with a role of the functions' account keeps the name",
      aws: { role: "arn:aws:iam::111122223333:role/eso" },
      source: "db",
    },
    {
      it: "in another account leads to an ARN",
      aws: { role: "arn:aws:iam::444455556666:role/eso" },
      source: "arn:aws:secretsmanager:eu-west-1:444455556666:secret:db",
    },
    {
      it: "in another Region leads to an ARN",
      aws: { region: "us-east-1" },
      source: "arn:aws:secretsmanager:us-east-1:111122223333:secret:db",
    },
  ])("$it", ({ aws, source }) => expect(sourceWith(aws)).toMatchObject({ rules: { source } }));

  it("gets a note if it reads with its own role", () => {
    expect(sourceWith({ role: "arn:aws:iam::111122223333:role/eso" })).toMatchObject({
      notes: expect.arrayContaining(["OWN_ROLE"]),
    });
  });

  it("can be assumed, with a note", () => {
    const { converted } = convert([externalSecret(all)], { assumeStores: true });
    expect(converted).toMatchObject([
      { entry: { source: "db" }, notes: expect.arrayContaining(["STORE_ASSUMED"]) },
    ]);
  });

  it("of the same namespace is preferred to one without a namespace", () => {
    const local = (namespace: string | undefined, prefix: string) => ({
      ...store({ prefix }),
      kind: "SecretStore",
      metadata: { name: "aws", ...(namespace && { namespace }) },
    });
    const asked = externalSecret({ ...all, secretStoreRef: { name: "aws" } });
    expect(convert([local(undefined, "any/"), local("shop", "shop/"), asked]).converted).toMatchObject([
      { entry: { source: "shop/db" } },
    ]);
    expect(convert([local(undefined, "any/"), asked]).converted).toMatchObject([
      { entry: { source: "any/db" } },
    ]);
  });

  it("of an entry overrides the store of the ExternalSecret", () => {
    const other = { ...store({ prefix: "other/" }), metadata: { name: "other" } };
    const entry = {
      ...pick("a", { key: "x" }),
      sourceRef: { storeRef: { kind: "ClusterSecretStore", name: "other" } },
    };
    expect(convert([store(), other, externalSecret({ data: [entry] })]).converted).toMatchObject([
      { entry: { source: "other/x" } },
    ]);
  });
});

describe("a ClusterExternalSecret", () => {
  const cluster = (spec: object, status?: object) => ({
    apiVersion: "external-secrets.io/v1beta1",
    kind: "ClusterExternalSecret",
    metadata: { name: "everywhere" },
    spec: {
      externalSecretSpec: {
        secretStoreRef: { kind: "ClusterSecretStore", name: "aws" },
        dataFrom: [{ extract: { key: "prod/db" } }],
      },
      ...spec,
    },
    ...(status && { status }),
  });

  it.each([
    { it: "lists", spec: { namespaces: ["a", "b"] } },
    {
      it: "selects by the label of its name",
      spec: {
        namespaceSelector: {
          matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: ["a", "b"] }],
        },
      },
    },
  ])("has a target in each namespace that it $it", ({ spec }) => {
    const { converted } = convert([store(), cluster({ ...spec, externalSecretName: "db" })]);
    expect(converted).toMatchObject([
      {
        entry: {
          source: "prod/db",
          targets: [
            { namespace: "a", name: "db" },
            { namespace: "b", name: "db" },
          ],
        },
      },
    ]);
  });

  it("has a target in each namespace that the operator found, with a note that they are fixed", () => {
    const selected = cluster(
      { namespaceSelector: { matchLabels: { team: "shop" } } },
      { provisionedNamespaces: ["b", "a"] },
    );
    expect(convert([store(), selected]).converted).toMatchObject([
      {
        entry: { targets: [{ namespace: "a" }, { namespace: "b" }] },
        notes: expect.arrayContaining(["NAMESPACES_FIXED"]),
      },
    ]);
  });

  it("is omitted if its ExternalSecrets are in the input", () => {
    const made = externalSecret(
      { dataFrom: [{ extract: { key: "prod/db" } }] },
      { ownerReferences: [{ kind: "ClusterExternalSecret", name: "everywhere" }] },
    );
    const result = convert([
      store(),
      cluster({ namespaceSelector: { matchLabels: { team: "shop" } } }),
      made,
    ]);
    expect(result).toMatchObject({
      covered: ["everywhere"],
      notConverted: [],
      converted: [{ resource: "ExternalSecret shop/app" }],
    });
  });
});

it("a List and several documents are read like single files", () => {
  const list = { apiVersion: "v1", kind: "List", items: [store(), externalSecret({ data: [pick("a")] })] };
  expect(
    convert([{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } }, list]).converted,
  ).toHaveLength(1);
});

describe("a merge key of YAML is read as kubectl reads it", () => {
  const read = (metadata: string) => {
    const text = `apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata:\n  name: app\n${metadata}`;
    return readManifests("x.yaml", text);
  };

  it.each([
    ["before other keys, which win", "  labels:\n    <<: &all {team: shop, tier: a}\n    tier: b\n", "b"],
    ["after others", "  labels:\n    app: x\n    <<: {team: shop, tier: a}\n", "a"],
    ["with a list, whose first entry wins", "  labels:\n    <<: [{team: shop, tier: a}, {tier: b}]\n", "a"],
  ])("%s", (_, metadata, tier) => {
    expect(read(metadata).manifests).toMatchObject([
      { object: { metadata: { labels: { team: "shop", tier } } } },
    ]);
  });

  it("in quotes is a key like any other", () => {
    expect(read('  labels: {"<<": x}\n').manifests).toMatchObject([
      { object: { metadata: { labels: { "<<": "x" } } } },
    ]);
  });

  it.each([
    [
      "after a key that it also sets",
      "  labels:\n    tier: a\n    <<: {tier: b}\n",
      /^line 7: .*Put << first/,
    ],
    ["twice", "  labels:\n    <<: {a: b}\n    <<: {c: d}\n", /^line 7: .*two merge keys/],
    ["with a text", "  labels:\n    <<: x\n", /^line 6: .*takes a map/],
    [
      "with a map that merges",
      "  x: &x\n    <<: {a: b}\n  labels:\n    <<: *x\n",
      /^line 8: .*has one itself/,
    ],
  ])("and refused %s", (_, metadata, reason) => {
    expect(read(metadata).problems).toMatchObject([{ reason: expect.stringMatching(reason) }]);
  });
});
