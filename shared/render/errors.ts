import { RelayError } from "../relay-error.ts";

/** The source's value does not match the binding. */
export class RenderError extends RelayError {
  override readonly name = "RenderError";
  readonly code: RenderErrorCode;
  readonly retryable = false;
  constructor(code: RenderErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type RenderErrorCode =
  | "SOURCE_NOT_JSON_OBJECT"
  | "SOURCE_KEY_MISSING"
  | "DATA_KEY_INVALID"
  | "TARGET_TOO_LARGE"
  | "TARGET_EMPTY"
  | "DATA_KEYS_COLLIDE"
  | "DECODE_FAILED"
  | "EXPRESSION_FAILED"
  | "TEMPLATE_VARIABLE_MISSING"
  | "TEMPLATE_FAILED"
  | "TYPE_KEY_MISSING"
  | "TLS_CERTIFICATE_INVALID"
  | "TLS_KEY_INVALID"
  | "TLS_PAIR_MISMATCH"
  | "DOCKER_CONFIG_INVALID"
  | "SSH_KEY_INVALID"
  | "BASIC_AUTH_INVALID";

/** Refuses data that does not fit the type of its Secret, and says why. */
export type Refuse = (code: RenderErrorCode, why: string) => never;
