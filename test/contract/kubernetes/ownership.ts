import { describe, expect, it } from "vitest";
import { claimOwnership } from "../../../shared/cluster/claim-ownership.ts";
import {
  accept,
  type ContractContext,
  ledger,
  MERGE,
  SECRETS,
  secretsThrough,
  unique,
  X,
  Y,
} from "./fixtures.ts";

/** A client moves the ownership of fields by a merge patch of managedFields alone; no data travels. */
export function describeOwnership({ call }: ContractContext): void {
  const secrets = secretsThrough(call);
  const METADATA = accept("PartialObjectMetadata");
  const patchMetadata = (name: string, metadata: object) =>
    call(`${SECRETS}/${name}?fieldManager=relay`, {
      method: "PATCH",
      contentType: MERGE,
      accept: METADATA,
      body: { metadata },
    });
  const moved = (managedFields: readonly object[], ...keys: string[]) =>
    claimOwnership(managedFields, { keys }, "relay", { now: Date.now() });

  /** Keys x, y and old are another manager's; the relay has applied x and y over them with the same values. */
  const openShared = async () => {
    const name = unique();
    await secrets.create(
      { apiVersion: "v1", kind: "Secret", metadata: { name }, data: { x: X, y: X, old: X } },
      "fieldManager=operator",
    );
    const { body } = await secrets.apply(name, { data: { x: X, y: X } });
    return { name, metadata: body.metadata };
  };

  describe("the ownership of fields", () => {
    it("stays shared after an apply of equal values, and an omitted key then stays", async () => {
      const { name } = await openShared();

      const applied = await secrets.apply(name, { data: { x: X } });

      expect(applied.body.data).toEqual({ x: X, y: X, old: X });
      expect(ledger(applied)).toMatchObject([
        { owner: "relay Apply", fields: { "f:data": { "f:x": {} } } },
        { owner: "operator Update", fields: { "f:data": { "f:x": {}, "f:y": {}, "f:old": {} } } },
      ]);
    });

    it("moves by a merge patch of managedFields, which is answered without data", async () => {
      const { name, metadata } = await openShared();
      const { uid, resourceVersion, managedFields } = metadata;

      const patched = await patchMetadata(name, {
        uid,
        resourceVersion,
        managedFields: moved(managedFields, "x", "y", "old"),
      });

      expect(patched.status).toBe(200);
      expect(patched.body).toMatchObject({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" });
      expect(Object.keys(patched.body).sort()).toEqual(["apiVersion", "kind", "metadata"]);
      expect(patched.body.metadata).toMatchObject({ name, uid });
      expect(patched.body.metadata.resourceVersion).not.toBe(resourceVersion);
      const after = await secrets.get(name);
      expect(after.body.data).toEqual({ x: X, y: X, old: X });
      expect(ledger(after)).toEqual([
        // Untimed, as it was: an apply of equal values gives its entry no time.
        { owner: "relay Apply", timed: false, fields: { "f:data": { "f:x": {}, "f:y": {}, "f:old": {} } } },
        { owner: "operator Update", timed: true, fields: { "f:type": {} } },
      ]);
    });

    it("permits the next apply to remove an omitted key, without force", async () => {
      const { name, metadata } = await openShared();
      const { uid, resourceVersion, managedFields } = metadata;
      const patched = await patchMetadata(name, {
        uid,
        resourceVersion,
        managedFields: moved(managedFields, "x", "y", "old"),
      });

      const fence = { uid, resourceVersion: patched.body.metadata.resourceVersion };
      const applied = await secrets.apply(name, { metadata: fence, data: { x: Y, y: X } });

      expect([applied.status, applied.body.data]).toEqual([200, { x: Y, y: X }]);
      expect(ledger(applied)[0]).toEqual({
        owner: "relay Apply",
        timed: true,
        fields: { "f:data": { "f:x": {}, "f:y": {} } },
      });
    });

    it("moves only in the state that was read", async () => {
      const { name, metadata } = await openShared();
      const { uid, resourceVersion, managedFields } = metadata;
      await secrets.merge(name, { data: { x: Y } }, "editor");

      const stale = await patchMetadata(name, {
        uid,
        resourceVersion,
        managedFields: moved(managedFields, "x", "y", "old"),
      });

      expect([stale.status, stale.body.reason]).toEqual([409, "Conflict"]);
      expect(ledger(await secrets.get(name)).map(({ owner }) => owner)).toContain("editor Update");
    });

    it("moves to a manager that had none", async () => {
      const name = unique();
      const made = await secrets.create(
        { apiVersion: "v1", kind: "Secret", metadata: { name }, data: { x: X } },
        "fieldManager=operator",
      );
      const { uid, resourceVersion, managedFields } = made.body.metadata;

      await patchMetadata(name, { uid, resourceVersion, managedFields: moved(managedFields, "x") });

      expect(ledger(await secrets.get(name))[0]).toMatchObject({
        owner: "relay Apply",
        fields: { "f:data": { "f:x": {} } },
      });
    });

    it("is lost completely by one empty entry, and nothing else changes", async () => {
      const { name } = await openShared();

      const reset = await patchMetadata(name, { managedFields: [{}] });

      expect(reset.status).toBe(200);
      expect(reset.body.metadata.managedFields).toBeUndefined();
      const after = await secrets.get(name);
      expect(after.body.data).toEqual({ x: X, y: X, old: X });
      expect((await secrets.apply(name, { data: { x: Y } })).status).toBe(409); // of before-first-apply
    });

    it("is also lost by an empty list", async () => {
      const { name } = await openShared();
      const reset = await patchMetadata(name, { managedFields: [] });
      expect(reset.body.metadata.managedFields).toBeUndefined();
    });

    it("is removed with an annotation by a patch of null, answered without data", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });
      await patchMetadata(name, { annotations: { note: "1" } });

      const patched = await patchMetadata(name, { annotations: { note: null } });

      expect(patched.body.metadata.annotations).toBeUndefined();
      expect(patched.body).not.toHaveProperty("data");
    });

    it("requests no missing field", async () => {
      const absent = await patchMetadata(unique(), { annotations: { note: "1" } });
      expect([absent.status, absent.body.reason]).toEqual([404, "NotFound"]);
    });
  });
}
