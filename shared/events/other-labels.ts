/**
 * The moved labels that bindings may follow: undefined when AWSCURRENT moved, `none` when only AWSPENDING moved, which
 * bindings cannot follow.
 */
export function otherLabels(moved: readonly string[]): readonly [string, ...string[]] | "none" | undefined {
  if (moved.includes("AWSCURRENT")) return undefined;
  const [first, ...others] = moved.filter((label) => label !== "AWSPENDING");
  return first === undefined ? "none" : [first, ...others];
}
