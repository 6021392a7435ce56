import { describe, expect, it } from "vitest";
import { type ContractContext, ledger, secretNamed, secretsThrough, unique, X, Y } from "./fixtures.ts";

/** POST, PUT and DELETE. */
export function describeWholeWrites({ call }: ContractContext): void {
  const secrets = secretsThrough(call);

  describe("create, replace and delete", () => {
    it("own every field of a created Secret, its maps and its default type", async () => {
      const name = unique();
      const body = secretNamed(name, { data: { x: X }, metadata: { labels: { a: "1" } } });

      const created = await secrets.create(body, "fieldManager=kubectl-create");

      expect(created.status).toBe(201);
      expect(ledger(created)).toEqual([
        {
          owner: "kubectl-create Update",
          timed: true,
          fields: {
            "f:data": { ".": {}, "f:x": {} },
            "f:metadata": { "f:labels": { ".": {}, "f:a": {} } },
            "f:type": {},
          },
        },
      ]);
    });

    it("turn stringData into data", async () => {
      const created = await secrets.create(secretNamed(unique(), { stringData: { x: "x" } }));

      expect(created.body.data).toEqual({ x: X });
      expect(created.body.stringData).toBeUndefined();
    });

    it("refuse to create an existing object", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });

      const refused = await secrets.create(secretNamed(name, {}));

      expect(refused.status).toBe(409);
      expect(refused.body).toMatchObject({
        reason: "AlreadyExists",
        message: `secrets "${name}" already exists`,
        details: { name, kind: "secrets" },
      });
    });

    it("warn of an unknown field and drop it", async () => {
      const created = await secrets.create(secretNamed(unique(), { bogus: 1 }));

      expect(created.status).toBe(201);
      expect(created.headers.warning).toBe('299 - "unknown field \\"bogus\\""');
      expect(created.body.bogus).toBeUndefined();
    });

    it("refuse an unknown field with strict validation", async () => {
      const refused = await secrets.create(secretNamed(unique(), { bogus: 1 }), "fieldValidation=Strict");

      expect(refused.status).toBe(400);
    });

    it("leave a replaced Secret's emptied map with its first owner", async () => {
      const name = unique();
      await secrets.create(secretNamed(name, { data: { x: X } }), "fieldManager=kubectl-create");

      const replaced = await secrets.replace(name, secretNamed(name, { data: { y: X } }));

      expect(replaced.body.data).toEqual({ y: X });
      expect(ledger(replaced)).toEqual([
        { owner: "editor Update", timed: true, fields: { "f:data": { "f:y": {} } } },
        { owner: "kubectl-create Update", timed: true, fields: { "f:data": {}, "f:type": {} } },
      ]);
    });

    it.each([
      { it: "the resourceVersion is another", metadata: { resourceVersion: "1" } },
      { it: "the uid differs", metadata: { uid: "made-up" } },
    ])("refuse to replace when $it", async ({ metadata }) => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });

      const refused = await secrets.replace(name, secretNamed(name, { data: { x: Y }, metadata }));

      expect(refused.status).toBe(409);
      expect(refused.body.details).toEqual({ name, kind: "secrets" });
    });

    it("refuse to replace an absent object", async () => {
      const name = unique();
      expect((await secrets.replace(name, secretNamed(name, {}))).status).toBe(404);
    });

    it("delete, and return the deleted object", async () => {
      const name = unique();
      const created = await secrets.apply(name, { data: { x: X } });

      const deleted = await secrets.delete(name);

      expect(deleted.status).toBe(200);
      expect(deleted.body).toMatchObject({
        kind: "Status",
        status: "Success",
        details: { name, kind: "secrets", uid: created.body.metadata.uid },
      });
      expect((await secrets.delete(name)).status).toBe(404);
    });

    it.each([
      { it: "uid", preconditions: { uid: "made-up" } },
      { it: "resourceVersion", preconditions: { resourceVersion: "1" } },
    ])("refuse to delete with another $it", async ({ preconditions }) => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });

      const refused = await secrets.delete(name, { kind: "DeleteOptions", apiVersion: "v1", preconditions });

      expect(refused.status).toBe(409);
      expect(refused.body.details).toEqual({ name, kind: "Secret" });
    });

    it("keep a deleted Secret until its finalizers are removed", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X }, metadata: { finalizers: ["example.com/hold"] } });

      const marked = await secrets.delete(name);
      const released = await secrets.merge(name, { metadata: { finalizers: null } }, "editor");

      expect(marked.body).toMatchObject({ kind: "Secret", metadata: { deletionGracePeriodSeconds: 0 } });
      expect(released.status).toBe(200);
      expect((await secrets.get(name)).status).toBe(404);
    });
  });
}
