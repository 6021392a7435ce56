import { describe, expect, it } from "vitest";
import { type ContractContext, secretsThrough, unique, X, Y } from "./fixtures.ts";

/** What keeps an older value from landing last, and a deleted Secret from being raised again. */
export function describeFence({ call }: ContractContext): void {
  const secrets = secretsThrough(call);

  describe("the fence", () => {
    it("creates an absent object with a made-up resourceVersion", async () => {
      const created = await secrets.apply(unique(), { data: { x: X }, metadata: { resourceVersion: "1" } });

      expect(created.status).toBe(201);
      expect(created.body.metadata.resourceVersion).not.toBe("1");
    });

    it("refuses a made-up resourceVersion for an existing object, even with the same content", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });

      const refused = await secrets.apply(name, { data: { x: X }, metadata: { resourceVersion: "1" } });

      expect(refused.status).toBe(409);
      expect((await secrets.get(name)).body.data).toEqual({ x: X });
    });

    it("accepts exactly one of many create-only applies", async () => {
      const name = unique();
      const body = (x: string) => ({ data: { x }, metadata: { resourceVersion: "1" } });

      const answers = await Promise.all([X, Y, X, Y, X, Y].map((value) => secrets.apply(name, body(value))));

      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    });

    it("refuses a stale resourceVersion with 409 and no causes", async () => {
      const name = unique();
      const first = await secrets.apply(name, { data: { x: X } });
      await secrets.apply(name, { data: { x: Y } });
      const { resourceVersion, uid } = first.body.metadata;

      const refused = await secrets.apply(name, { data: { x: X }, metadata: { resourceVersion, uid } });

      expect(refused.status).toBe(409);
      expect(refused.body).toMatchObject({
        reason: "Conflict",
        message: `Operation cannot be fulfilled on secrets "${name}": the object has been modified; please apply your changes to the latest version and try again`,
        details: { name, kind: "secrets" },
      });
      expect(refused.body.details.causes).toBeUndefined();
    });

    it("reports the other manager first if owner and version have both changed", async () => {
      const name = unique();
      const first = await secrets.apply(name, { data: { x: X } });
      await secrets.merge(name, { data: { x: Y } }, "kubectl-edit");
      const { resourceVersion } = first.body.metadata;

      const refused = await secrets.apply(name, { data: { x: X }, metadata: { resourceVersion } });

      expect(refused.body.details.causes).toHaveLength(1);
    });

    it("writes with the live resourceVersion and uid", async () => {
      const name = unique();
      const first = await secrets.apply(name, { data: { x: X } });
      const { resourceVersion, uid } = first.body.metadata;

      const second = await secrets.apply(name, { data: { x: Y }, metadata: { resourceVersion, uid } });

      expect(second.status).toBe(200);
      expect(second.body.data).toEqual({ x: Y });
    });

    it("does not recreate a deleted object if the uid is given", async () => {
      const name = unique();
      const first = await secrets.apply(name, { data: { x: X } });
      await secrets.delete(name);
      const { resourceVersion, uid } = first.body.metadata;

      const refused = await secrets.apply(name, { data: { x: Y }, metadata: { resourceVersion, uid } });

      expect(refused.status).toBe(409);
      expect(refused.body.message).toContain(
        `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
      );
      expect(refused.body.details).toEqual({ name, kind: "secrets" });
    });

    it("recreates a deleted object if only the resourceVersion is given", async () => {
      const name = unique();
      const first = await secrets.apply(name, { data: { x: X } });
      await secrets.delete(name);
      const { resourceVersion } = first.body.metadata;

      const created = await secrets.apply(name, { data: { x: Y }, metadata: { resourceVersion } });

      expect(created.status).toBe(201);
    });

    it("reports a conflict for a recreated object", async () => {
      const name = unique();
      const first = await secrets.apply(name, { data: { x: X } });
      await secrets.delete(name);
      await secrets.apply(name, { data: { x: X } });
      const { resourceVersion, uid } = first.body.metadata;

      const refused = await secrets.apply(name, { data: { x: Y }, metadata: { resourceVersion, uid } });

      expect(refused.status).toBe(409);
    });

    it("reports another uid without a resourceVersion as an invalid change, not a conflict", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });

      const refused = await secrets.apply(name, { data: { x: Y }, metadata: { uid: "made-up" } });

      expect(refused.status).toBe(422);
      expect(refused.body.details.causes[0]).toMatchObject({
        field: "metadata.uid",
        reason: "FieldValueInvalid",
      });
    });

    it.each(["", "0"])("treats the resourceVersion %j as no condition", async (resourceVersion) => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });

      const second = await secrets.apply(name, { data: { x: Y }, metadata: { resourceVersion } });

      expect(second.status).toBe(200);
    });
  });
}
