import { RelayError } from "../relay-error.ts";
import type { SourceAt } from "./secret-id.ts";

/** The secret, or the requested version of it, does not exist. */
export class SourceNotFound extends RelayError {
  override readonly name = "SourceNotFound";
  readonly code = "SOURCE_NOT_FOUND";
  readonly retryable = false;
  constructor(source: string, { stage, versionId }: Pick<SourceAt, "stage" | "versionId"> = {}) {
    const wanted =
      versionId !== undefined
        ? `the version ${versionId}`
        : stage === undefined
          ? "a current value"
          : `a value under the staging label ${stage}`;
    super(
      `Secrets Manager has no secret ${source} with ${wanted}. Correct the binding, or create the secret.`,
    );
  }
}

/** The secret was deleted, but can still be restored. */
export class SourceScheduledForDeletion extends RelayError {
  override readonly name = "SourceScheduledForDeletion";
  readonly code = "SOURCE_SCHEDULED_FOR_DELETION";
  readonly retryable = false;
  constructor(source: string) {
    super(
      `Secret ${source} is scheduled for deletion. Restore it (aws secretsmanager restore-secret), or remove its binding.`,
    );
  }
}

/** Denied by IAM or by the secret's resource policy. */
export class SourceForbidden extends RelayError {
  override readonly name = "SourceForbidden";
  readonly code = "SOURCE_FORBIDDEN";
  readonly retryable = false;
  constructor(source: string) {
    super(
      `The relay has no permission to read ${source}. Allow secretsmanager:GetSecretValue on it (template parameter SecretArns or SecretNamePrefix) and check the secret's resource policy.`,
    );
  }
}

export class SourceNotDecrypted extends RelayError {
  override readonly name = "SourceNotDecrypted";
  readonly code = "SOURCE_NOT_DECRYPTED";
  readonly retryable = false;
  constructor(source: string) {
    super(
      `KMS did not decrypt ${source}. Allow kms:Decrypt on its key (template parameter SecretKmsKeyArns) and check that the key is enabled.`,
    );
  }
}

export class SourceRejected extends RelayError {
  override readonly name = "SourceRejected";
  readonly code = "SOURCE_REJECTED";
  readonly retryable = false;
  constructor(source: string, at: string) {
    super(`Secrets Manager rejected the read of ${source} (${at}). Check the source in the bindings.`);
  }
}

/** Throttling, after the SDK's own retries. */
export class SourceThrottled extends RelayError {
  override readonly name = "SourceThrottled";
  readonly code = "SOURCE_THROTTLED";
  readonly retryable = true;
  constructor(source: string) {
    super(`Secrets Manager throttled a read of ${source}. The relay retries later.`);
  }
}

/** 5xx, a broken connection, a timeout: after the SDK's own retries. */
export class SourceUnavailable extends RelayError {
  override readonly name = "SourceUnavailable";
  readonly code = "SOURCE_UNAVAILABLE";
  readonly retryable = true;
  constructor(source: string, at: string) {
    super(`Secrets Manager gave no valid response for ${source} (${at}). The relay retries later.`);
  }
}

export class SourceCredentialsExpired extends RelayError {
  override readonly name = "SourceCredentialsExpired";
  readonly code = "SOURCE_CREDENTIALS_EXPIRED";
  readonly retryable = true;
  constructor(source: string) {
    super(`The AWS credentials expired while reading ${source}, and renewed credentials were refused too.`);
  }
}
