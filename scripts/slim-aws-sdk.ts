import { readFile } from "node:fs/promises";
import type { OnLoadResult, Plugin } from "esbuild";

/**
 * Leaves out of the bundle what of the AWS SDK a function never reaches. Nothing that is reached is changed:
 *
 * - A client's schemas name every operation that its service has. esbuild would drop those of operations that nobody
 *   imports, but for two spellings that it takes for side effects: `64 | 0`, and `{ [_ht]: … }` with a constant. Both
 *   are written out here. Of EKS, 37 of 39 kB go.
 * - A client inlines its package.json for the version in its user agent; only that is kept.
 * - A parser of browsers' user agents, and streams of events, stand behind an import() that Node and our operations
 *   never come to: 49 kB of files. Lambda's client, which can invoke with a stream for an answer, imports those of
 *   events at once, so its bundle keeps them.
 */
export const slimAwsSdk: Plugin = {
  name: "slim-aws-sdk",
  setup(build) {
    build.onLoad(
      { filter: /@aws-sdk\/client-[-\w]+\/dist-es\/schemas\/schemas_0\.js$/ },
      async ({ path }) => ({
        ...shakable(await readFile(path, "utf8")),
        loader: "js",
      }),
    );
    build.onLoad({ filter: /@aws-sdk\/client-[-\w]+\/package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, "utf8")) as { version: string };
      return { contents: JSON.stringify({ version }), loader: "json" };
    });
    build.onResolve({ filter: /^(bowser|@smithy\/core\/event-streams)$/ }, ({ path, kind, importer }) => {
      if (kind === "dynamic-import") return { path, namespace: NEVER_LOADED };
      if (path !== "bowser" && /@aws-sdk\/client-lambda\//.test(importer)) return undefined;
      return { errors: [{ text: `${path} is no longer loaded late: adapt scripts/slim-aws-sdk.ts` }] };
    });
    build.onLoad({ filter: /.*/, namespace: NEVER_LOADED }, ({ path }) => ({
      contents: `throw new TypeError(${JSON.stringify(`${path} is not part of this bundle`)});`,
      loader: "js",
    }));
  },
};

const NEVER_LOADED = "never-loaded";

/** The same schemas, in spellings that esbuild knows to be free of side effects. */
export function shakable(source: string): OnLoadResult {
  const constants = new Map(
    [...source.matchAll(/^const (_\w+) = ("[^"\n]*");$/gm)].map(([, name = "", text = ""]) => [name, text]),
  );
  const contents = source
    .replace(/\b(64|128) \| ([0-9]+)\b/g, (_or, one: string, other: string) =>
      String(Number(one) | Number(other)),
    )
    .replace(/\[(_\w+)\]:/g, (key, name: string) => (constants.has(name) ? `${constants.get(name)}:` : key));
  const left = /\d \| \d|\[_\w+\]:/.exec(contents);
  return left === null
    ? { contents }
    : { errors: [{ text: `"${left[0]}" is left in a schema: adapt scripts/slim-aws-sdk.ts` }] };
}
