import type { BindingsProblem, Position } from "./bindings-error.ts";

/** Steps from the top of the file to a value: keys of maps and indices of lists. */
export type Path = readonly (string | number)[];

/** `part: "key"` points at the key itself and not at what stands after its colon. */
export type Place = { readonly path: Path; readonly part?: "key" };

export type PositionOf = (place: Place) => Position;

// A file of 100,000 bindings that all lack one setting would print for minutes, and nobody reads past a screen.
const PROBLEMS_MAX = 1_000;

/** Collects what is wrong, each thing once, and sorts it by position. */
export class ProblemList {
  readonly #positionOf: PositionOf;
  readonly #problems = new Map<string, BindingsProblem>();
  truncated = false;

  constructor(positionOf: PositionOf) {
    this.#positionOf = positionOf;
  }

  add(place: Place, message: string, fix: string): void {
    this.addAt(this.#positionOf(place), describePath(place.path), message, fix);
  }

  addAt({ line, column }: Position, path: string, message: string, fix: string): void {
    if (this.full) {
      this.truncated = true;
      return;
    }
    // Without the path, since a mistake behind an anchor is met once for every alias.
    const identity = `${line}:${column}:${message}`;
    if (this.#problems.has(identity)) return;
    // A name that is suggested, or a template's own word, may hold what moves a terminal's cursor.
    const problem = { line, column, path, message: escapeControls(message), fix: escapeControls(fix) };
    this.#problems.set(identity, problem);
  }

  /** `file:line:column` without the file, for a message that names a second place. */
  where(place: Place): string {
    const { line, column } = this.#positionOf(place);
    return `${line}:${column}`;
  }

  get full(): boolean {
    return this.#problems.size >= PROBLEMS_MAX;
  }

  get isEmpty(): boolean {
    return this.#problems.size === 0;
  }

  sorted(): BindingsProblem[] {
    return [...this.#problems.values()].sort((a, b) => a.line - b.line || a.column - b.column);
  }
}

/** `bindings[3].labels["example.com/team"]` */
export function describePath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) return `[${quoteName(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}

const NAME_SHOWN_MAX = 80;

/** A name from the file, fit for a terminal and a log: control characters escaped, long ones cut. */
export function quoteName(name: string): string {
  const shown = name.length > NAME_SHOWN_MAX ? `${name.slice(0, NAME_SHOWN_MAX)}…` : name;
  return escapeControls(JSON.stringify(shown.toWellFormed()));
}

/** What would steer a terminal, break a line or turn the order of letters, written as JSON writes it. */
function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
