import { RelayError } from "../../relay-error.ts";
import { POINTER_KEY } from "./pointer.ts";

/** Newer bindings are in force. The caller starts again with them. */
export class RulesSuperseded extends RelayError {
  override readonly name = "RulesSuperseded";
  readonly code = "RULES_SUPERSEDED";
  readonly retryable = true;
  constructor() {
    super("Newer bindings were published during this run. The next run follows them.");
  }
}

/** The store does not answer, and the Secret was not written under the known bindings. */
export class RulesUnknown extends RelayError {
  override readonly name = "RulesUnknown";
  readonly code = "RULES_UNKNOWN";
  readonly retryable = true;
  constructor() {
    super(
      "The bucket with the bindings does not answer, so the relay writes only Secrets whose bindings have not changed, deletes none, and retries all other events. Check the bucket and, in a VPC, its S3 endpoint: secret-relay doctor.",
    );
  }
}

/** The pointer was published once, and is gone. */
export class BindingsDeleted extends RelayError {
  override readonly name = "BindingsDeleted";
  readonly code = "BINDINGS_DELETED";
  readonly retryable = false;
  constructor() {
    super(
      `The object ${POINTER_KEY} was deleted from the bucket, so it is unknown what is bound. The relay deletes no Secret. Put the bindings in force again: secret-relay bindings rollback; or, if no version of the object is left: secret-relay publish.`,
    );
  }
}

/** The published bindings are for another installation; its Secrets would look foreign to this one. */
export class RelayNameDiffers extends RelayError {
  override readonly name = "RelayNameDiffers";
  readonly code = "RELAY_NAME_DIFFERS";
  readonly retryable = false;
  constructor(ofBindings: string, ofStack: string) {
    super(
      `The bindings are for relay ${ofBindings}, and the stack's RelayName is ${ofStack}. Set relay: ${ofStack} in the bindings, or correct RelayName.`,
    );
  }
}
