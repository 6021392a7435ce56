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
      const known = described.get(source.id);
      if (known !== undefined) return known;
      const asked = catalog.describe(source, budget);
      described.set(source.id, asked);
      asked.then(
        ({ kind }) => kind === "missing" && described.delete(source.id),
        () => described.delete(source.id),
      );
      return asked;
    },
  };
}
