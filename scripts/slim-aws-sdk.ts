import { readFile } from "node:fs/promises";
import type { OnLoadResult, Plugin } from "esbuild";

/**
 * Removes unused code of the AWS SDK from the bundle:
 *
 * - Schemas of unused operations. esbuild would remove them itself, except that it assumes side effects in two spellings,
 *   `64 | 0` and `{ [_ht]: … }` with a constant. Both are replaced by their values.
 * - bowser and event streams, whose `import()` the functions never reach. As chunks they would split the code that they
 *   share with the start into more files. The Lambda client imports event streams statically, so its bundle keeps them.
 */
export const slimAwsSdk: Plugin = {
  name: "slim-aws-sdk",
  setup(build) {
    build.onLoad({ filter: /@aws-sdk\/client-[-\w]+\/dist-es\/schemas\/schemas_0\.js$/ }, async ({ path }) =>
      withoutSideEffects(await readFile(path, "utf8")),
    );
    build.onResolve({ filter: /^(bowser|@smithy\/core\/event-streams)$/ }, ({ path, kind, importer }) => {
      if (kind === "dynamic-import") return { path, namespace: UNREACHABLE };
      if (path !== "bowser" && /@aws-sdk\/client-lambda\//.test(importer)) return undefined;
      return { errors: [{ text: `${path} is now imported statically: adapt scripts/slim-aws-sdk.ts` }] };
    });
    build.onLoad({ filter: /.*/, namespace: UNREACHABLE }, ({ path }) => ({
      contents: `throw new TypeError(${JSON.stringify(`${path} is not part of this bundle`)});`,
    }));
  },
};

const UNREACHABLE = "unreachable";

function withoutSideEffects(source: string): OnLoadResult {
  const constants = new Map(
    [...source.matchAll(/^const (_\w+) = ("[^"\n]*");$/gm)].map(([, name = "", text = ""]) => [name, text]),
  );
  const contents = source
    .replace(/\b(64|128) \| ([0-9]+)\b/g, (_or, left: string, right: string) =>
      String(Number(left) | Number(right)),
    )
    .replace(/\[(_\w+)\]:/g, (key, name: string) => (constants.has(name) ? `${constants.get(name)}:` : key));
  const remaining = /\d \| \d|\[_\w+\]:/.exec(contents);
  return remaining === null
    ? { contents }
    : { errors: [{ text: `A schema still contains "${remaining[0]}": adapt scripts/slim-aws-sdk.ts` }] };
}
