import { BindingsError } from "../shared/bindings/bindings-error.ts";
import { BindingsUnreadable } from "../shared/bindings/read-compiled-bindings.ts";
import { RelayError, UnexpectedFault } from "../shared/relay-error.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

/** An error of the command line alone: it is explained by its code and message, and no program retries it. */
export abstract class CommandError extends RelayError {
  override readonly name = "CommandError";
  readonly retryable: boolean = false;
}

/** The command line, or a file that it names, is wrong. Nothing was tried. */
export class UsageError extends CommandError {
  readonly code = "USAGE";
}

/** The code, message and exit code of an error. A foreign error's own message is never shown: it can hold a response body. */
export function explainError(error: unknown): { code: string; message: string; exitCode: ExitCode } {
  const known = toRelayError(error);
  return { code: known.code, message: known.message, exitCode: isUsage(known) ? EXIT.usage : EXIT.failed };
}

export const toRelayError = (error: unknown): RelayError =>
  error instanceof RelayError ? error : UnexpectedFault.from(error);

const isUsage = (error: RelayError): boolean =>
  error instanceof UsageError || error instanceof BindingsError || error instanceof BindingsUnreadable;
