import { fileURLToPath } from "node:url";
import type { BuildOptions } from "esbuild";
import { slimAwsSdk } from "./slim-aws-sdk.ts";
import { slimClientNode } from "./slim-client-node.ts";
import { slimJmespath } from "./slim-jmespath.ts";
import { slimYaml } from "./slim-yaml.ts";

/** Every Lambda function of the stack; each has a folder of this name in functions/. */
export const FUNCTIONS = ["rotation", "reconcile", "webhook"] as const;

const NO_SHARED_PROFILES = fileURLToPath(new URL("../shared/wiring/no-shared-profiles.ts", import.meta.url));

const PROFILE_PROVIDERS = [
  "@aws-sdk/credential-provider-ini",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-sso",
  "@aws-sdk/credential-provider-web-identity",
];

/** How a function is bundled. What is only sometimes needed is split off, and loaded when it is. */
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
    // client-node imports undici for a transport that we replace (shared/cluster/https-transport.ts); loading it
    // would cost each cold start 65 to 70 ms.
    alias: {
      undici: fileURLToPath(new URL("../shared/cluster/undici-stand-in.ts", import.meta.url)),
      // For Node the package offers CommonJS, of which nothing can be left out; the other build has the same sources.
      yaml: fileURLToPath(new URL("../node_modules/yaml/browser/dist/index.js", import.meta.url)),
      ...Object.fromEntries(PROFILE_PROVIDERS.map((name) => [name, NO_SHARED_PROFILES])),
    },
    plugins: [slimClientNode, slimAwsSdk, slimJmespath, slimYaml],
    // Bundled CommonJS packages call require() for Node's own modules.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
  } satisfies BuildOptions;
}
