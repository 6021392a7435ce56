import { RelayError, UnexpectedFault } from "../../shared/relay-error.ts";

/** The world is not as the step says it should be. Written by us, so it may be printed: it never holds a value. */
export class StoryProblem extends Error {
  override readonly name = "StoryProblem";
}

export function expectThat(claim: boolean, otherwise: string): asserts claim {
  if (!claim) throw new StoryProblem(otherwise);
}

/** The message of an error of ours; of any other error its kind and place, since a library's message may hold a value. */
export function problemOf(error: unknown): string {
  if (error instanceof StoryProblem || error instanceof RelayError) return error.message;
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  const kind = [code, name].find((word) => typeof word === "string" && /^[A-Za-z_]{3,80}$/.test(word));
  return `${UnexpectedFault.from(error).message} (${kind ?? "of an unknown kind"})`;
}
