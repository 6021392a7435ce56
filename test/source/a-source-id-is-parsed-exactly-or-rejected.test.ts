import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAwsLocation, partitionOfRegion } from "../../shared/source/parse-aws-location.ts";
import { parseBoundReference, parseSecretReference } from "../../shared/source/parse-secret-reference.ts";
import { parseVersionId } from "../../shared/source/parse-version-id.ts";
import { anyLocation, anySecretName, anySuffix, arnOf } from "./arbitraries.ts";

const location = { partition: "aws", region: "eu-west-1", accountId: "111122223333" };

describe("a source id is parsed exactly or rejected", () => {
  it("finds name, location and suffix in any full ARN, even when the name itself ends like a suffix", () => {
    fc.assert(
      fc.property(anyLocation, anySecretName, anySuffix, (location, name, suffix) => {
        const id = arnOf(location, name, suffix);
        expect(parseSecretReference(id, "full-arn")).toEqual({ id, names: [name], location, suffix });
      }),
      { examples: [[location, "prod/db-AbCdEf", "GhIjKl"]] },
    );
  });

  it("includes the true name among the readings of any ARN, from any writer", () => {
    fc.assert(
      fc.property(
        anyLocation,
        anySecretName,
        fc.option(anySuffix, { nil: undefined }),
        (location, name, suffix) => {
          const reference = parseSecretReference(arnOf(location, name, suffix), "any");
          expect(reference?.names).toContain(name);
          expect(reference?.location).toEqual(location);
        },
      ),
    );
  });

  it("reads any legal name as that name, without a location", () => {
    fc.assert(
      fc.property(anySecretName, (name) => {
        expect(parseSecretReference(name, "any")).toEqual({ id: name, names: [name] });
        expect(parseSecretReference(name, "full-arn")).toBeUndefined();
      }),
    );
  });

  it("keeps both readings of an ARN that is full or partial, the likelier first", () => {
    const reference = parseSecretReference(arnOf(location, "prod/db-AbCdEf"), "any");
    expect(reference?.names).toEqual(["prod/db", "prod/db-AbCdEf"]);
    expect(reference).not.toHaveProperty("suffix");
  });

  it("has one reading if the other would be invalid", () => {
    const longest = "a".repeat(512);
    expect(parseSecretReference(arnOf(location, longest, "AbCdEf"), "any")).toMatchObject({
      names: [longest],
      suffix: "AbCdEf",
    });
    expect(parseSecretReference(arnOf(location, "-AbCdEf"), "any")?.names).toEqual(["-AbCdEf"]);
  });

  it("reads an ARN in bindings that ends like a full one as full, and any other id unchanged", () => {
    expect(parseBoundReference(arnOf(location, "prod/db-AbCdEf"))).toMatchObject({
      names: ["prod/db"],
      suffix: "AbCdEf",
    });
    expect(parseBoundReference(arnOf(location, "prod/db"))).not.toHaveProperty("suffix");
    expect(parseBoundReference("prod/db-AbCdEf")).toEqual({
      id: "prod/db-AbCdEf",
      names: ["prod/db-AbCdEf"],
    });
  });

  const none = [
    { it: "the empty string", id: "" },
    { it: "a name over 512 characters", id: "a".repeat(513) },
    { it: "an ARN whose name is too long in every reading", id: arnOf(location, "a".repeat(513), "AbCdEf") },
    { it: "a name outside ASCII", id: "prod/données" },
    { it: "a fullwidth twin of a legal name", id: "prod/\uff44b" },
    { it: "a name with a space around it", id: " prod/db" },
    { it: "a name with a line break", id: "prod/db\n" },
    { it: "an ARN with a line break", id: `${arnOf(location, "prod/db", "AbCdEf")}\n` },
    { it: "a name with a colon", id: "prod:db" },
    { it: "an ARN in capitals", id: arnOf(location, "prod/db").toUpperCase() },
    { it: "an ARN of another service", id: "arn:aws:s3:eu-west-1:111122223333:secret:prod/db" },
    { it: "an ARN of an unknown partition", id: arnOf({ ...location, partition: "gcp" }, "prod/db") },
    { it: "an ARN without an account", id: arnOf({ ...location, accountId: "" }, "prod/db") },
    { it: "an ARN without a Region", id: arnOf({ ...location, region: "" }, "prod/db") },
    {
      it: "an ARN of another resource type",
      id: arnOf(location, "prod/db").replace(":secret:", ":policy:"),
    },
    { it: "an ARN without a name", id: arnOf(location, "") },
    { it: "an ARN with a version after it", id: `${arnOf(location, "prod/db", "AbCdEf")}:AWSCURRENT` },
    { it: "a text beyond all limits", id: `arn:aws:secretsmanager:${"a".repeat(1_000_000)}` },
  ];
  it.each(none)("refuses $it", ({ id }) => {
    expect(parseSecretReference(id, "any")).toBeUndefined();
    expect(parseSecretReference(id, "full-arn")).toBeUndefined();
    expect(parseBoundReference(id)).toBeUndefined();
  });

  it("refuses an ARN without a suffix where only a full one is valid", () => {
    expect(parseSecretReference(arnOf(location, "prod/db"), "full-arn")).toBeUndefined();
  });

  it("parses any string or rejects it, and never changes it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom("full-arn", "any"), (text, origin) => {
        expect([undefined, text]).toContain(parseSecretReference(text, origin)?.id);
      }),
    );
  });
});

describe("a location consists of an account and a Region", () => {
  it("gives every Region its partition", () => {
    fc.assert(
      fc.property(anyLocation, (location) => {
        expect(partitionOfRegion(location.region)).toBe(location.partition);
        expect(parseAwsLocation(location.accountId, location.region)).toEqual(location);
      }),
    );
  });

  it.each([
    ["", "eu-west-1"],
    ["1234", "eu-west-1"],
    ["111122223333", ""],
    ["111122223333", "EU-WEST-1"],
    ["111122223333", "global"],
  ])("refuses the account %j with the Region %j", (accountId, region) => {
    expect(parseAwsLocation(accountId, region)).toBeUndefined();
  });
});

describe("a VersionId is any printable token of up to 64 characters", () => {
  it.each(["8f0e6f0a-2d55-4c4e-9c1b-5d9f6a1b2c3d", "EXAMPLE1", "a".repeat(64)])("accepts %j", (text) => {
    expect(parseVersionId(text)).toBe(text);
  });
  const none = ["", "a".repeat(65), "a b", "\u00e9", "a\n", 7, null, ["a"]].map((text) => ({ text }));
  it.each(none)("refuses $text", ({ text }) => {
    expect(parseVersionId(text)).toBeUndefined();
  });
});
