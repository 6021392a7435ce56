import { describe, expect, it } from "vitest";
import { type ContractContext, ledger, NAMESPACE, secretsThrough, unique, X, Y } from "./fixtures.ts";

/** Server-side apply, the only way in which the relay writes. */
export function describeApply({ call, clock }: ContractContext): void {
  const secrets = secretsThrough(call);

  describe("server-side apply", () => {
    it("creates an absent object, and owns exactly the applied fields", async () => {
      const name = unique();
      const created = await secrets.apply(name, {
        data: { x: X },
        metadata: { labels: { l: "1" } },
        type: "Opaque",
      });

      expect(created.status).toBe(201);
      expect(created.body).toMatchObject({
        kind: "Secret",
        apiVersion: "v1",
        data: { x: X },
        type: "Opaque",
      });
      expect(created.body.metadata).toMatchObject({ name, namespace: NAMESPACE, labels: { l: "1" } });
      expect(ledger(created)).toEqual([
        {
          owner: "relay Apply",
          timed: true,
          fields: { "f:data": { "f:x": {} }, "f:metadata": { "f:labels": { "f:l": {} } }, "f:type": {} },
        },
      ]);
    });

    it("changes nothing, not even version or time, if nothing differs", async () => {
      const name = unique();
      const first = await secrets.apply(name, { data: { x: X } });
      await clock.advance(1_100); // times are whole seconds

      const second = await secrets.apply(name, { data: { x: X } });

      expect(second.status).toBe(200);
      expect(second.body).toEqual(first.body);
    });

    it("removes a key that it no longer applies", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X, y: Y }, metadata: { annotations: { a: "1" } } });

      const second = await secrets.apply(name, { data: { x: X } });

      expect(second.body.data).toEqual({ x: X });
      expect(second.body.metadata.annotations).toBeUndefined();
    });

    it("leaves a key that another manager has added", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });
      await secrets.merge(name, { data: { z: Y } }, "kubectl-edit");

      const again = await secrets.apply(name, { data: { x: Y } });

      expect(again.body.data).toEqual({ x: Y, z: Y });
    });

    it("keeps a key that it no longer applies while another manager does", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });
      await secrets.apply(name, { data: { x: X } }, { manager: "second" });

      const given = await secrets.apply(name, {});

      expect(given.body.data).toEqual({ x: X });
      expect(ledger(given)).toEqual([
        { owner: "second Apply", timed: false, fields: { "f:data": { "f:x": {} } } },
      ]);
    });

    it("refuses with one cause per field that another manager owns", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X, y: X } });
      await secrets.merge(name, { data: { x: Y, y: Y }, metadata: { labels: { n: "1" } } }, "kubectl-edit");

      const refused = await secrets.apply(name, { data: { x: X, y: X }, metadata: { labels: { n: "2" } } });

      expect(refused.status).toBe(409);
      expect(refused.body).toMatchObject({
        kind: "Status",
        status: "Failure",
        reason: "Conflict",
        code: 409,
      });
      expect(refused.body.details).toEqual({
        causes: [".data.x", ".data.y", ".metadata.labels.n"].map((field) => ({
          reason: "FieldManagerConflict",
          message: 'conflict with "kubectl-edit" using v1',
          field,
        })),
      });
      expect(refused.body.message).toBe(
        'Apply failed with 3 conflicts: conflicts with "kubectl-edit" using v1:\n- .data.x\n- .data.y\n- .metadata.labels.n',
      );
    });

    it("reports a conflict with another applier without a version", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } }, { manager: "first" });

      const refused = await secrets.apply(name, { data: { x: Y } });

      expect(refused.body.message).toBe('Apply failed with 1 conflict: conflict with "first": .data.x');
    });

    it("adds an owner without conflict if the value is equal, and without its own time", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } }, { manager: "first" });

      const joined = await secrets.apply(name, { data: { x: X } }, { manager: "second" });

      expect(ledger(joined)).toEqual([
        { owner: "second Apply", timed: false, fields: { "f:data": { "f:x": {} } } },
        { owner: "first Apply", timed: true, fields: { "f:data": { "f:x": {} } } },
      ]);
    });

    it("takes over a field if forced", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X, y: X } });
      await secrets.merge(name, { data: { x: Y, z: Y } }, "kubectl-edit");

      const forced = await secrets.apply(name, { data: { x: X, y: X } }, { query: "force=true" });

      expect(forced.status).toBe(200);
      expect(forced.body.data).toEqual({ x: X, y: X, z: Y });
      expect(ledger(forced)).toEqual([
        { owner: "relay Apply", timed: true, fields: { "f:data": { "f:x": {}, "f:y": {} } } },
        { owner: "kubectl-edit Update", timed: true, fields: { "f:data": { "f:z": {} } } },
      ]);
    });

    it("assigns the earlier state to a separate manager if managedFields was emptied", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });
      const reset = await secrets.merge(name, { metadata: { managedFields: [{}] } }, "thief");

      const refused = await secrets.apply(name, { data: { x: Y } });

      expect(reset.body.metadata.managedFields).toBeUndefined();
      expect(refused.body.message).toBe(
        'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.x',
      );
    });

    it("owns list items by their key, and members of sets by their value", async () => {
      const metadata = {
        finalizers: ["example.com/hold"],
        ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "u1" }],
      };

      const created = await secrets.apply(unique(), { data: { x: X }, metadata });

      expect(ledger(created)[0]?.fields["f:metadata"]).toEqual({
        "f:finalizers": { 'v:"example.com/hold"': {} },
        "f:ownerReferences": { 'k:{"uid":"u1"}': {} },
      });
    });

    it("writes nothing in a dry run", async () => {
      const name = unique();
      const tried = await secrets.apply(name, { data: { x: X } }, { query: "dryRun=All" });

      expect(tried.status).toBe(201);
      expect(tried.body.metadata.resourceVersion).toBeUndefined();
      expect((await secrets.get(name)).status).toBe(404);
    });
  });
}
