import { styleText } from "node:util";

/** Says what happens while it happens. Nobody hands it a value of a secret: lengths, versions and yes or no will do. */
export type Narrator = {
  intro(text: string): void;
  /** A step begins. */
  step(name: string, title: string): void;
  /** Something that is simply so. */
  note(text: string): void;
  /** A file or command that the reader should see. */
  quote(text: string): void;
  /** Something was done, or checked and found right. */
  done(text: string, ms?: number): void;
  /** The time that a step is about. */
  result(ms: number, text: string): void;
  problem(text: string): void;
  end(isFine: boolean, text: string): void;
};

/** For a person. styleText leaves colour out where there is no terminal, and where NO_COLOR is set. */
export function narratorOn(stream: NodeJS.WriteStream): Narrator {
  const say = (line: string): void => void stream.write(`${line}\n`);
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    styleText(style, text, { stream });
  return {
    intro: (text) => say(text),
    step: (name, title) => say(`\n${paint("bold", name)}: ${title}`),
    note: (text) => say(paint("dim", `    ${text}`)),
    quote: (text) => {
      for (const line of text.trimEnd().split("\n")) say(paint("dim", `    | ${line}`));
    },
    done: (text, ms) =>
      say(`  ${paint("green", "✓")} ${text}${ms === undefined ? "" : paint("dim", ` (${printMs(ms)})`)}`),
    result: (ms, text) => say(`  ${paint(["bold", "green"], `→ ${printMs(ms)}`)} ${text}`),
    problem: (text) => say(`  ${paint("red", "✗")} ${text}`),
    end: (isFine, text) => say(`\n${isFine ? paint("green", "ok") : paint("red", "failed")}: ${text}`),
  };
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
