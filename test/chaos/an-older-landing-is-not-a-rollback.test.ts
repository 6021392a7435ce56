import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Move } from "./expected-state.ts";
import { findBrokenPromises, type Held } from "./judge/kept-promises.ts";
import { findDisorder } from "./judge/landing-order.ts";

/** Version `a` is current from 0 on, the next from 10 on, and so on. */
const moved = (versions: string): Move[] =>
  [...versions].map((versionId, index) => ({ versionId, startedAt: index * 10, endedAt: index * 10 + 1 }));

const landed = (versions: string, { uid = "one", at = 1_000 } = {}) =>
  [...versions].map((versionId) => ({ versionId, uid, at }));

describe("findDisorder", () => {
  const cases = [
    { it: "accepts each version as it became current", moves: "abc", landings: "abc", found: [] },
    { it: "accepts a skipped version", moves: "abc", landings: "ac", found: [] },
    { it: "accepts the same version twice", moves: "abc", landings: "abb", found: [] },
    { it: "accepts a rollback", moves: "aba", landings: "aba", found: [] },
    { it: "accepts a skipped rollback", moves: "abac", landings: "abc", found: [] },
    { it: "finds an older version", moves: "ab", landings: "aba", found: ["a"] },
    { it: "finds an older version after a rollback", moves: "abac", landings: "acb", found: ["b"] },
    {
      it: "finds a second return to a version that came back once",
      moves: "aba",
      landings: "abab",
      found: ["b"],
    },
  ];
  it.each(cases)("$it", ({ moves, landings, found }) => {
    const disorder = findDisorder(moved(moves), landed(landings));
    expect(disorder.map(({ landing }) => landing.versionId)).toEqual(found);
  });

  it("finds a version that landed before it was current", () => {
    expect(
      findDisorder(moved("aba"), [...landed("ab", { at: 15 }), ...landed("a", { at: 15 })]),
    ).toMatchObject([{ landing: { versionId: "a" }, why: "early" }]);
  });

  it("checks each life of an object separately", () => {
    expect(findDisorder(moved("ab"), [...landed("b"), ...landed("ab", { uid: "two" })])).toEqual([]);
  });

  it("finds disorder exactly where no order of moves explains the landings", () => {
    const anyVersions = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(anyVersions, anyVersions, (moves, landings) => {
        const disorder = findDisorder(moved(moves), landed(landings));
        expect(disorder.length === 0).toBe(isExplained([...moves], [...landings]));
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Tries every way to assign each landing a move that is not before the previous landing's move. */
function isExplained(moves: readonly string[], landings: readonly string[], from = 0): boolean {
  const [first, ...rest] = landings;
  if (first === undefined) return true;
  return moves.some((move, index) => index >= from && move === first && isExplained(moves, rest, index));
}

describe("findBrokenPromises", () => {
  const cases = [
    {
      it: "accepts the version that was current at the start",
      held: [{ versionId: "b", at: 16 }],
      broken: false,
    },
    {
      it: "accepts the version that became current during it",
      held: [{ versionId: "c", at: 25 }],
      broken: false,
    },
    { it: "accepts a version held since long before", held: [{ versionId: "b", at: 11 }], broken: false },
    { it: "finds an older version", held: [{ versionId: "a", at: 5 }], broken: true },
    { it: "finds that no version was ever held", held: [], broken: true },
    { it: "finds that the version came only later", held: [{ versionId: "c", at: 40 }], broken: true },
  ];
  it.each(cases)("$it", ({ held, broken }) => {
    const success = { startedAt: 15, endedAt: 30, behindMs: 0 };
    expect(findBrokenPromises(moved("abc"), held.map(heldFrom), [success])).toEqual(broken ? [success] : []);
  });

  it("finds that a version restored by a rollback was held only before", () => {
    const held = [
      { versionId: "a", at: 1 },
      { versionId: "b", at: 12 },
    ].map(heldFrom);
    const success = { startedAt: 25, endedAt: 30, behindMs: 0 };
    expect(findBrokenPromises(moved("aba"), held, [success])).toEqual([success]);
    expect(findBrokenPromises(moved("ab"), held, [success])).toEqual([]);
  });

  it("ignores a state that ended before the invocation began, or was tampered with", () => {
    const held = [{ versionId: "c", at: 21 }, { at: 24 }].map(heldFrom);
    const success = { startedAt: 25, endedAt: 30, behindMs: 0 };
    expect(findBrokenPromises(moved("abc"), held, [success])).toEqual([success]);
  });

  it("gives a write without a response the benefit of the doubt", () => {
    const held: Held[] = [{ versionId: "c", from: { earliest: 20, latest: 40 } }];
    expect(findBrokenPromises(moved("abc"), held, [{ startedAt: 25, endedAt: 30, behindMs: 0 }])).toEqual([]);
  });

  it("allows for a stale response to the invocation", () => {
    const held = [{ versionId: "a", at: 5 }].map(heldFrom);
    expect(findBrokenPromises(moved("abc"), held, [{ startedAt: 15, endedAt: 30, behindMs: 10 }])).toEqual(
      [],
    );
  });
});

const heldFrom = ({ versionId, at }: { versionId?: string; at: number }): Held => ({
  versionId,
  from: { earliest: at, latest: at },
});
