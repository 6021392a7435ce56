import type { BindingsProblem, Position } from "./bindings-error.ts";
import { escapeControls, quoteName } from "./quote-name.ts";

/** The keys of maps and indices of lists from the top of the file to a value. */
export type Path = readonly (string | number)[];

/** `part: "key"` points at the key instead of its value. */
export type Place = { readonly path: Path; readonly part?: "key" };

export type PositionOf = (place: Place) => Position;

// A file of 100,000 bindings that all lack one setting would print for minutes.
const PROBLEMS_MAX = 1_000;

/** Collects problems without duplicates, and sorts them by position. */
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
    // Without the path, because a mistake behind an anchor is found again for every alias.
    const identity = `${line}:${column}:${message}`;
    if (this.#problems.has(identity)) return;
    // A suggested name or a word of a template may contain terminal control characters.
    const problem = { line, column, path, message: escapeControls(message), fix: escapeControls(fix) };
    this.#problems.set(identity, problem);
  }

  /** `line:column`, for a message that names a second position. */
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
