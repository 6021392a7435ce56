/** What a script learns from the command; a contract. */
export const EXIT = {
  done: 0,
  /** Something was tried and did not succeed, or was looked for and is not as it should be. */
  failed: 1,
  /** The command line or a file is wrong: nothing was tried. */
  usage: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
