import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { processTerminal } from "../../cli/terminal/terminal.ts";

function terminalOn({ isTTY }: { isTTY: boolean }) {
  const written = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof written) => ({
    isTTY,
    columns: 80,
    write: (text: string) => {
      written[name] += text;
      return true;
    },
  });
  const streams = { stdin: { isTTY }, stdout: stream("stdout"), stderr: stream("stderr") };
  return { terminal: processTerminal(streams as unknown as NodeJS.Process), written };
}

// Hostile names of namespaces, field managers and messages in a queue.
const HOSTILE = [
  "\u001b[2J",
  "\u001b]0;title\u0007",
  "\u009b31m",
  "\u001b[8m",
  "\r",
  "\b",
  "\u202e",
  "\u001bc",
  "\0",
];
const CONTROLS = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

describe("an external string", () => {
  it.each(HOSTILE.map((text) => [JSON.stringify(text), text]))(
    "with %s is shown and not obeyed",
    (_, text) => {
      const { terminal, written } = terminalOn({ isTTY: true });
      terminal.out(`name${text}`);
      terminal.say(`name${text}`);
      for (const line of Object.values(written)) {
        expect(line.slice(0, -1)).not.toMatch(CONTROLS);
        expect(line).toMatch(/^name\\u00/.test(line) ? /^name\\u00/ : /^name\\u20/);
      }
    },
  );

  it("of any characters leaves only lines, tabs and colours", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "binary" }))), (parts) => {
        const { terminal, written } = terminalOn({ isTTY: true });
        terminal.out(parts.join(""));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
        const rest = written.stdout.replace(/\u001b\[(?!8m)[0-9]{1,2}m|[\n\t]/g, "");
        expect(rest).not.toMatch(CONTROLS);
      }),
    );
  });

  it("is written to a file or a pipe unchanged", () => {
    const { terminal, written } = terminalOn({ isTTY: false });
    terminal.out(HOSTILE.join(""));
    expect(written.stdout).toBe(`${HOSTILE.join("")}\n`);
  });
});

it("the colours of the command line are kept", () => {
  const { terminal, written } = terminalOn({ isTTY: true });
  terminal.out("\u001b[1mNAME\u001b[22m\u001b[31mx\u001b[39m\n\ty");
  expect(written.stdout).toBe("\u001b[1mNAME\u001b[22m\u001b[31mx\u001b[39m\n\ty\n");
});
