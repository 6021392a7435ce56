import { describe, expect, it } from "vitest";
import { type ContractContext, secretsThrough, unique, X, Y } from "./fixtures.ts";

/** Immutable Secrets. */
export function describeImmutable({ call }: ContractContext): void {
  const secrets = secretsThrough(call);

  describe("an immutable Secret", () => {
    const forbidden = (field: string) => ({
      reason: "FieldValueForbidden",
      message: "Forbidden: field is immutable when `immutable` is set",
      field,
    });
    const cases = [
      { it: "keeps its data", body: { data: { x: Y }, immutable: true }, causes: [forbidden("data")] },
      {
        it: "stays immutable when that is left out",
        body: { data: { x: X } },
        causes: [forbidden("immutable")],
      },
      {
        it: "stays immutable with its data",
        body: { data: { x: Y }, immutable: false },
        causes: [forbidden("immutable"), forbidden("data")],
      },
    ];
    it.each(cases)("$it", async ({ body, causes }) => {
      const name = unique();
      await secrets.apply(name, { data: { x: X }, immutable: true });

      const refused = await secrets.apply(name, body);

      expect(refused.status).toBe(422);
      expect(refused.body.details.causes).toEqual(causes);
    });

    it("accepts new labels", async () => {
      const name = unique();
      const body = { data: { x: X }, immutable: true };
      await secrets.apply(name, body);

      const labelled = await secrets.apply(name, { ...body, metadata: { labels: { a: "b" } } });

      expect(labelled.status).toBe(200);
    });
  });
}
