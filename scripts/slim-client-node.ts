import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

/**
 * Removes the unused models of client-node from the bundle. Its serializer imports all 750 of them, 350 kB minified, and
 * passes objects of an unknown type through. The models add 35 to 50 ms of processor time to each start
 * (npm run bench -- bundle).
 */
export const slimClientNode: Plugin = {
  name: "slim-client-node",
  setup(build) {
    // This file only re-exports. esbuild assumes side effects in the models and would keep them all.
    build.onLoad({ filter: /client-node\/dist\/gen\/models\/all\.js$/ }, () => ({
      contents: "",
      loader: "js",
    }));
    build.onLoad({ filter: /client-node\/dist\/gen\/models\/ObjectSerializer\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const contents = source
        .replace(/^export \* from .*\n/gm, "")
        .replace(/^import \{ (\w+) \} from .*\n/gm, (line, model: string) => (MODELS.has(model) ? line : ""))
        .replace(/^ +"(\w+)": (\w+),?\n/gm, (line, _name, model: string) => (MODELS.has(model) ? line : ""));
      const kept = [...MODELS].filter((model) =>
        new RegExp(`^ +"${model}": ${model},?$`, "m").test(contents),
      );
      if (kept.length !== MODELS.size || contents.length > source.length / 4) {
        return {
          errors: [
            { text: "client-node's ObjectSerializer.js has changed: adapt scripts/slim-client-node.ts" },
          ],
        };
      }
      return { contents, loader: "js" };
    });
  },
};

/** The types of a Secret and its fields. */
const MODELS: ReadonlySet<string> = new Set([
  "V1ManagedFieldsEntry",
  "V1ObjectMeta",
  "V1OwnerReference",
  "V1Secret",
]);
