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

/** For a terminal. styleText omits colour without a terminal, and with NO_COLOR. */
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
    end: (isOk, text) => say(`\n${isOk ? paint("green", "ok") : paint("red", "failed")}: ${text}`),
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
