import type { Source } from "../source.ts";
import type { CallListeners } from "./clients.ts";
import { type CurrentSourceReader, currentSource, type SourceConfig } from "./current-source.ts";

/** The calls of a rotation. Tags are read in trigger mode only, so their code is loaded at the first use. */
export function rotationSource(
  config: SourceConfig = {},
  listeners: CallListeners = {},
): CurrentSourceReader & Pick<Source, "readTags"> {
  const current = currentSource(config, listeners);
  return {
    ...current,
    readTags: async (source, budget) => {
      const { readTagsWith } = await import("./read-tags.ts");
      return readTagsWith(current.clientFor)(source, budget);
    },
  };
}
