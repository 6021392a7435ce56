import { BindingsError } from "../shared/bindings/bindings-error.ts";
import { BindingsUnreadable } from "../shared/bindings/read-compiled-bindings.ts";
import { RelayError, UnexpectedFault } from "../shared/relay-error.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

/** The command line is wrong, or a file that it names. Nothing was tried. */
export class UsageError extends RelayError {
  override readonly name = "UsageError";
  readonly code = "USAGE";
  readonly retryable = false;
}

/** An error in words for a person, and for a script. A foreign error's own message is never shown: it may hold a body. */
export function explainError(error: unknown): { code: string; message: string; exitCode: ExitCode } {
  const known = error instanceof RelayError ? error : UnexpectedFault.from(error);
  return { code: known.code, message: known.message, exitCode: isUsage(known) ? EXIT.usage : EXIT.failed };
}

const isUsage = (error: RelayError): boolean =>
  error instanceof UsageError || error instanceof BindingsError || error instanceof BindingsUnreadable;
