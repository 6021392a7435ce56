/**
 * The base of every error that the relay throws on purpose.
 *
 * `message` is written by us and says what to do next; it never quotes a value, a request body or a library's
 * message, because those can hold a secret. For the same reason there is no `cause` from outside.
 */
export abstract class RelayError extends Error {
  /** Stable, upper snake case; alarms, the runbook and scripts rely on it. */
  abstract readonly code: string;
  /** True when the same call may succeed later without anybody changing anything. */
  abstract readonly retryable: boolean;
  /** Set when the other side said how long to wait. */
  readonly retryAfterMs?: number;
}

export function isRetryable(error: unknown): error is RelayError {
  return error instanceof RelayError && error.retryable;
}

/**
 * Something that nobody foresaw: a bug of ours or of a library. Its own message is dropped, because it may hold what
 * was being worked on; the class and the place in the code remain.
 */
export class UnexpectedFault extends RelayError {
  override readonly name = "UnexpectedFault";
  readonly code = "UNEXPECTED_FAULT";
  readonly retryable = true;

  static from(error: unknown): UnexpectedFault {
    const kind = error instanceof Error ? (error.constructor?.name ?? "Error") : typeof error;
    return new UnexpectedFault(kind, placeOf(error));
  }

  private constructor(kind: string, place: string) {
    super(`An unexpected ${kind} was raised ${place}. Please report it with this line.`);
  }
}

/** The first frame of the stack that names a file. The message stands before the frames and may look like one: cut off. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error) || typeof error.stack !== "string") return "at an unknown place";
  const messageAt = error.stack.indexOf(error.message);
  if (messageAt < 0) return "at an unknown place"; // changed since: where the old one ends is not known
  const frames = error.stack.slice(messageAt + error.message.length);
  const frame = frames.match(/\n\s+at [^\n]*?([\w.-]+\.m?[jt]s:\d+:\d+)\)?(?=\n|$)/);
  return frame?.[1] === undefined ? "at an unknown place" : `at ${frame[1]}`;
}
