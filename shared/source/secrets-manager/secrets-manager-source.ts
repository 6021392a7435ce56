import type { Source } from "../source.ts";
import type { CallListeners } from "./clients.ts";
import type { CurrentSourceReader, SourceConfig } from "./current-source.ts";
import { listSourceStates } from "./list-source-states.ts";
import { readManyWith } from "./read-many.ts";
import { rotationSource } from "./rotation-source.ts";
import { sourceCatalog } from "./source-catalog.ts";

/** AWS Secrets Manager with all calls, for sweeps and for the command line. */
export function secretsManagerSource(
  config: SourceConfig = {},
  listeners: CallListeners = {},
): Source & CurrentSourceReader {
  const rotation = rotationSource(config, listeners);
  const catalog = sourceCatalog(rotation.clientFor);
  return {
    ...rotation,
    readMany: readManyWith(rotation.clientFor),
    describe: catalog.describe,
    listStates: (request) => listSourceStates(catalog, request),
  };
}
