import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

/**
 * Leaves out of the bundle the JMESPath package's own functions and those of Powertools: ours stand in the place of every one of
 * them (shared/expressions/jmespath-functions.ts). What is left is how the interpreter learns the names of functions.
 */
export const slimJmespath: Plugin = {
  name: "slim-jmespath",
  setup(build) {
    build.onLoad({ filter: /jmespath\/lib\/\w+\/PowertoolsFunctions\.js$/ }, () => ({
      contents: 'export { Functions } from "./Functions.js";',
      loader: "js",
    }));
    build.onLoad({ filter: /jmespath\/lib\/\w+\/Functions\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      if (!/^class Functions \{$/m.test(source) || !source.includes("introspectMethods(scope)")) {
        return {
          errors: [{ text: "jmespath's Functions.js has a new shape: adapt scripts/slim-jmespath.ts" }],
        };
      }
      return { contents: BASE_CLASS, loader: "js" };
    });
  },
};

const BASE_CLASS = `
export class Functions {
  methods = new Set();
  introspectMethods() {
    for (let at = Object.getPrototypeOf(this); at !== Functions.prototype; at = Object.getPrototypeOf(at)) {
      for (const name of Object.getOwnPropertyNames(at)) if (name.startsWith("func")) this.methods.add(name);
    }
  }
}`;
