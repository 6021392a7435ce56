import { keyOfSource } from "../secret-id/key-of-source.ts";
import type { SourceCatalog } from "../source/source-catalog.ts";
import type { SourceState } from "../source/source-state.ts";

/**
 * A catalog for one sweep: a source with a hundred targets is described once, and not once a target. Only that one is
 * missing is not remembered: a deletion may hang on it, and must be able to ask again.
 */
export function describeOnce(catalog: SourceCatalog): SourceCatalog {
  const described = new Map<string, Promise<SourceState>>();
  return {
    ...catalog,
    describe: (source, budget) => {
      const key = keyOfSource(source);
      const known = described.get(key);
      if (known !== undefined) return known;
      const asked = catalog.describe(source, budget);
      described.set(key, asked);
      asked.then(
        ({ kind }) => kind === "missing" && described.delete(key),
        () => described.delete(key),
      );
      return asked;
    },
  };
}
