import { RelayError } from "../relay-error.ts";

/** Where in a file; both count from 1, as editors do. */
export type Position = { readonly line: number; readonly column: number };

/** One thing wrong in a bindings file. No text of it quotes anything but names from the file. */
export type BindingsProblem = Position & {
  /** For people and scripts: `bindings[3].targets[0].namespace`; empty for the file itself. */
  readonly path: string;
  readonly message: string;
  readonly fix: string;
};

/** Thrown when a bindings file cannot be used: it tells everything that is wrong, in the file's order. */
export class BindingsError extends RelayError {
  override readonly name = "BindingsError";
  readonly code = "BINDINGS_INVALID";
  readonly retryable = false;
  readonly fileName: string;
  readonly problems: readonly BindingsProblem[];
  /** True when the file has more problems than are listed. */
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
