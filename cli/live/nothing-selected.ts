import { RelayError } from "../../shared/relay-error.ts";

/** The command line is right, and there is nothing to compare or to write. Success would look like "all in order". */
export class NothingSelected extends RelayError {
  override readonly name = "NothingSelected";
  readonly code = "NOTHING_SELECTED";
  readonly retryable = false;
  constructor(where: string) {
    super(`Nothing is bound ${where}, so nothing was compared or written. Check the bindings and --cluster.`);
  }
}
