import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildOptions } from "esbuild";
import { bundleOptions } from "../scripts/bundle.ts";
import { type Bench, machine, round } from "./bench.ts";
import { buildOurs, importing, timeStarts } from "./cold-start.ts";

/**
 * What each measure of the build is worth: the rotation function is bundled with all of them, and without one at a time.
 * Size of all files, size of those that a start loads, and what they add to the start of a process, which take turns.
 */
export const bundle: Bench = {
  summary: "the rotation bundle with all measures of the build, and without one at a time",
  hasBackend: false,
  counts: { samples: { means: "starts of each kind", otherwise: 15 } },
  run: async ({ counts: { samples = 0 } }) => {
    const folder = await mkdtemp(join(tmpdir(), "relay-bundle-"));
    try {
      const built = await Promise.all(
        Object.entries(VARIANTS).map(async ([name, change], at) => {
          const outdir = join(folder, String(at));
          return { name, ...(await buildOurs(outdir, change(bundleOptions("rotation", outdir)))) };
        }),
      );
      const starts = Object.fromEntries(built.map(({ name, entry }) => [name, importing(entry)]));
      const { bare = 0, ...times }: Record<string, number> = await timeStarts(samples, {
        bare: "0",
        ...starts,
      });
      const variants = built.map(({ name, bytes, initialBytes }) => ({
        variant: name,
        bytes,
        initialBytes,
        addedMs: round((times[name] ?? Number.NaN) - bare),
      }));
      return { variants, bareMs: round(bare), samples, machine: machine() };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Options = BuildOptions & { metafile: true };

const VARIANTS: Readonly<Record<string, (options: ReturnType<typeof bundleOptions>) => Options>> = {
  "as it is built": (options) => options,
  "without code splitting": ({ entryPoints, chunkNames: _, ...options }) => ({
    ...options,
    entryPoints,
    splitting: false,
  }),
  "without the stand-in for undici": (options) => withoutAlias(options, ["undici"]),
  "without a slim client-node": (options) => withoutPlugins(options, ["slim-client-node"]),
  "without a slim AWS SDK": (options) => withoutPlugins(options, ["slim-aws-sdk"]),
  "without a slim JMESPath": (options) => withoutPlugins(options, ["slim-jmespath"]),
  "without a slim YAML parser": (options) => withoutPlugins(withoutAlias(options, ["yaml"]), ["slim-yaml"]),
  "without the stand-in for profiles": (options) =>
    withoutAlias(
      options,
      Object.keys(options.alias).filter((name) => name.includes("credential-provider")),
    ),
};

function withoutAlias<T extends Options>(options: T, names: readonly string[]): T {
  return {
    ...options,
    alias: Object.fromEntries(Object.entries(options.alias ?? {}).filter(([name]) => !names.includes(name))),
  };
}

function withoutPlugins<T extends Options>(options: T, names: readonly string[]): T {
  return { ...options, plugins: (options.plugins ?? []).filter(({ name }) => !names.includes(name)) };
}
