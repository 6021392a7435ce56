import { describe, expect, it } from "vitest";
import { findRepeats } from "./judge/restart-order.ts";

// The judge of restarts, by itself: each version as one letter, and moves a second apart.

const movesOf = (letters: string) =>
  [...letters].map((versionId, index) => ({ versionId, startedAt: index * 1_000 }));
const restartsOf = (letters: string, at = 60_000) => [...letters].map((versionId) => ({ at, versionId }));

describe("restarts", () => {
  it.each([
    { it: "for each version", moves: "abc", restarts: "bc" },
    { it: "for some versions", moves: "abcd", restarts: "d" },
    { it: "for a version that was rolled back to", moves: "aba", restarts: "aba" },
    { it: "for a version that was rolled back to twice", moves: "ababa", restarts: "ba" },
  ])("are right: $it", ({ moves, restarts }) => {
    expect(findRepeats(movesOf(moves), restartsOf(restarts))).toEqual([]);
  });

  it.each([
    { it: "a second one for the same version", moves: "ab", restarts: "bb", wrong: "b" },
    { it: "an older version after a newer one", moves: "abc", restarts: "cb", wrong: "b" },
    { it: "a third one after one rollback", moves: "aba", restarts: "aaa", wrong: "a" },
    { it: "a version that never was", moves: "ab", restarts: "x", wrong: "x" },
  ])("are found: $it", ({ moves, restarts, wrong }) => {
    const found = findRepeats(movesOf(moves), restartsOf(restarts));

    expect(found.map(({ versionId }) => versionId).join("")).toBe(wrong);
  });

  it("are found when they come before the version is current", () => {
    expect(findRepeats(movesOf("ab"), restartsOf("b", 500))).toHaveLength(1);
  });
});
