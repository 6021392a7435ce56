import { describe, expect, it } from "vitest";
import {
  type ContractContext,
  JSON_PATCH,
  ledger,
  STRATEGIC,
  secretsThrough,
  unique,
  X,
  Y,
} from "./fixtures.ts";

/** What people and other tools do to a Secret, and how the ledger shows it. */
export function describeOtherWriters({ call }: ContractContext): void {
  const secrets = secretsThrough(call);

  describe("other writers", () => {
    it("own what they changed from then on", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X, y: X } });

      const edited = await secrets.merge(name, { data: { x: Y } }, "kubectl-edit");

      expect(ledger(edited)).toEqual([
        { owner: "relay Apply", timed: true, fields: { "f:data": { "f:y": {} } } },
        { owner: "kubectl-edit Update", timed: true, fields: { "f:data": { "f:x": {} } } },
      ]);
    });

    it("remove a deleted key from managedFields", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X, y: X } });

      const edited = await secrets.merge(name, { data: { y: null } }, "kubectl-edit");

      expect(edited.body.data).toEqual({ x: X });
      expect(ledger(edited)).toEqual([
        { owner: "relay Apply", timed: true, fields: { "f:data": { "f:x": {} } } },
      ]);
    });

    it("leave no trace when they change nothing", async () => {
      const name = unique();
      const first = await secrets.apply(name, { data: { x: X } });

      const edited = await secrets.merge(name, { data: { x: X } }, "kubectl-edit");

      expect(edited.body).toEqual(first.body);
    });

    it("own a map that they add, in addition to its fields", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });

      const edited = await secrets.merge(name, { metadata: { annotations: { u: "v" } } }, "kubectl-annotate");

      expect(ledger(edited)[1]).toEqual({
        owner: "kubectl-annotate Update",
        timed: true,
        fields: { "f:metadata": { "f:annotations": { ".": {}, "f:u": {} } } },
      });
    });

    it.each([
      { type: "strategic merge patch", contentType: STRATEGIC, patch: { data: { x: Y } } },
      { type: "JSON patch", contentType: JSON_PATCH, patch: [{ op: "replace", path: "/data/x", value: Y }] },
    ])("can use a $type", async ({ contentType, patch }) => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });

      const edited = await secrets.patch(name, patch, contentType);

      expect(edited.status).toBe(200);
      expect(edited.body.data).toEqual({ x: Y });
      expect(ledger(edited)).toEqual([
        { owner: "editor Update", timed: true, fields: { "f:data": { "f:x": {} } } },
      ]);
    });

    it.each([
      { it: "a test fails", patch: [{ op: "test", path: "/data/x", value: Y }] },
      { it: "a path is missing", patch: [{ op: "remove", path: "/data/nothing" }] },
    ])("get 422 for a JSON patch in which $it", async ({ patch }) => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });

      const refused = await secrets.patch(name, patch, JSON_PATCH);

      expect(refused.status).toBe(422);
      expect(refused.body).toMatchObject({ reason: "Invalid", details: {} });
    });

    it("get the whole object in the error, values included, if a patch is not base64", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X, other: Y } });

      const refused = await secrets.merge(name, { data: { x: "!" } }, "editor");

      expect(refused.status).toBe(422);
      expect(refused.body.message).toContain(Y);
    });

    it("can fence a merge patch with a resourceVersion", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });

      const refused = await secrets.merge(
        name,
        { metadata: { resourceVersion: "1" }, data: { x: Y } },
        "editor",
      );

      expect(refused.status).toBe(409);
      expect(refused.body.details).toEqual({ name, kind: "secrets" });
    });

    it("can forge managedFields, so owning a field proves nothing about its value", async () => {
      const name = unique();
      const first = await secrets.apply(name, { data: { x: X } });
      await secrets.merge(name, { data: { x: Y } }, "thief");
      const managedFields = first.body.metadata.managedFields;

      const forged = await secrets.merge(name, { metadata: { managedFields } }, "thief");

      expect(forged.body.data).toEqual({ x: Y });
      expect(ledger(forged)).toEqual(ledger(first));
    });

    it("cannot patch what is absent", async () => {
      const name = unique();
      const refused = await secrets.merge(name, { data: { x: X } }, "editor");

      expect(refused.status).toBe(404);
      expect(refused.body).toMatchObject({
        reason: "NotFound",
        message: `secrets "${name}" not found`,
        details: { name, kind: "secrets" },
      });
    });

    it("cannot patch with plain JSON", async () => {
      const refused = await secrets.patch(unique(), {}, "application/json");

      expect(refused.status).toBe(415);
      expect(refused.body.reason).toBe("UnsupportedMediaType");
    });
  });
}
