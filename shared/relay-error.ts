/**
 * The base of every error that the relay throws on purpose.
 *
 * `message` says what to do next. It never quotes a value, a request body or a library's message, because those can
 * hold a secret. For the same reason `cause` is never a library's error.
 */
export abstract class RelayError extends Error {
  /** Stable, upper snake case; alarms, the runbook and scripts rely on it. */
  abstract readonly code: string;
  /** True when the same call may succeed later without any change by an operator. */
  abstract readonly retryable: boolean;
  /** The delay that the server asked for, if any. */
  readonly retryAfterMs?: number;
}

export function isRetryable(error: unknown): error is RelayError {
  return error instanceof RelayError && error.retryable;
}

/** A bug of the relay or of a library. Its message may hold a secret, so only its class and location in the code are kept. */
export class UnexpectedFault extends RelayError {
  override readonly name = "UnexpectedFault";
  readonly code = "UNEXPECTED_FAULT";
  readonly retryable = true;

  static from(error: unknown): UnexpectedFault {
    const kind = error instanceof Error ? (error.constructor?.name ?? "Error") : typeof error;
    return new UnexpectedFault(kind, codeLocation(error));
  }

  private constructor(kind: string, location: string) {
    super(`An unexpected ${kind} was thrown at ${location}. This is a bug; please report it with this line.`);
  }
}

/** The first stack frame that names a file. The message precedes the frames and may look like one, so it is cut off. */
function codeLocation(error: unknown): string {
  if (!(error instanceof Error) || typeof error.stack !== "string") return UNKNOWN_LOCATION;
  const messageAt = error.stack.indexOf(error.message);
  if (messageAt < 0) return UNKNOWN_LOCATION; // the message was changed later, so it cannot be cut off
  const frames = error.stack.slice(messageAt + error.message.length);
  const frame = frames.match(/\n\s+at [^\n]*?([\w.-]+\.m?[jt]s:\d+:\d+)\)?(?=\n|$)/);
  return frame?.[1] ?? UNKNOWN_LOCATION;
}

const UNKNOWN_LOCATION = "an unknown location";
