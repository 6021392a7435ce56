import { RelayError } from "../relay-error.ts";

/** The cluster serves no version of ESO's API that we know. */
export class ExternalSecretsNotServed extends RelayError {
  override readonly name = "ExternalSecretsNotServed"; // a literal: a minified bundle renames classes
  readonly code = "EXTERNAL_SECRETS_NOT_SERVED";
  readonly retryable = false;
  constructor(cluster: string) {
    super(
      `Cluster ${cluster} serves ExternalSecrets neither as v1 nor as v1beta1. Install the External Secrets Operator there, or remove externalSecrets from the cluster in the bindings.`,
    );
  }
}

/** Annotated, and by the deadline ESO has neither refreshed it nor said why not. */
export class ExternalSecretNotRefreshed extends RelayError {
  override readonly name = "ExternalSecretNotRefreshed";
  readonly code = "EXTERNAL_SECRET_NOT_REFRESHED";
  readonly retryable = true;
  constructor(object: string, seconds: number) {
    super(
      `${object} was annotated, and ESO did not refresh it within ${seconds} s. Check that ESO is running and not overloaded, and that the controller class of the store is its own.`,
    );
  }
}

/** ESO says that the refresh failed. */
export class ExternalSecretSyncFailed extends RelayError {
  override readonly name = "ExternalSecretSyncFailed";
  readonly code = "EXTERNAL_SECRET_SYNC_FAILED";
  readonly retryable = true;
  constructor(object: string, reason: string) {
    super(
      `ESO could not refresh ${object} (${reason}). Its events and its condition say why: kubectl describe it.`,
    );
  }
}

/** A store that it names is missing, or its Ready condition is not True: ESO refuses everything of that store. */
export class ExternalSecretStoreNotReady extends RelayError {
  override readonly name = "ExternalSecretStoreNotReady";
  readonly code = "EXTERNAL_SECRET_STORE_NOT_READY";
  readonly retryable = true;
  constructor(object: string, store: string) {
    super(
      `ESO does not refresh ${object} while ${store} is missing or not ready. Put the store in order; ESO looks at it every five minutes, or at once when it is changed.`,
    );
  }
}
