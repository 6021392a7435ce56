import { availableParallelism } from "node:os";

export type BackendName = "sandbox" | "real";

/** The options of the command line. Each bench reads the ones that it declares. */
export type BenchOptions = {
  readonly backend: BackendName;
  readonly counts: Readonly<Record<string, number>>;
};

export type BenchResult = Readonly<Record<string, string | number | object>>;

/** A wrong answer stops the bench with an error, however fast it was. */
export type Bench = {
  readonly summary: string;
  readonly hasBackend: boolean;
  /** Options that take a number, such as `samples`, with their meaning and default. */
  readonly counts: Readonly<Record<string, { readonly meaning: string; readonly fallback: number }>>;
  run(options: BenchOptions): Promise<BenchResult>;
};

/** Every result names the machine that it was measured on. */
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
