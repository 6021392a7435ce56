import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

/**
 * Leaves out of the bundle what the yaml package writes YAML with: 13 kB that its nodes import, and that nobody who only
 * reads comes to. Whoever does is told.
 */
export const slimYaml: Plugin = {
  name: "slim-yaml",
  setup(build) {
    build.onLoad({ filter: /yaml\/browser\/dist\/stringify\/\w+\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const names = /^export \{ ([\w, ]+) \};$/m.exec(source)?.[1]?.split(", ");
      if (names === undefined) {
        return { errors: [{ text: "yaml's files have a new shape: adapt scripts/slim-yaml.ts" }] };
      }
      const contents = names.map(
        (name) => `export const ${name} = () => { throw new TypeError("Nothing writes YAML here"); };`,
      );
      return { contents: contents.join("\n"), loader: "js" };
    });
  },
};
