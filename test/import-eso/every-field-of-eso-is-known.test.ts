import { describe, expect, it } from "vitest";
import { AWS_STORE_FIELDS, EXTERNAL_SECRET_FIELDS } from "./eso-fields.ts";
import { convert, convertOne, externalSecret, pick, store } from "./manifests.ts";

const base = () => ({
  data: [pick("password", { property: "password" })],
  dataFrom: [{ extract: { key: "prod/api" } }],
  target: { name: "db" },
});

/** Another value than the default, where a plain text is not one that an API server accepts. */
const OTHER_VALUES: Readonly<Record<string, unknown>> = {
  "secretStoreRef.kind": "SecretStore",
  "data[].sourceRef.storeRef.kind": "SecretStore",
  "dataFrom[].sourceRef.storeRef.kind": "SecretStore",
  refreshInterval: "30m",
  refreshPolicy: "OnChange",
  "dataFrom[].find.tags": { team: "shop" },
  "target.creationPolicy": "Orphan",
  "target.deletionPolicy": "Merge",
  "target.immutable": true,
  "target.template.data": { url: "{{ .password }}" },
  "target.template.mergePolicy": "Merge",
  "target.template.metadata.annotations": { team: "shop" },
  "target.template.metadata.labels": { team: "shop" },
  "provider.aws.region": "us-east-1",
  "provider.aws.service": "SecretsManager",
  "provider.aws.customSessionTags": { team: "shop" },
  "provider.aws.secretsManager.forceDeleteWithoutRecovery": true,
  "provider.aws.secretsManager.recoveryWindowInDays": 7,
  "conditions[].namespaceSelector.matchLabels": { team: "shop" },
  "retrySettings.maxRetries": 5,
};
const otherValue = (path: string): unknown => OTHER_VALUES[path] ?? "Other";

describe("a default that the API server stores changes nothing:", () => {
  // Without these, another field of the same map is missing.
  const isPartOfRefused = (path: string) => /\.(find|merge|generatorRef|templateFrom\[\])\./.test(path);
  const defaults = EXTERNAL_SECRET_FIELDS.filter(({ path }) => !isPartOfRefused(path)).flatMap(
    ({ path, defaults }) => defaults.map((value) => ({ path, value })),
  );

  it.each(defaults)("$path: $value", ({ path, value }) => {
    const spec = { ...base(), target: { name: "db", template: {} } };
    const plain = convertOne(spec);

    expect(plain).toHaveProperty("rules");
    expect(convertOne(withField(spec, path, value))).toEqual(plain);
  });

  it.each(AWS_STORE_FIELDS.flatMap(({ path, defaults }) => defaults.map((value) => ({ path, value }))))(
    "$path: $value of a store",
    ({ path, value }) => {
      const [plain, stored] = [store(), withSpec(store(), path, value)].map((aws) =>
        convert([aws, externalSecret(base())]),
      );

      expect(plain?.converted).toHaveLength(1);
      expect(stored).toEqual(plain);
    },
  );
});

describe("no field is unknown:", () => {
  it.each(EXTERNAL_SECRET_FIELDS)("$path is converted, or refused by name", ({ path }) => {
    const { notConverted } = convert([store(), withSpec(externalSecret(base()), path, otherValue(path))]);

    const objections = notConverted.flatMap((each) => each.objections);
    expect(objections.map(({ code }) => code)).not.toContain("FIELD_UNKNOWN");
    for (const objection of objections) expect(objection.reason).not.toBe("");
  });

  it.each(AWS_STORE_FIELDS)("$path of a store is understood", ({ path }) => {
    const { converted } = convert([withSpec(store(), path, otherValue(path)), externalSecret(base())]);

    expect(converted).toHaveLength(1);
  });
});

it("a policy that the relay has not is refused at its place", () => {
  const windows = { kind: "allow", windows: [{ schedule: "0 3 * * *", duration: "1h" }] };
  expect(convertOne({ data: [pick("a", { nullBytePolicy: "Fail" })], syncWindows: windows })).toEqual({
    objections: ["spec.syncWindows SYNC_WINDOWS", "spec.data[0].remoteRef.nullBytePolicy NULL_BYTE_POLICY"],
  });
});

it("session tags of a store change only its permissions, which a note says", () => {
  const { notes } = convertOne(base(), { aws: { sessionTagsPolicy: "Default" } });
  expect(notes).toContain("OWN_ROLE");
});

function withSpec(object: object, path: string, value: unknown): object {
  const { spec } = object as { spec: object };
  return { ...object, spec: withField(spec, path, value) };
}

/** A copy with a value at `a.b[].c`; entries are the first of their list. */
function withField<T extends object>(spec: T, path: string, value: unknown): T {
  const copy = structuredClone(spec);
  const steps = path.replaceAll("[]", ".0").split(".");
  const last = steps.pop() ?? "";
  let at = copy as Record<string, unknown>;
  for (const [index, step] of steps.entries()) {
    at[step] ??= (steps[index + 1] ?? last) === "0" ? [] : {};
    at = at[step] as Record<string, unknown>;
  }
  at[last] = value;
  return copy;
}
