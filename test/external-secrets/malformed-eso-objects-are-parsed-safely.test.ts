import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDuration } from "../../shared/external-secrets/parse-duration.ts";
import {
  parseClusterExternalSecret,
  parseExternalSecret,
  parsePushSecret,
  parseSecretStore,
  parseStatus,
} from "../../shared/external-secrets/parse-objects.ts";
import { newCanary } from "../harness/canary.ts";

const anyJson = fc.jsonValue({ maxDepth: 4 });
/** Valid field names in valid places, with any values. */
const anyObject = fc.record(
  {
    metadata: fc.record(
      {
        namespace: fc.string(),
        name: fc.string(),
        annotations: anyJson,
        ownerReferences: anyJson,
        managedFields: anyJson,
      },
      { requiredKeys: [] },
    ),
    spec: fc.record(
      {
        secretStoreRef: anyJson,
        secretStoreRefs: anyJson,
        selector: anyJson,
        data: fc.oneof(
          anyJson,
          fc.array(fc.record({ remoteRef: anyJson, sourceRef: anyJson, match: anyJson })),
        ),
        dataFrom: fc.oneof(
          anyJson,
          fc.array(fc.record({ extract: anyJson, find: anyJson, sourceRef: anyJson })),
        ),
        refreshInterval: anyJson,
        syncWindows: anyJson,
        target: anyJson,
        provider: anyJson,
      },
      { requiredKeys: [] },
    ),
    status: anyJson,
  },
  { requiredKeys: [] },
);

it("any value is parsed or rejected, and nothing throws", () => {
  fc.assert(
    fc.property(fc.oneof(anyJson, anyObject), (raw) => {
      parseExternalSecret(raw);
      parsePushSecret(raw);
      parseSecretStore(raw, "SecretStore");
      parseClusterExternalSecret(raw);
    }),
  );
});

it("an ExternalSecret has each reference with its own store", () => {
  const external = parseExternalSecret({
    metadata: { namespace: "shop", name: "db" },
    spec: {
      secretStoreRef: { name: "main" },
      refreshInterval: "15m",
      data: [
        { secretKey: "a", remoteRef: { key: "one", version: "AWSPREVIOUS" } },
        {
          secretKey: "b",
          remoteRef: { key: "two" },
          sourceRef: { storeRef: { name: "all", kind: "ClusterSecretStore" } },
        },
      ],
      dataFrom: [
        { extract: { key: "three" } },
        {
          find: { path: "prod/", name: { regexp: "^p" }, tags: { team: "shop" } },
          sourceRef: { storeRef: { name: "own" } },
        },
        { sourceRef: { generatorRef: { kind: "Password", name: "p" } } },
      ],
    },
  });

  const main = { kind: "SecretStore", name: "main" };
  expect(external).toMatchObject({ refreshPolicy: "Periodic", refreshIntervalMs: 900_000, targetName: "db" });
  expect(external?.references).toEqual([
    { kind: "key", store: main, key: "one", version: "AWSPREVIOUS" },
    { kind: "key", store: { kind: "ClusterSecretStore", name: "all" }, key: "two" },
    { kind: "key", store: main, key: "three" },
    {
      kind: "find",
      store: { kind: "SecretStore", name: "own" },
      path: "prod/",
      nameRegexp: "^p",
      tags: { team: "shop" },
    },
    { kind: "generator", store: undefined },
  ]);
});

it("a store of another provider is parsed without an AWS location", () => {
  const store = parseSecretStore(
    { metadata: { name: "v" }, spec: { provider: { vault: {} } } },
    "SecretStore",
  );

  expect(store).toEqual({ kind: "SecretStore", name: "v", isReady: false });
});

describe("a condition", () => {
  const statusWith = (ready: object) => parseStatus({ conditions: [{ type: "Ready", ...ready }] });

  it("is kept with its reason code, never with its message", () => {
    const message = newCanary();
    const status = statusWith({ status: "False", reason: "SecretSyncedError", message });

    expect(status).toEqual({ isReady: false, reason: "SecretSyncedError" });
    expect(JSON.stringify(status)).not.toContain(message);
  });

  it("drops a reason that is not a code", () => {
    expect(statusWith({ status: "False", reason: `could not read ${newCanary()}` })).toEqual({
      isReady: false,
    });
    expect(statusWith({ status: "False", reason: "x".repeat(65) })).toEqual({ isReady: false });
  });
});

describe("a duration", () => {
  it.each([
    ["1h0m0s", 3_600_000],
    ["1.5h", 5_400_000],
    ["90s", 90_000],
    ["250ms", 250],
    ["0", 0],
    ["0s", 0],
    ["-5m", -300_000],
  ])("%s is %d ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(["", "1", "h", "1d", "1h 5m", "ten minutes", 5, null])("%j is not a duration", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it("is parsed from the format of Go", () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(59), fc.nat(59), (hours, minutes, seconds) => {
        expect(parseDuration(`${hours}h${minutes}m${seconds}s`)).toBe(
          ((hours * 60 + minutes) * 60 + seconds) * 1_000,
        );
      }),
    );
  });
});
