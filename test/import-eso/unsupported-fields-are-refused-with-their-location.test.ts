import { describe, expect, it } from "vitest";
import { readManifests } from "../../cli/import-eso/manifest.ts";
import { convert, convertOne, externalSecret, pick, store } from "./manifests.ts";

const extract = (more: object = {}, beside: object = {}) => ({
  dataFrom: [{ extract: { key: "prod/db", ...more }, ...beside }],
});
const rewrite = (...rewrite: object[]) => extract({}, { rewrite });
const regexp = (source: string, target = "x") => ({ regexp: { source, target } });
const all = extract();
const templated = (data: Record<string, string>, more: object = {}) => ({
  target: { template: { data, ...more } },
  data: [
    pick("user", { property: "user" }),
    pick("deep", { property: "a.b" }),
    pick("raw", { property: "c", decodingStrategy: "Base64" }),
  ],
});

describe("an unsupported field is reported with its location:", () => {
  it.each<[string, object, string]>([
    [
      "a property with a wildcard",
      { data: [pick("a", { property: "pass*" })] },
      "spec.data[0].remoteRef.property PROPERTY_PATH",
    ],
    [
      "a query",
      { data: [pick("a", { property: "users.#(name==x).id" })] },
      "spec.data[0].remoteRef.property PROPERTY_PATH",
    ],
    [
      "a modifier",
      { data: [pick("a", { property: "@reverse" })] },
      "spec.data[0].remoteRef.property PROPERTY_PATH",
    ],
    [
      "an escape of anything but a dot",
      { data: [pick("a", { property: "a\\*b" })] },
      "spec.data[0].remoteRef.property PROPERTY_PATH",
    ],
    ["a pipe", { data: [pick("a", { property: "a|b" })] }, "spec.data[0].remoteRef.property PROPERTY_PATH"],
    [
      "an empty part",
      { data: [pick("a", { property: "a..b" })] },
      "spec.data[0].remoteRef.property PROPERTY_PATH",
    ],
    [
      "a path through __proto__",
      { data: [pick("a", { property: "a.__proto__" })] },
      "spec.data[0].remoteRef.property PROPERTY_PATH",
    ],
    [
      "tags in place of a value",
      { data: [pick("a", { metadataPolicy: "Fetch" })] },
      "spec.data[0].remoteRef.metadataPolicy METADATA_POLICY",
    ],
    ["a duplicate key", { data: [pick("a"), pick("a", { property: "b" })] }, "spec.data[1] KEY_TWICE"],
    ["an entry without a key", { data: [{ remoteRef: { key: "x" } }] }, "spec.data[0] FIELD_MALFORMED"],
    [
      "an invalid secret name",
      { data: [pick("a", { key: "bad name" })] },
      "spec.data[0].remoteRef.key SOURCE_NAME",
    ],
    [
      "the keys of objects that a query finds",
      extract({ property: "users.#(name==x)" }),
      "spec.dataFrom[0].extract.property PROPERTY_PATH",
    ],
    [
      "the keys of __proto__",
      extract({ property: "__proto__" }),
      "spec.dataFrom[0].extract.property PROPERTY_PATH",
    ],
    [
      "an unknown encoding",
      extract({ decodingStrategy: "Hex" }),
      "spec.dataFrom[0].extract.decodingStrategy FIELD_MALFORMED",
    ],
    [
      "an id of a version without uuid/",
      { data: [pick("a", { version: "123e4567-e89b-12d3-a456-426614174000" })] },
      "spec.data[0].remoteRef.version VERSION",
    ],
    ["a search by name", { dataFrom: [{ find: { name: { regexp: "^db" } } }] }, "spec.dataFrom[0].find FIND"],
    ["a search by tags", { dataFrom: [{ find: { tags: { env: "prod" } } }] }, "spec.dataFrom[0].find FIND"],
    [
      "a generator",
      { dataFrom: [{ sourceRef: { generatorRef: { kind: "Password", name: "p" } } }] },
      "spec.dataFrom[0].sourceRef.generatorRef GENERATOR",
    ],
    ["an expression without an anchor", rewrite(regexp("db_")), "spec.dataFrom[0].rewrite[0].regexp REWRITE"],
    [
      "a suffix that may come twice",
      rewrite(regexp("(.*)_old", "$1")),
      "spec.dataFrom[0].rewrite[0].regexp REWRITE",
    ],
    [
      "an expression that spares an empty key",
      rewrite(regexp("(.+)", "db_$1")),
      "spec.dataFrom[0].rewrite[0].regexp REWRITE",
    ],
    ["an expression with a class", rewrite(regexp("^[a-z]+_")), "spec.dataFrom[0].rewrite[0].regexp REWRITE"],
    ["an expression with a dot", rewrite(regexp("^a.b")), "spec.dataFrom[0].rewrite[0].regexp REWRITE"],
    [
      "a group of another name",
      rewrite(regexp("^db_(.*)$", "$1x")),
      "spec.dataFrom[0].rewrite[0].regexp REWRITE",
    ],
    ["two rewrites", rewrite(regexp("^a"), regexp("^b")), "spec.dataFrom[0].rewrite REWRITE"],
    [
      "a rewrite by a template",
      rewrite({ transform: { template: "{{ .value }}" } }),
      "spec.dataFrom[0].rewrite[0].transform REWRITE",
    ],
    ["a merge of nested objects", rewrite({ merge: {} }), "spec.dataFrom[0].rewrite[0].merge REWRITE"],
    [
      "a loop in a template",
      templated({ a: "{{ range .user }}x{{ end }}" }),
      "spec.target.template.data.a TEMPLATE",
    ],
    [
      "a function of Sprig",
      templated({ a: "{{ .user | sha1sum }}" }),
      "spec.target.template.data.a TEMPLATE",
    ],
    ["a path within a string", templated({ a: "{{ .deep }}" }), "spec.target.template.data.a TEMPLATE"],
    [
      "a decoded value within a string",
      templated({ a: "{{ .raw }}" }),
      "spec.target.template.data.a TEMPLATE",
    ],
    ["an undefined variable", templated({ a: "{{ .other }}" }), "spec.target.template.data.a TEMPLATE"],
    [
      "the old engine",
      templated({ a: "{{ .user }}" }, { engineVersion: "v1" }),
      "spec.target.template.engineVersion TEMPLATE",
    ],
    [
      "a template in another object",
      { ...all, target: { template: { templateFrom: [{ configMap: { name: "t", items: [] } }] } } },
      "spec.target.template.templateFrom[0].configMap TEMPLATE_FROM",
    ],
    ...[
      "a: {{ .user }}",
      "a: x-{{ .user | quote }}",
      'a: "{{ .user }}"',
      "a: {{ .user | toJson }}",
      "a: {{ upper .user | quote }}",
      "{{ .user }}: a",
      "{{ range $k, $v := . }}{{ $k }}: a\n{{ end }}",
      "{{ if .user }}a: b{{ end }}",
      "a: |\n  {{ .user }}\n  end",
      "a: |\n  start\n  {{ .user }}",
      "a: |\n  x\n{{ .user | indent 2 }}",
      "a: >\n  x {{ .user | quote }} y",
      "a: yes",
      "a: Null",
      "a: 1.10",
      "a: 0x10",
      "a: 2026-01-01",
      "a: x # y\u2028",
      "a: &x b",
      "a: !!str b",
      "a: { b: c }",
      "a: b\na: c",
      "yes: b",
      "1: b",
      'a: "b\\nc"',
      "- a",
      "text",
      "",
    ].map((literal): [string, object, string] => [
      `a literal that is not the same YAML for every value: ${JSON.stringify(literal)}`,
      templated({}, { templateFrom: [{ literal }] }),
      "spec.target.template.templateFrom[0].literal TEMPLATE_FROM",
    ]),
    ...["Labels", "annotations", "spec.x"].map((target): [string, object, string] => [
      `a literal for ${target}`,
      templated({}, { templateFrom: [{ literal: "a: b", target }] }),
      "spec.target.template.templateFrom[0].target TEMPLATE_FROM",
    ]),
    [
      "a literal whose values are decoded",
      templated({}, { templateFrom: [{ literal: "a: b", valuesDecodingStrategy: "Auto" }] }),
      "spec.target.template.templateFrom[0].valuesDecodingStrategy DECODING_STRATEGY",
    ],
    [
      "nothing to take a template from",
      templated({}, { templateFrom: [{}] }),
      "spec.target.template.templateFrom[0] TEMPLATE_FROM",
    ],
    [
      "a label with a value of the source",
      { ...all, target: { template: { metadata: { labels: { a: "{{ .user }}" } } } } },
      "spec.target.template.metadata.labels TEMPLATE_METADATA",
    ],
    [
      "finalizers",
      { ...all, target: { template: { metadata: { finalizers: ["example.com/x"] } } } },
      "spec.target.template.metadata.finalizers FINALIZERS",
    ],
    [
      "an object other than a Secret",
      { ...all, target: { manifest: { apiVersion: "v1", kind: "ConfigMap" } } },
      "spec.target.manifest NOT_A_SECRET",
    ],
    [
      "no Secret at all",
      { ...all, target: { creationPolicy: "None" } },
      "spec.target.creationPolicy CREATION_POLICY",
    ],
    [
      "keys that are deleted with their source",
      { ...all, target: { deletionPolicy: "Merge" } },
      "spec.target.deletionPolicy DELETION_POLICY",
    ],
    [
      "an unknown policy",
      { ...all, target: { creationPolicy: "Always" } },
      "spec.target.creationPolicy FIELD_MALFORMED",
    ],
    [
      "an immutable Secret with other writers",
      { ...all, target: { creationPolicy: "CreateOrMerge", immutable: true } },
      "spec.target.immutable CREATION_POLICY",
    ],
    [
      "a deletion that the operator refuses itself",
      { ...all, target: { creationPolicy: "Orphan", deletionPolicy: "Delete" } },
      "spec.target.deletionPolicy DELETION_POLICY",
    ],
    [
      "a Secret that is created once",
      { ...all, refreshPolicy: "CreatedOnce" },
      "spec.refreshPolicy REFRESH_POLICY",
    ],
    [
      "a Secret that is refreshed by hand",
      { ...all, refreshPolicy: "OnChange" },
      "spec.refreshPolicy REFRESH_POLICY",
    ],
    ...["0s", "0", "0m", "0h0m0s", "+0.0s", ".5ns", "0µs", "-1h"].map(
      (refreshInterval): [string, object, string] => [
        `an interval that never ends: ${refreshInterval}`,
        { ...all, refreshInterval },
        "spec.refreshInterval REFRESH_POLICY",
      ],
    ),
    ["nothing to read", {}, "spec NOTHING_TO_READ"],
    ["a missing store", { ...all, secretStoreRef: { name: "other" } }, "spec.secretStoreRef STORE_UNKNOWN"],
    ["no store", { ...all, secretStoreRef: undefined }, "spec.dataFrom[0] STORE_UNKNOWN"],
    [
      "a type that Kubernetes manages itself",
      { ...all, target: { template: { type: "kubernetes.io/service-account-token" } } },
      "spec BINDINGS_REFUSE",
    ],
    ["a key that is invalid in a Secret", { data: [pick("a b")] }, "spec.data[0].secretKey FIELD_MALFORMED"],
    [
      "an id of a version that is none",
      { data: [pick("a", { version: "uuid/abc" })] },
      "spec.data[0].remoteRef.version VERSION",
    ],
    [
      "a staging label with a space",
      { data: [pick("a", { version: "AWS PREVIOUS" })] },
      "spec.data[0].remoteRef.version VERSION",
    ],
    ["empty lists", { data: [], dataFrom: [] }, "spec NOTHING_TO_READ"],
    [
      "an unknown merge policy",
      templated({ a: "{{ .user }}" }, { mergePolicy: "Append" }),
      "spec.target.template.mergePolicy FIELD_MALFORMED",
    ],
    ["an unknown field with a dot", { ...all, "a.b": 1 }, "spec[a.b] FIELD_UNKNOWN"],
    ["an unknown field", { ...all, syncEvery: "day" }, "spec.syncEvery FIELD_UNKNOWN"],
    [
      "a nested unknown field",
      { data: [pick("a", { cache: "1h" })] },
      "spec.data[0].remoteRef.cache FIELD_UNKNOWN",
    ],
    ["a string in place of a list", { data: "x" }, "spec.data FIELD_MALFORMED"],
  ])("%s", (_, spec, objection) => {
    expect(convertOne(spec)).toMatchObject({ objections: expect.arrayContaining([objection]) });
  });
});

describe("a store is refused", () => {
  const parameter = "STORE_PROVIDER";
  it.each<[string, object, string]>([
    ["of ParameterStore", store({ service: "ParameterStore" }), parameter],
    ["of another vault", { ...store(), spec: { provider: { vault: {} } } }, parameter],
    ["with an unknown field", store({ cache: true }), parameter],
    ["of another Region with an unknown account", store({ region: "us-east-1" }), "STORE_ACCOUNT"],
  ])("%s", (_, given, code) => {
    const { notConverted } = convert([given, externalSecret(all)], { location: { region: "eu-west-1" } });
    expect(notConverted).toMatchObject([{ objections: [{ path: "spec.secretStoreRef", code }] }]);
  });

  it("that is defined twice, with both locations", () => {
    const { notConverted } = convert([store(), store({ prefix: "other/" }), externalSecret(all)]);
    expect(notConverted).toMatchObject([
      { objections: [{ code: "STORE_AMBIGUOUS", reason: expect.stringContaining("all.yaml") }] },
    ]);
  });

  it("when stores use several Regions, and the Region of the functions is unknown", () => {
    const far = { ...store({ region: "us-east-1" }), metadata: { name: "far" } };
    expect(convert([store(), far, externalSecret(all)], { location: {} }).notConverted).toMatchObject([
      { objections: [{ code: "STORE_ACCOUNT" }] },
    ]);
  });

  it("when the source of another account has a name that reads like a full ARN", () => {
    const role = { role: "arn:aws:iam::444455556666:role/eso" };
    expect(convertOne(extract({ key: "team-abcdef" }), { aws: role })).toEqual({
      objections: ["spec.dataFrom[0].extract.key SOURCE_NAME"],
    });
  });
});

it("nothing is converted in part: every objection is reported, and no binding is created", () => {
  const { converted, notConverted } = convert([
    store(),
    externalSecret({
      data: [pick("good", { property: "x" }), pick("bad", { property: "a*" })],
      dataFrom: [{ find: {} }],
    }),
  ]);
  expect(converted).toEqual([]);
  expect(notConverted).toMatchObject([
    { file: "all.yaml", resource: "ExternalSecret shop/app", objections: { length: 2 } },
  ]);
});

describe("a template of a Helm chart is refused before it is read as one of the operator", () => {
  const data = "spec.target.template.data";
  it.each([
    ["a literal in backticks", { "tls.crt": "{{ `{{ .user }}` }}" }, `${data}[tls.crt]`],
    ["a literal in quotes", { a: 'x{{ "{{" }} .user {{ "}}" }}' }, `${data}.a`],
    ["values of the chart", { ".env": "{{ .Values.a }}" }, `${data}[.env]`],
  ])("%s", (_, texts, path) => {
    const { notConverted } = convert([store(), externalSecret(templated(texts))]);

    expect(notConverted).toMatchObject([
      { objections: [{ path, code: "HELM_TEMPLATE", reason: expect.stringContaining("helm template") }] },
    ]);
  });

  it("in any other field", () => {
    const { notConverted } = convert([
      store(),
      externalSecret(all, { annotations: { team: "{{ .Release.Name }}" } }),
      externalSecret(extract({ key: "{{ .Values.key }}" }), { name: "b" }),
    ]);

    expect(notConverted.flatMap(({ objections }) => objections.map(({ path }) => path))).toEqual([
      "metadata.annotations.team",
      "spec.dataFrom[0].extract.key",
    ]);
  });
});

it("an ExternalSecret without a name is refused", () => {
  expect(convert([store(), externalSecret(all, { name: undefined })]).notConverted).toMatchObject([
    { objections: [{ path: "metadata.name", code: "FIELD_MALFORMED" }] },
  ]);
});

it("an older version of the API is reported as a whole", () => {
  const old = { ...externalSecret(all), apiVersion: "external-secrets.io/v1alpha1" };
  expect(convert([store(), old]).notConverted).toMatchObject([
    { objections: [{ path: "apiVersion", code: "API_VERSION" }] },
  ]);
});

it("two ExternalSecrets that write one Secret are both refused", () => {
  const { converted, notConverted } = convert([
    store(),
    externalSecret(all),
    externalSecret({ ...all, target: { name: "app" } }, { name: "second" }),
  ]);
  expect(converted).toEqual([]);
  expect(notConverted).toHaveLength(2);
});

it("a namespace selector that only the cluster can resolve is refused", () => {
  const everywhere = {
    apiVersion: "external-secrets.io/v1",
    kind: "ClusterExternalSecret",
    metadata: { name: "x" },
    spec: { namespaceSelector: { matchLabels: { team: "shop" } }, externalSecretSpec: all },
  };
  expect(convert([store(), everywhere]).notConverted).toMatchObject([
    {
      resource: "ClusterExternalSecret x",
      objections: expect.arrayContaining([
        expect.objectContaining({ path: "spec.namespaceSelector", code: "NAMESPACES" }),
      ]),
    },
  ]);
});

describe("a file that is not YAML", () => {
  it.each([
    ["a Helm template", "kind: ExternalSecret\nspec: {{ .Values.spec }}\n  x: y\n", /helm template/],
    ["a duplicate key", "kind: X\nspec:\n  a: 1\n  a: 2\n", /line 4: a key is defined twice/],
  ])("is reported with its line: %s", (_, text, reason) => {
    expect(readManifests("x.yaml", text)).toMatchObject({
      manifests: [],
      problems: [{ file: "x.yaml", reason: expect.stringMatching(reason) }],
    });
  });
});
