import type { V1Secret } from "@kubernetes/client-node/dist/gen/models/V1Secret.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseLiveSecret } from "../../shared/cluster/live-secret.ts";
import {
  annotationField,
  appliedFields,
  dataField,
  labelField,
  otherOwners,
  parseManagedFields,
} from "../../shared/cluster/managed-fields.ts";

const entry = (manager: string, operation: string, fieldsV1: object) => ({ manager, operation, fieldsV1 });

describe("managedFields", () => {
  it("name each leaf, also with dots and slashes in its key", () => {
    const managed = parseManagedFields([
      entry("secret-relay", "Apply", {
        "f:data": { "f:tls.crt": {}, "f:.dockerconfigjson": {} },
        "f:metadata": {
          "f:labels": { "f:app.kubernetes.io/name": {} },
          "f:annotations": { "f:secret-relay/version-id": {} },
        },
        "f:type": {},
      }),
    ]);
    expect(appliedFields(managed, "secret-relay")).toEqual(
      new Set([
        dataField("tls.crt"),
        dataField(".dockerconfigjson"),
        labelField("app.kubernetes.io/name"),
        annotationField("secret-relay/version-id"),
        "type",
      ]),
    );
  });

  it("do not mistake the entry for a map itself for a key", () => {
    const managed = parseManagedFields([
      entry("secret-relay", "Apply", { "f:data": { ".": {}, "f:a": {} } }),
    ]);
    expect(appliedFields(managed, "secret-relay")).toEqual(new Set([dataField("a")]));
  });

  it("count as applied only the Apply entry of the relay, not its updates", () => {
    const managed = parseManagedFields([
      entry("secret-relay", "Update", { "f:data": { "f:a": {} } }),
      entry("kubectl", "Apply", { "f:data": { "f:b": {} } }),
      entry("secret-relay", "Apply", { "f:data": { "f:c": {} } }),
    ]);
    expect(appliedFields(managed, "secret-relay")).toEqual(new Set([dataField("c")]));
  });

  it("name the other owners of a field", () => {
    const managed = parseManagedFields([
      entry("secret-relay", "Apply", { "f:data": { "f:a": {} } }),
      entry("kubectl-edit", "Update", { "f:data": { "f:a": {} } }),
      entry("argocd", "Apply", { "f:data": { "f:b": {} } }),
    ]);
    expect(otherOwners(managed, dataField("a"), "secret-relay").map(({ manager }) => manager)).toEqual([
      "kubectl-edit",
    ]);
  });

  it("never confuse two fields of a Secret, for any keys", () => {
    const anyKey = fc.string({ unit: fc.constantFrom(..."ab.-_/"), minLength: 1, maxLength: 8 });
    const anyField = fc.oneof(
      anyKey.map((key) => ({ path: dataField(key), tree: { "f:data": { [`f:${key}`]: {} } } })),
      anyKey.map((key) => ({
        path: labelField(key),
        tree: { "f:metadata": { "f:labels": { [`f:${key}`]: {} } } },
      })),
      anyKey.map((key) => ({
        path: annotationField(key),
        tree: { "f:metadata": { "f:annotations": { [`f:${key}`]: {} } } },
      })),
    );
    fc.assert(
      fc.property(anyField, anyField, (one, other) => {
        const owned = appliedFields(
          parseManagedFields([entry("secret-relay", "Apply", one.tree)]),
          "secret-relay",
        );
        const isSame = JSON.stringify(one.tree) === JSON.stringify(other.tree);
        expect(owned).toEqual(new Set([one.path]));
        expect(owned.has(other.path)).toBe(isSame);
      }),
    );
  });

  it.each([
    { it: "no entries", entries: [] },
    { it: "an empty entry", entries: [{}] },
    {
      it: "a leaf that is null",
      entries: [{ manager: "x", operation: "Apply", fieldsV1: { "f:data": null } }],
    },
    { it: "an invalid time", entries: [{ manager: "x", operation: "Apply", time: "yesterday" }] },
  ])("accept $it", ({ entries }) => {
    expect(
      appliedFields(parseManagedFields(entries as Parameters<typeof parseManagedFields>[0]), "secret-relay"),
    ).toEqual(new Set());
  });
});

describe("a live Secret", () => {
  const secret = (overrides: Partial<V1Secret> = {}): V1Secret => ({
    metadata: { uid: "uid-1", resourceVersion: "7" },
    ...overrides,
  });

  it("has its values as SecretValue, byte for byte", () => {
    const live = parseLiveSecret(secret({ data: { "tls.crt": "AP+ACg==", empty: "" } }));
    expect([...live.data].map(([key, value]) => [key, [...value.expose()]])).toEqual([
      ["tls.crt", [0, 255, 128, 10]],
      ["empty", []],
    ]);
    expect(JSON.stringify([...live.data.values()])).toBe('["[secret]","[secret]"]');
  });

  it("is Opaque by default, as in Kubernetes", () => {
    expect(parseLiveSecret(secret())).toMatchObject({
      type: "Opaque",
      immutable: false,
      isBeingDeleted: false,
    });
  });

  it.each([
    { it: "is immutable if the field is true", given: { immutable: true }, want: { immutable: true } },
    { it: "is not immutable if the field is false", given: { immutable: false }, want: { immutable: false } },
    {
      it: "is being deleted when it has a deletion time",
      given: { metadata: { deletionTimestamp: new Date(0) } },
      want: { isBeingDeleted: true },
    },
    {
      it: "has the controller among its owners",
      given: {
        metadata: {
          ownerReferences: [
            { apiVersion: "v1", kind: "ConfigMap", name: "other", uid: "1" },
            { apiVersion: "v1", kind: "ConfigMap", name: "not", uid: "2", controller: false },
            {
              apiVersion: "external-secrets.io/v1",
              kind: "ExternalSecret",
              name: "db",
              uid: "3",
              controller: true,
            },
          ],
        },
      },
      want: { controller: { kind: "ExternalSecret", name: "db" } },
    },
  ])("$it", ({ given, want }) => {
    expect(parseLiveSecret(secret(given))).toMatchObject(want);
  });

  it("has no controller when no owner is a controller", () => {
    const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "other", uid: "1" }];
    expect(parseLiveSecret({ metadata: { ownerReferences } }).controller).toBeUndefined();
  });

  it("without metadata has no identity, and is still parsed", () => {
    expect(parseLiveSecret({})).toMatchObject({ uid: "", resourceVersion: "", labels: {}, annotations: {} });
  });
});
