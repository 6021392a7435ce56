import type { Metafile } from "esbuild";

/** The files of a bundled function that are loaded when it starts: its entry, and what is imported from there at once. */
export function outputsAtStart({ outputs }: Metafile): readonly string[] {
  const entry = Object.keys(outputs).find((path) => outputs[path]?.entryPoint?.startsWith("functions/"));
  if (entry === undefined) throw new TypeError("The bundle has no function");
  const atStart = new Set([entry]);
  for (const path of atStart) {
    for (const { kind, path: next } of outputs[path]?.imports ?? []) {
      if (kind === "import-statement" && next in outputs) atStart.add(next);
    }
  }
  return [...atStart];
}
