import { RelayError } from "../relay-error.ts";

/** Both count from 1. */
export type Position = { readonly line: number; readonly column: number };

/** A problem in a bindings file. Its messages quote only names from the file. */
export type BindingsProblem = Position & {
  /** For example `bindings[3].targets[0].namespace`; empty for the file itself. */
  readonly path: string;
  readonly message: string;
  readonly fix: string;
};

/** Thrown for an invalid bindings file; lists all problems in the file's order. */
export class BindingsError extends RelayError {
  override readonly name = "BindingsError";
  readonly code = "BINDINGS_INVALID";
  readonly retryable = false;
  readonly fileName: string;
  readonly problems: readonly BindingsProblem[];
  /** Whether the file has more problems than listed. */
  readonly truncated: boolean;

  constructor(fileName: string, problems: readonly BindingsProblem[], truncated = false) {
    super(describe(fileName, problems, truncated));
    this.fileName = fileName;
    this.problems = problems;
    this.truncated = truncated;
  }
}

function describe(fileName: string, problems: readonly BindingsProblem[], truncated: boolean): string {
  const count = truncated ? `more than ${problems.length} problems` : plural(problems.length, "problem");
  const lines = problems.map(({ line, column, path, message, fix }) => {
    const where = path === "" ? "" : `${path}: `;
    return `${fileName}:${line}:${column}: ${where}${message}. ${fix}.`;
  });
  return [`${fileName} has ${count}`, ...lines].join("\n");
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;
