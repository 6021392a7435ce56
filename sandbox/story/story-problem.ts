import { RelayError, UnexpectedFault } from "../../shared/relay-error.ts";

/** A failed check of a step. Its message is written here, so it may be printed: it never holds a value. */
export class StoryProblem extends Error {
  override readonly name = "StoryProblem";
}

export function expectThat(claim: boolean, otherwise: string): asserts claim {
  if (!claim) throw new StoryProblem(otherwise);
}

/**
 * The message of an error of this project; for any other error its kind and place, since a library's message may hold
 * a value.
 */
export function problemOf(error: unknown): string {
  if (error instanceof StoryProblem || error instanceof RelayError) return error.message;
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  const kind = [code, name].find((word) => typeof word === "string" && /^[A-Za-z_]{3,80}$/.test(word));
  return `${UnexpectedFault.from(error).message} (${kind ?? "unknown kind"})`;
}
