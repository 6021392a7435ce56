import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nameMatcher } from "../../shared/external-secrets/match-name.ts";
import { anySecretName } from "../source/arbitraries.ts";

const matcher = (msNow = () => 0) => nameMatcher(msNow, async () => {});

async function match(regexp: string, name: string): Promise<boolean | undefined> {
  const names = matcher();
  await names.decide([{ regexp, name }]);
  return names.matches({ regexp, name });
}

it.each([
  ["db", "prod/db", true],
  ["^db$", "prod/db", false],
  ["(?i)PROD", "prod/db", true],
  ["\\Aprod/(?P<what>[[:alpha:]]+)\\z", "prod/db", true],
  ["^[[:digit:]]+$", "prod/db", false],
  ["prod/[a-c&&x]", "prod/a", true], // && has no special meaning in Go
  ["", "prod/db", true],
  ["\\Qa.b\\E", "prod/axb", false],
  ["^\\pL+/", "prod/db", true],
  ["\\x{62}$", "prod/db", true],
  ["(?U)^p.+d", "prod/db", true],
  ["^[[:^digit:]]+$", "prod/db", true],
])("%s in %s: %s, as RE2 reads it", async (regexp, name, want) => {
  expect(await match(regexp, name)).toBe(want);
});

describe("an expression has no result", () => {
  it.each([
    { it: "if RE2 has no such syntax", regexp: "(?=db)" },
    { it: "if it refers back", regexp: "(a)\\1" },
    { it: "if it is not complete", regexp: "(" },
    { it: "if it repeats too much for RE2", regexp: "(.{1,1000}){1,1000}" },
    { it: "if its program is large", regexp: "(.{1,30}){1,30}" },
    { it: "if it is long", regexp: "x".repeat(1_001) },
  ])("$it", async ({ regexp }) => expect(await match(regexp, "prod/db")).toBeUndefined());
});

it("an expression that backtracks in JavaScript takes no time", async () => {
  const name = "a".repeat(512);
  expect(await match("(a+)+$", name)).toBe(true);
  expect(await match("(a|a)*b", name)).toBe(false);
  expect(await match("^(([a-z])+.)+[A-Z]([a-z])+$", name)).toBe(false);
});

describe("the time for all expressions of an event", () => {
  const searches = Array.from({ length: 400 }, (_, at) => ({ regexp: `^x{${at}}$`, name: "prod/db" }));

  it("ends, and leaves the rest undecided", async () => {
    let ms = 0;
    const names = matcher(() => {
      ms += 5; // each expression takes 5 ms
      return ms;
    });
    await names.decide(searches);
    const decided = searches.map(names.matches);
    expect(decided.filter((each) => each === false)).toHaveLength(40);
    expect(decided.slice(40)).toEqual(Array(360).fill(undefined));
    await names.decide(searches); // as for a second cluster
    expect(searches.map(names.matches)).toEqual(decided);
  });

  it("is shared with other work of the invocation", async () => {
    let turns = 0;
    const names = nameMatcher(
      () => 0,
      async () => {
        turns += 1;
      },
    );
    await names.decide(searches);
    expect(turns).toBe(searches.length);
  });
});

it("every name matches itself, and any expression terminates", async () => {
  await fc.assert(
    fc.asyncProperty(anySecretName, async (name) => {
      expect(await match(name.replace(/[^A-Za-z0-9/_=@!-]/g, "\\$&"), name)).toBe(true);
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.string(), anySecretName, async (regexp, name) => void (await match(regexp, name))),
  );
});
