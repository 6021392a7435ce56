import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesName } from "../../shared/external-secrets/match-name.ts";
import { anySecretName } from "../source/arbitraries.ts";

it.each([
  ["db", "prod/db", true],
  ["^db$", "prod/db", false],
  ["(?i)PROD", "prod/db", true],
  ["\\Aprod/(?P<what>[[:alpha:]]+)\\z", "prod/db", true],
  ["^[[:digit:]]+$", "prod/db", false],
  ["prod/[a-c&&x]", "prod/a", true], // && has no special meaning in Go
  ["", "prod/db", true],
])("%s in %s: %s", (regexp, name, want) => expect(matchesName(regexp, name)).toBe(want));

describe("an unsupported expression has no result:", () => {
  it.each([
    "\\Qa.b\\E",
    "\\pL+",
    "a\\C",
    "\\x{61}",
    "(?U)a+",
    "[[:^alpha:]]",
    "(",
    "a{2,1}",
    "x".repeat(1_001),
  ])("%s", (regexp) => expect(matchesName(regexp, "prod/db")).toBeUndefined());
});

it("an expression that would run for hours is stopped", () => {
  expect(matchesName("^(([a-z])+.)+[A-Z]([a-z])+$", "a".repeat(500))).toBeUndefined();
});

it("every name matches itself, and any expression terminates", () => {
  fc.assert(
    fc.property(anySecretName, (name) => {
      expect(matchesName(name.replace(/[^A-Za-z0-9/_=@!-]/g, "\\$&"), name)).toBe(true);
    }),
  );
  fc.assert(fc.property(fc.string(), anySecretName, (regexp, name) => void matchesName(regexp, name)));
});
