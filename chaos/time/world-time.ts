/** The time that a run goes by: the machine's, or one of its own that jumps from event to event. */
export type WorldTime = {
  readonly kind: "real" | "virtual";
  /** Of nobody's skewed clock, ms since the epoch. */
  now(): number;
  /** Runs the world until `main` is done. */
  run<T>(main: () => Promise<T>): Promise<T>;
  /** Work that waits for the machine, such as reading a file: no time passes meanwhile. */
  hold<T>(work: () => Promise<T>): Promise<T>;
};
