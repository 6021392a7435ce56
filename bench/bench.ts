import { availableParallelism } from "node:os";

export type BackendName = "sandbox" | "real";

/** What the command line says; a bench reads the options that it has. */
export type BenchOptions = {
  readonly backend: BackendName;
  readonly counts: Readonly<Record<string, number>>;
};

export type BenchResult = Readonly<Record<string, string | number | object>>;

/** A number to measure. It stops with an error when the answer was wrong, however fast it came. */
export type Bench = {
  readonly summary: string;
  readonly hasBackend: boolean;
  /** Options that take a number, such as `samples`, with what they mean and are without being said. */
  readonly counts: Readonly<Record<string, { readonly means: string; readonly otherwise: number }>>;
  run(options: BenchOptions): Promise<BenchResult>;
};

/** A number without its machine is not a claim. */
export function machine() {
  return { cores: availableParallelism(), node: process.versions.node };
}

export function quantile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new RangeError("No samples");
  const sorted = samples.toSorted((one, other) => one - other);
  const at = Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1);
  return sorted[Math.max(0, at)] ?? Number.NaN;
}

export function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}
