import { describe, expect, it } from "vitest";
import {
  APPLY,
  type ContractContext,
  type SecretBody,
  secretNamed,
  secretsThrough,
  unique,
  X,
} from "./fixtures.ts";

/** Invalid applies and their error messages. */
export function describeRefusedApply({ call }: ContractContext): void {
  const secrets = secretsThrough(call);

  describe("a refused apply", () => {
    const cases: RefusedApply[] = [
      {
        it: "needs a field manager",
        query: "force=true",
        manager: "",
        want: [422, "Invalid", ["fieldManager"]],
      },
      {
        it: "must not bring managedFields",
        body: { metadata: { managedFields: [] } },
        want: [400, "BadRequest"],
      },
      { it: "must not be of another version", body: { apiVersion: "v2" }, want: [400, "BadRequest"] },
      { it: "must not be of another kind", body: { kind: "ConfigMap" }, want: [400, "BadRequest"] },
      {
        it: "must not name another object",
        body: { metadata: { name: "other" } },
        want: [400, "BadRequest"],
      },
      {
        it: "must not name another namespace",
        body: { metadata: { namespace: "other" } },
        want: [400, "BadRequest"],
      },
      { it: "must not have an unknown field", body: { bogus: 1 }, want: [500, undefined] },
      { it: "must not have a value that is not a string", body: { data: { x: 5 } }, want: [500, undefined] },
      {
        it: "must not have a value that is not base64",
        body: { data: { x: "not base64!" } },
        want: [500, undefined],
      },
      { it: "must not have unpadded base64", body: { data: { x: "eA" } }, want: [500, undefined] },
      {
        it: "must not have base64 of the other alphabet",
        body: { data: { x: "_-==" } },
        want: [500, undefined],
      },
      {
        it: "must not have a label that is not a string",
        body: { metadata: { labels: { a: 1 } } },
        want: [500, undefined],
      },
      {
        it: "must not have a key with a space",
        body: { data: { "a b": X } },
        want: [422, "Invalid", ["data[a b]"]],
      },
      { it: "must not have an empty key", body: { data: { "": X } }, want: [422, "Invalid", ["data[]"]] },
      {
        it: "must not have a key like a parent folder",
        body: { data: { "..x": X } },
        want: [422, "Invalid", ["data[..x]"]],
      },
      {
        it: "must not have a key of 254 characters",
        body: { data: { ["k".repeat(254)]: X } },
        want: [422, "Invalid", [`data[${"k".repeat(254)}]`]],
      },
      {
        it: "must not exceed one mebibyte",
        body: { data: { x: Buffer.alloc(1024 * 1024 + 1).toString("base64") } },
        want: [422, "Invalid", ["data"]],
      },
      {
        it: "must not have a label value with a space",
        body: { metadata: { labels: { a: "b c" } } },
        want: [422, "Invalid", ["metadata.labels"]],
      },
      {
        it: "must not have an annotation key with a space",
        body: { metadata: { annotations: { "b c": "" } } },
        want: [422, "Invalid", ["metadata.annotations"]],
      },
      {
        it: "must not have annotations of more than 256 KiB",
        body: { metadata: { annotations: { a: "x".repeat(256 * 1024) } } },
        want: [422, "Invalid", ["metadata.annotations"]],
      },
      {
        it: "must not be a TLS Secret without certificate and key",
        body: { data: { x: X }, type: "kubernetes.io/tls" },
        want: [422, "Invalid", ["data[tls.crt]", "data[tls.key]"]],
      },
      {
        it: "must not be a registry Secret without its configuration",
        body: { data: { x: X }, type: "kubernetes.io/dockerconfigjson" },
        want: [422, "Invalid", ["data[.dockerconfigjson]"]],
      },
      {
        it: "must not be a registry Secret whose configuration is not JSON",
        body: { data: { ".dockerconfigjson": X }, type: "kubernetes.io/dockerconfigjson" },
        want: [422, "Invalid", ["data[.dockerconfigjson]"]],
      },
      {
        it: "must not be a basic-auth Secret with neither user nor password",
        body: { data: { x: X }, type: "kubernetes.io/basic-auth" },
        want: [422, "Invalid", ["data[username]", "data[password]"]],
      },
      {
        it: "must not be an SSH Secret without its key",
        body: { data: { x: X }, type: "kubernetes.io/ssh-auth" },
        want: [422, "Invalid", ["data[ssh-privatekey]"]],
      },
    ];
    it.each(cases)("$it", async ({ body, want: [status, reason, fields], query, manager }) => {
      const refused = await secrets.apply(
        unique(),
        { data: { x: X }, ...body },
        optional({ query, manager }),
      );

      expect(refused.status).toBe(status);
      expect(refused.body).toMatchObject({ kind: "Status", status: "Failure", code: status });
      expect(refused.body.reason).toBe(reason);
      expect(refused.body.details?.causes?.map(({ field }: { field: string }) => field)).toEqual(fields);
    });

    it("must not be for a name with capitals", async () => {
      const refused = await secrets.apply("Not-A-Name", { data: { x: X } });

      expect(refused.status).toBe(422);
      expect(refused.body.details.causes).toMatchObject([{ field: "metadata.name" }]);
    });

    it("must not be in a missing namespace", async () => {
      const refused = await call("/api/v1/namespaces/missing/secrets/x?fieldManager=relay", {
        method: "PATCH",
        contentType: APPLY,
        body: secretNamed("x", { data: { x: X } }),
      });

      expect(refused.status).toBe(404);
      expect(refused.body.details).toEqual({ name: "missing", kind: "namespaces" });
    });

    it("must not change the type", async () => {
      const name = unique();
      await secrets.apply(name, { data: { x: X } });

      const refused = await secrets.apply(name, { data: { x: X }, type: "example.com/other" });

      expect(refused.status).toBe(422);
      expect(refused.body.details).toEqual({
        name,
        kind: "Secret",
        causes: [
          {
            reason: "FieldValueInvalid",
            message: 'Invalid value: "example.com/other": field is immutable',
            field: "type",
          },
        ],
      });
    });

    it("must not exceed 3 MiB on the wire", async () => {
      const refused = await secrets.apply(unique(), { data: { x: "A".repeat(3 * 1024 * 1024) } });

      expect(refused.status).toBe(413);
      expect(refused.body.reason).toBe("RequestEntityTooLarge");
    });
  });
}

type RefusedApply = {
  it: string;
  body?: SecretBody;
  query?: string;
  manager?: string;
  want: [status: number, reason: string | undefined, causeFields?: string[]];
};

export const optional = ({ query, manager }: { query: string | undefined; manager: string | undefined }) => ({
  ...(query === undefined ? {} : { query }),
  ...(manager === undefined ? {} : { manager }),
});
