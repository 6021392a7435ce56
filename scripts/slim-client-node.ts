import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

/**
 * Leaves out of the bundle the models of client-node that the relay never uses: its serializer imports all 750 of them,
 * 330 kB minified, and knows by name what to do with an object of a type that it does not have (it passes it on).
 */
export const slimClientNode: Plugin = {
  name: "slim-client-node",
  setup(build) {
    // Only re-exports, and the modules have side effects in esbuild's eyes, so none would be shaken off.
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
            { text: "client-node's ObjectSerializer.js has a new shape: adapt scripts/slim-client-node.ts" },
          ],
        };
      }
      return { contents, loader: "js" };
    });
  },
};

/** What a Secret is made of. */
const MODELS: ReadonlySet<string> = new Set([
  "V1ManagedFieldsEntry",
  "V1ObjectMeta",
  "V1OwnerReference",
  "V1Secret",
]);
