import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBoundReference, parseSecretReference } from "../../shared/source/parse-secret-reference.ts";
import { lookupNames, referencesMayMatch } from "../../shared/source/references-may-match.ts";
import type { AwsLocation, SecretReference } from "../../shared/source/secret-id.ts";
import { anyLocation, anySecretName, anySuffix, arnOf } from "./arbitraries.ts";

const self = { partition: "aws", region: "eu-west-1", accountId: "111122223333" };

type Secret = { home: AwsLocation; name: string; suffix: string };
const anySecret: fc.Arbitrary<Secret> = fc.record({
  home: anyLocation,
  name: anySecretName,
  suffix: anySuffix,
});

/** Two secrets that differ in one respect only, so that near misses occur often. */
const anyTwins = fc
  .tuple(anySecret, anySecret, fc.constantFrom("home", "name", "suffix", "ending"))
  .filter(([a, b]) => a.name.length + 7 <= 512 && b.name.length <= 512)
  .map(([a, b, respect]): [Secret, Secret] => {
    // The other twin's name is the first one's full resource: `prod/db` + `-AbCdEf`, and a secret `prod/db-AbCdEf`.
    if (respect === "ending") return [a, { ...a, name: `${a.name}-${a.suffix}`, suffix: b.suffix }];
    return [a, { ...a, [respect]: b[respect] }];
  });

const fullArn = ({ home, name, suffix }: Secret) =>
  parsed(parseSecretReference(arnOf(home, name, suffix), "full-arn"));
const spellings = (secret: Secret): SecretReference[] => [
  fullArn(secret),
  parsed(parseSecretReference(arnOf(secret.home, secret.name, secret.suffix), "any")),
  parsed(parseSecretReference(arnOf(secret.home, secret.name), "any")),
  { ...parsed(parseSecretReference(secret.name, "any")), location: secret.home },
];

describe("references match by any reading, but never across accounts or Regions", () => {
  it("matches every spelling of one source with every other, and they share a name for the lookup", () => {
    fc.assert(
      fc.property(anySecret, (secret) => {
        for (const a of spellings(secret)) {
          for (const b of spellings(secret)) {
            expect(referencesMayMatch(a, b, self)).toBe(true);
            expect(shareName(a, b)).toBe(true);
          }
        }
      }),
    );
  });

  it("never confuses two full ARNs, however similar", () => {
    fc.assert(
      fc.property(anyTwins, ([a, b]) => {
        const isSame = fullArn(a).id === fullArn(b).id;
        expect(referencesMayMatch(fullArn(a), fullArn(b), self)).toBe(isSame);
      }),
    );
  });

  it("never matches references without a shared name, and matches symmetrically", () => {
    fc.assert(
      fc.property(anyTwins, ([a, b]) => {
        for (const one of spellings(a)) {
          for (const other of spellings(b)) {
            const matches = referencesMayMatch(one, other, self);
            expect(referencesMayMatch(other, one, self)).toBe(matches);
            expect(matches && !shareName(one, other)).toBe(false);
          }
        }
      }),
    );
  });

  const seen = (text: string) => parsed(parseSecretReference(text, "full-arn"));
  const bound = (text: string) => parsed(parseBoundReference(text));
  const cases = [
    {
      it: "a bare name with the ARN in its own account and Region",
      bound: "prod/db",
      seen: arnOf(self, "prod/db", "AbCdEf"),
      want: true,
    },
    {
      it: "a bare name with an ARN of another account",
      bound: "prod/db",
      seen: arnOf({ ...self, accountId: "444455556666" }, "prod/db", "AbCdEf"),
      want: false,
    },
    {
      it: "a bare name with an ARN of another Region",
      bound: "prod/db",
      seen: arnOf({ ...self, region: "eu-west-2" }, "prod/db", "AbCdEf"),
      want: false,
    },
    {
      it: "a bare name with an ARN of another partition",
      bound: "prod/db",
      seen: arnOf({ ...self, partition: "aws-cn" }, "prod/db", "AbCdEf"),
      want: false,
    },
    {
      it: "a bare name that ends like a suffix with the source of that name",
      bound: "prod/db-AbCdEf",
      seen: arnOf(self, "prod/db-AbCdEf", "GhIjKl"),
      want: true,
    },
    {
      it: "a bare name that ends like a suffix with the ARN that reads the same",
      bound: "prod/db-AbCdEf",
      seen: arnOf(self, "prod/db", "AbCdEf"),
      want: false,
    },
    {
      it: "a full ARN with a source recreated under its name",
      bound: arnOf(self, "prod/db", "AbCdEf"),
      seen: arnOf(self, "prod/db", "GhIjKl"),
      want: false,
    },
    {
      it: "a partial ARN with a source recreated under its name",
      bound: arnOf(self, "prod/db"),
      seen: arnOf(self, "prod/db", "GhIjKl"),
      want: true,
    },
    {
      it: "a name with different case",
      bound: "Prod/DB",
      seen: arnOf(self, "prod/db", "AbCdEf"),
      want: false,
    },
  ];
  it.each(cases)("returns $want for $it", ({ bound: boundId, seen: seenId, want }) => {
    expect(referencesMayMatch(bound(boundId), seen(seenId), self)).toBe(want);
  });

  it("assigns an ambiguous ARN the suffix of the reading that matched", () => {
    const ambiguous = parsed(parseSecretReference(arnOf(self, "prod/db-AbCdEf"), "any"));
    expect(referencesMayMatch(ambiguous, seen(arnOf(self, "prod/db", "AbCdEf")), self)).toBe(true);
    expect(referencesMayMatch(ambiguous, seen(arnOf(self, "prod/db-AbCdEf", "GhIjKl")), self)).toBe(true);
    expect(referencesMayMatch(ambiguous, seen(arnOf(self, "prod/db", "GhIjKl")), self)).toBe(false);
  });
});

function shareName(a: SecretReference, b: SecretReference): boolean {
  return lookupNames(a).some((name) => lookupNames(b).includes(name));
}

function parsed(reference: SecretReference | undefined): SecretReference {
  if (reference === undefined) throw new Error("the test means a legal id");
  return reference;
}
