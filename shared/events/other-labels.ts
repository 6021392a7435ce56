/**
 * The labels that moved, where AWSCURRENT is not among them and bindings may follow one of them; `none` when nobody can:
 * a version under AWSPENDING is not in force, and bindings can't state that label.
 */
export function otherLabels(moved: readonly string[]): readonly [string, ...string[]] | "none" | undefined {
  if (moved.includes("AWSCURRENT")) return undefined;
  const [first, ...others] = moved.filter((label) => label !== "AWSPENDING");
  return first === undefined ? "none" : [first, ...others];
}
