import { expect, it } from "vitest";
import { parseIdentity } from "../../shared/bindings/relay-identity.ts";
import { claimOwnership } from "../../shared/cluster/claim-ownership.ts";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const fields = { keys: ["password"], labels: ["pay.secret-relay/managed"], annotations: [] };
const entry = (manager: string, operation: string, fieldsV1: object) => ({ manager, operation, fieldsV1 });
const own = (fieldsV1: object) => ({
  manager: "pay",
  operation: "Apply",
  apiVersion: "v1",
  time: "2026-11-28T12:00:00Z",
  fieldsType: "FieldsV1",
  fieldsV1,
});
const CLAIMED = {
  "f:data": { "f:password": {} },
  "f:metadata": { "f:labels": { "f:pay.secret-relay/managed": {} } },
};

it("creates an entry if there was none", () => {
  expect(claimOwnership([], fields, "pay", { now: NOW })).toEqual([own(CLAIMED)]);
});

it("moves the fields from every other entry, and keeps the rest of those entries", () => {
  const velero = entry("velero", "Update", {
    "f:data": { ".": {}, "f:password": {}, "f:extra": {} },
    "f:type": {},
  });
  expect(claimOwnership([velero], fields, "pay", { now: NOW })).toEqual([
    { ...velero, fieldsV1: { "f:data": { ".": {}, "f:extra": {} }, "f:type": {} } },
    own(CLAIMED),
  ]);
});

it("removes an entry that becomes empty", () => {
  const velero = entry("velero", "Update", { "f:data": { ".": {}, "f:password": {} } });
  expect(claimOwnership([velero], fields, "pay", { now: NOW })).toEqual([own(CLAIMED)]);
});

it("inherits the fields that the previous relay applied, and no others written under its name", () => {
  const former = entry("old", "Apply", { "f:data": { "f:user": {} }, "f:type": {} });
  const update = entry("old", "Update", { "f:data": { "f:note": {} } });
  expect(claimOwnership([former, update], fields, "pay", { former: "old", now: NOW })).toEqual([
    update,
    own({ ...CLAIMED, "f:data": { "f:user": {}, "f:password": {} }, "f:type": {} }),
  ]);
});

it.each([
  ["secret-relay.111122223333.eu-west-1", { name: "secret-relay", accountId: "111122223333" }],
  ["pay.111122223333.us-gov-west-1", { name: "pay", partition: "aws-us-gov" }],
])("%s is an identity", (text, parts) => {
  expect(parseIdentity(text)).toMatchObject(parts);
});

it.each(["", "pay", "pay.1.eu-west-1", "Pay.111122223333.eu-west-1", "a.111122223333.eu-west-1.b"])(
  "%j is not",
  (text) => {
    expect(parseIdentity(text)).toBeUndefined();
  },
);
