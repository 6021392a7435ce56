import type { BuildOptions, Plugin } from "esbuild";

/** The same bundle, whose function does nothing at its start that could wait for the first event. */
export function withoutWarmUp<Options extends BuildOptions>(
  options: Options,
): Options & { plugins: Plugin[] } {
  return { ...options, plugins: [...(options.plugins ?? []), noWarmUp] };
}

const noWarmUp: Plugin = {
  name: "no-warm-up",
  setup(build) {
    build.onLoad({ filter: /shared[\\/]wiring[\\/]warm-up\.ts$/ }, () => ({
      contents: "export async function warmUp() {}",
      loader: "ts",
    }));
  },
};
