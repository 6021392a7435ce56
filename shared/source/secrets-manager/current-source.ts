import { SecretsManagerClient, type SecretsManagerClientConfig } from "@aws-sdk/client-secrets-manager";
import type { Source } from "../source.ts";
import { type CallListeners, type ClientFor, secretsManagerClients } from "./clients.ts";
import { readCurrentWith } from "./read-current.ts";
import { warmClient } from "./warm-client.ts";

export type SourceConfig = Pick<SecretsManagerClientConfig, "region" | "credentials" | "retryStrategy">;

export type CurrentSourceReader = Pick<Source, "readCurrent" | "warmUp"> & {
  readonly clientFor: ClientFor;
  /** The credentials that the clients use. */
  readonly credentials: SecretsManagerClient["config"]["credentials"];
};

/** GetSecretValue alone. A function's bundle holds only the calls that its role permits. */
export function currentSource(config: SourceConfig = {}, listeners: CallListeners = {}): CurrentSourceReader {
  const clientFor = secretsManagerClients(
    (options) => new SecretsManagerClient({ ...config, ...options }),
    listeners,
  );
  return {
    clientFor,
    credentials: clientFor(undefined).config.credentials,
    readCurrent: readCurrentWith(clientFor),
    warmUp: (budget) => warmClient(clientFor(undefined), budget),
  };
}
