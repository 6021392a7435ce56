import { styleText } from "node:util";
import { printable } from "./printable.ts";

export type Style = Parameters<typeof styleText>[0];

/** Where a command speaks: results on stdout, everything else on stderr. A test gives one of its own. */
export type Terminal = {
  /** A line of the result, or several. */
  out(text: string): void;
  /** A message: what is being done, what went wrong, what to do next. */
  say(text: string): void;
  /** Text for `out`, in colour where the reader's terminal shows it and NO_COLOR is not set. */
  paint(style: Style, text: string): string;
  /** Text for `say`. */
  paintMessage(style: Style, text: string): string;
  /** Columns of stdout; 100 where it is no terminal. */
  readonly width: number;
  /** True when a person sees stderr: progress may be shown. */
  readonly showsProgress: boolean;
  /** Replaces the last line of progress on stderr; the empty text takes it away. */
  progress(text: string): void;
  /** Makes room for what comes next, where stdout is a window; elsewhere it follows what is there. */
  clear(): void;
  /** True when a person can be asked. */
  readonly canAsk: boolean;
};

export function processTerminal({ stdin, stdout, stderr }: NodeJS.Process): Terminal {
  const showsProgress = stderr.isTTY === true && process.env.CI === undefined;
  return {
    // What goes into a file or a pipe goes there letter for letter.
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
