import type { TimeBudget } from "../../shared/runtime/time-budget.ts";

/** The same dependencies with some of them replaced, once for each generation of the rules. */
export function overrideDependencies<D extends object>(
  open: (budget: TimeBudget) => Promise<D>,
  override: (real: D) => Partial<D> = () => ({}),
): (budget: TimeBudget) => Promise<D> {
  const known = new WeakMap<D, D>();
  return async (budget) => {
    const real = await open(budget);
    const replaced = known.get(real) ?? { ...real, ...override(real) };
    known.set(real, replaced);
    return replaced;
  };
}
