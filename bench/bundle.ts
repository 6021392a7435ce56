import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildOptions } from "esbuild";
import { bundleOptions } from "../scripts/bundle.ts";
import { type Bench, machine, round } from "./bench.ts";
import { buildOurs, importing, timeStarts } from "./cold-start.ts";

/**
 * The value of each build measure: builds the rotation function with all measures, then without each one. A measure that
 * saves less than 5 ms at start is not worth its code. The variants take turns, so load on the machine affects all alike.
 */
export const bundle: Bench = {
  summary: "the rotation bundle with all build measures, and without each one",
  hasBackend: false,
  counts: { samples: { meaning: "starts per variant", fallback: 15 } },
  run: async ({ counts: { samples = 0 } }) => {
    const folder = await mkdtemp(join(tmpdir(), "relay-bundle-"));
    try {
      const built = await Promise.all(
        Object.entries(VARIANTS).map(async ([name, change], index) => {
          const outdir = join(folder, String(index));
          return { name, ...(await buildOurs(outdir, undefined, change(bundleOptions("rotation", outdir)))) };
        }),
      );
      const starts = Object.fromEntries(
        built.map(({ name, entry, env }) => [name, { code: importing(entry), env }]),
      );
      const times: Partial<Record<string, { cpuMs: number }>> = await timeStarts(samples, {
        bare: "0",
        ...starts,
      });
      const bareMs = times.bare?.cpuMs ?? Number.NaN;
      const variants = built.map(({ name, bytes, initialBytes }) => ({
        variant: name,
        bytes,
        initialBytes,
        addedMs: round((times[name]?.cpuMs ?? Number.NaN) - bareMs),
      }));
      return { variants, bareMs: round(bareMs), samples, machine: machine() };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Options = BuildOptions & { metafile: true };

const VARIANTS: Readonly<Record<string, (options: ReturnType<typeof bundleOptions>) => Options>> = {
  "as built": (options) => options,
  "without code splitting": ({ chunkNames: _, ...options }) => ({ ...options, splitting: false }),
  "without the undici stand-in": ({ alias: { undici: _, ...alias }, ...options }) => ({ ...options, alias }),
  "without slim-aws-sdk": (options) => withoutPlugin(options, "slim-aws-sdk"),
  "without slim-client-node": (options) => withoutPlugin(options, "slim-client-node"),
};

function withoutPlugin(options: ReturnType<typeof bundleOptions>, name: string): Options {
  return { ...options, plugins: options.plugins.filter((plugin) => plugin.name !== name) };
}
