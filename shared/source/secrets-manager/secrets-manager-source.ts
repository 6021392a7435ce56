import { SecretsManagerClient, type SecretsManagerClientConfig } from "@aws-sdk/client-secrets-manager";
import type { Source } from "../source.ts";
import { type CallListeners, secretsManagerClients } from "./clients.ts";
import { readCurrentWith } from "./read-current.ts";
import { warmClient } from "./warm-client.ts";

export type SecretsManagerSource = Source & {
  /** The credentials that the clients use. */
  readonly credentials: SecretsManagerClient["config"]["credentials"];
};

/**
 * AWS Secrets Manager, with one client for each Region. A rotation needs only `readCurrent`; the code of the other calls
 * is loaded at their first use, which keeps the rotation's cold start short.
 */
export function secretsManagerSource(
  config: Pick<SecretsManagerClientConfig, "region" | "credentials"> = {},
  listeners: CallListeners = {},
): SecretsManagerSource {
  const clientFor = secretsManagerClients(
    (options) => new SecretsManagerClient({ ...config, ...options }),
    listeners,
  );
  const catalog = async () => (await import("./source-catalog.ts")).sourceCatalog(clientFor);
  return {
    credentials: clientFor(undefined).config.credentials,
    readCurrent: readCurrentWith(clientFor),
    readMany: async (sources, budget) => {
      const { readManyWith } = await import("./read-many.ts");
      return readManyWith(clientFor)(sources, budget);
    },
    describe: async (source, budget) => (await catalog()).describe(source, budget),
    listStates: async (request) => {
      const { listSourceStates } = await import("./list-source-states.ts");
      return listSourceStates(await catalog(), request);
    },
    readTags: async (source, budget) => {
      const { readTagsWith } = await import("./read-tags.ts");
      return readTagsWith(clientFor)(source, budget);
    },
    warmUp: (budget) => warmClient(clientFor(undefined), budget),
  };
}
