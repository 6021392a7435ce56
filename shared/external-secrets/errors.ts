import { RelayError } from "../relay-error.ts";
import { GROUP } from "./eso-api-paths.ts";

/** The cluster serves no supported version of ESO's API. */
export class ExternalSecretsNotServed extends RelayError {
  override readonly name = "ExternalSecretsNotServed"; // a literal: a minified bundle renames classes
  readonly code = "EXTERNAL_SECRETS_NOT_SERVED";
  readonly retryable = false;
  /** What the cluster serves, without advice: that depends on the caller. */
  readonly reason: string;
  /** False while objects of another version may exist. */
  readonly isAbsent: boolean;
  constructor(cluster: string, versions: readonly string[]) {
    const isAbsent = versions.length === 0;
    const reason = isAbsent
      ? `Cluster ${cluster} does not serve ${GROUP}: External Secrets Operator is not installed there.`
      : `Cluster ${cluster} serves ${GROUP} only as ${versions.join(", ")}, and the relay reads v1 and v1beta1.`;
    const remedy = isAbsent ? "Install the operator" : "Update the operator";
    super(`${reason} ${remedy}, or remove externalSecrets from the cluster in the bindings.`);
    this.reason = reason;
    this.isAbsent = isAbsent;
  }
}

/** ESO neither refreshed the annotated object nor reported an error before the deadline. */
export class ExternalSecretNotRefreshed extends RelayError {
  override readonly name = "ExternalSecretNotRefreshed";
  readonly code = "EXTERNAL_SECRET_NOT_REFRESHED";
  readonly retryable = true;
  constructor(object: string, seconds: number) {
    super(
      `${object} was annotated, but ESO did not refresh it within ${seconds} s. Check that ESO is running and not overloaded, and that the store has ESO's controller class.`,
    );
  }
}

/** ESO reports that the refresh failed. */
export class ExternalSecretSyncFailed extends RelayError {
  override readonly name = "ExternalSecretSyncFailed";
  readonly code = "EXTERNAL_SECRET_SYNC_FAILED";
  readonly retryable = true;
  constructor(object: string, reason: string) {
    super(
      `ESO could not refresh ${object} (${reason}). See its events and its condition with kubectl describe.`,
    );
  }
}

/** A store of the object is missing or not Ready, so ESO does not refresh anything from it. */
export class ExternalSecretStoreNotReady extends RelayError {
  override readonly name = "ExternalSecretStoreNotReady";
  readonly code = "EXTERNAL_SECRET_STORE_NOT_READY";
  readonly retryable = true;
  constructor(object: string, store: string) {
    super(
      `ESO does not refresh ${object} while ${store} is missing or not ready. Repair the store; ESO checks it every five minutes, and at once when it is changed.`,
    );
  }
}

/** More objects of ESO may be affected by one event than the relay follows; it followed the first ones. */
export class ExternalSecretsTooMany extends RelayError {
  override readonly name = "ExternalSecretsTooMany";
  readonly code = "EXTERNAL_SECRETS_TOO_MANY";
  readonly retryable = false;
  constructor(what: string) {
    super(
      `One event may affect more ${what} than the relay follows, so some were not checked. ESO refreshes them at their next interval. See who creates that many, and limit it with a ResourceQuota; or list fewer namespaces under externalSecrets.`,
    );
  }
}
