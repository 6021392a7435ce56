import { styleText } from "node:util";
import { printable } from "./printable.ts";

export type Style = Parameters<typeof styleText>[0];

/** Output of a command: results on stdout, everything else on stderr. Tests pass their own. */
export type Terminal = {
  /** One or more lines of the result. */
  out(text: string): void;
  /** A message: progress, an error or the next step. */
  say(text: string): void;
  /** Text for `out`, in colour where the terminal supports it and NO_COLOR is not set. */
  paint(style: Style, text: string): string;
  /** Text for `say`. */
  paintMessage(style: Style, text: string): string;
  /** Columns of stdout; 100 without a terminal. */
  readonly width: number;
  /** True when stderr is a terminal outside CI. */
  readonly showsProgress: boolean;
  /** Replaces the progress line on stderr; an empty string clears it. */
  progress(text: string): void;
  /** Clears the screen when stdout is a terminal. */
  clear(): void;
  /** True when prompts are possible. */
  readonly canAsk: boolean;
};

export function processTerminal({ stdin, stdout, stderr }: NodeJS.Process): Terminal {
  const showsProgress = stderr.isTTY === true && process.env.CI === undefined;
  return {
    // A file or a pipe gets the text unchanged.
    out: (text) => void stdout.write(`${stdout.isTTY === true ? printable(text) : text}\n`),
    say: (text) => void stderr.write(`${printable(text)}\n`),
    paint: (style, text) => styleText(style, text, { stream: stdout }),
    paintMessage: (style, text) => styleText(style, text, { stream: stderr }),
    width: stdout.isTTY === true ? stdout.columns : 100,
    showsProgress,
    progress: (text) => {
      if (showsProgress) stderr.write(`\r\u001b[K${printable(text).slice(0, (stderr.columns || 80) - 1)}`);
    },
    clear: () => {
      if (stdout.isTTY === true) stdout.write("\u001b[2J\u001b[H");
    },
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
  };
}
