import { fileURLToPath } from "node:url";
import type { BuildOptions } from "esbuild";
import { slimAwsSdk } from "./slim-aws-sdk.ts";
import { slimClientNode } from "./slim-client-node.ts";

/** The Lambda functions of the stack, by their folders in functions/. */
export const FUNCTIONS = ["rotation", "reconcile", "webhook"] as const;

const NO_PROFILE_CREDENTIALS = fileURLToPath(new URL("no-profile-credentials.ts", import.meta.url));

const PROFILE_PROVIDERS = [
  "@aws-sdk/credential-provider-ini",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-sso",
  "@aws-sdk/credential-provider-web-identity",
];

/** How a function is bundled. Each `import()` becomes a chunk of its own, loaded on first use. */
export function bundleOptions(name: (typeof FUNCTIONS)[number], outdir: string) {
  return {
    entryPoints: { handler: `functions/${name}/handler.ts` },
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    mainFields: ["module", "main"],
    minify: true,
    metafile: true,
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunks/[name]-[hash]",
    // The hash covers the paths of the sources, and the functions are the same bytes in every checkout, also in one whose
    // node_modules is a link.
    preserveSymlinks: true,
    // client-node imports undici for a transport that shared/cluster/https-transport.ts replaces. Loading undici takes
    // about 80 ms of processor time at each start (npm run bench -- bundle).
    alias: {
      undici: fileURLToPath(new URL("../shared/cluster/undici-stand-in.ts", import.meta.url)),
      ...Object.fromEntries(PROFILE_PROVIDERS.map((name) => [name, NO_PROFILE_CREDENTIALS])),
    },
    plugins: [slimAwsSdk, slimClientNode],
    // Bundled CommonJS packages call require() for Node's built-in modules.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
  } satisfies BuildOptions;
}
