import { expect, it } from "vitest";
import { wrapText } from "../../sandbox/story/narrator.ts";

it.each([
  { width: undefined, lines: ["  ✓ a password is rotated"] },
  { width: 25, lines: ["  ✓ a password is rotated"] },
  { width: 24, lines: ["  ✓ a password is", "    rotated"] },
  { width: 14, lines: ["  ✓ a password", "    is rotated"] },
  { width: 4, lines: ["  ✓ a password is rotated"] },
])("a line is wrapped between words for a width of $width", ({ width, lines }) =>
  expect(wrapText("  ✓ a password is rotated", width, "    ")).toEqual(lines),
);

it("a word that is longer than the width is left to the terminal", () =>
  expect(wrapText("    | arn:aws:eks:eu-west-1", 10, "    |   ")).toEqual(["    | arn:aws:eks:eu-west-1"]));
