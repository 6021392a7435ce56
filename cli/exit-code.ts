/** A contract with scripts. */
export const EXIT = {
  done: 0,
  /** An attempt failed, or a check found a problem. */
  failed: 1,
  /** The command line or a file is wrong: nothing was tried. */
  usage: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
