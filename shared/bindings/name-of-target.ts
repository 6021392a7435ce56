import type { TargetRef } from "./binding.ts";

/** For reports, logs and commands. */
export function nameOfTarget({
  cluster,
  namespace,
  name,
}: Pick<TargetRef, "cluster" | "namespace" | "name">): string {
  return `${cluster}/${namespace}/${name}`;
}
