/** The time of a run: the machine's, or virtual time that jumps from event to event. */
export type WorldTime = {
  readonly kind: "real" | "virtual";
  /** Without any environment's skew, ms since the epoch. */
  now(): number;
  /** Runs the world until `main` is done. */
  run<T>(main: () => Promise<T>): Promise<T>;
  /** Work that waits for the machine, such as reading a file: virtual time stops until it is done. */
  hold<T>(work: () => Promise<T>): Promise<T>;
};
