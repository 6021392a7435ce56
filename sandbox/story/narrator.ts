import { styleText } from "node:util";

/** Prints the progress of the story. It never receives a secret value: lengths, versions and yes or no suffice. */
export type Narrator = {
  intro(text: string): void;
  /** A step begins. */
  step(name: string, title: string): void;
  /** A fact. */
  note(text: string): void;
  /** A file or command to show. */
  quote(text: string): void;
  /** An action or check succeeded. */
  done(text: string, ms?: number): void;
  /** The measured time of a step. */
  result(ms: number, text: string): void;
  problem(text: string): void;
  end(isOk: boolean, text: string): void;
};

/**
 * For a terminal, whose lines are wrapped between words. styleText omits colour without a terminal, and with NO_COLOR.
 */
export function narratorOn(stream: NodeJS.WriteStream): Narrator {
  const { columns } = stream;
  const paint = (style: Style | undefined, text: string): string =>
    style === undefined || text === "" ? text : styleText(style, text, { stream });
  /** A mark and a text; `hanging` begins every further line. */
  const say = (mark: string, text: string, { ofMark, ofText, hanging = "    " }: Styles = {}): void => {
    const lines = wrapText(`${mark}${text}`, columns, hanging);
    for (const [at, line] of lines.entries()) {
      const begin = at === 0 ? mark : "";
      stream.write(`${paint(ofMark, begin)}${paint(ofText, line.slice(begin.length))}\n`);
    }
  };
  return {
    intro: (text) => say("", text, { hanging: "" }),
    step: (name, title) => {
      stream.write("\n");
      say(name, `: ${title}`, { ofMark: "bold" });
    },
    note: (text) => say("    ", text, { ofText: "dim" }),
    quote: (text) => {
      for (const line of text.trimEnd().split("\n")) {
        const hanging = `${QUOTE}${/^ */.exec(line)?.[0]}  `;
        say(QUOTE, line, { ofMark: "dim", ofText: "dim", hanging });
      }
    },
    done: (text, ms) =>
      say("  ✓", ` ${text}${ms === undefined ? "" : ` (${printMs(ms)})`}`, { ofMark: "green" }),
    result: (ms, text) => say(`  → ${printMs(ms)}`, ` ${text}`, { ofMark: ["bold", "green"] }),
    problem: (text) => say("  ✗", ` ${text}`, { ofMark: "red" }),
    end: (isOk, text) => {
      stream.write("\n");
      say(isOk ? "ok" : "failed", `: ${text}`, { ofMark: isOk ? "green" : "red" });
    },
  };
}

type Style = Parameters<typeof styleText>[0];
type Styles = { readonly ofMark?: Style; readonly ofText?: Style; readonly hanging?: string };

const QUOTE = "    | ";

/** Breaks a text between words, so that no line is longer than the width. Without a width it stays one line. */
export function wrapText(text: string, width: number | undefined, hanging: string): string[] {
  if (width === undefined || text.length <= width) return [text];
  const at = text.lastIndexOf(" ", width);
  // A word that is longer than the width, or a narrow window: the terminal breaks it.
  if (at <= hanging.length) return [text];
  return [
    text.slice(0, at).trimEnd(),
    ...wrapText(`${hanging}${text.slice(at).trimStart()}`, width, hanging),
  ];
}

export const silentNarrator: Narrator = {
  intro: () => {},
  step: () => {},
  note: () => {},
  quote: () => {},
  done: () => {},
  result: () => {},
  problem: () => {},
  end: () => {},
};

export function printMs(ms: number): string {
  if (ms < 1_000) return `${ms.toFixed(1)} ms`;
  return ms < 120_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} minutes`;
}
