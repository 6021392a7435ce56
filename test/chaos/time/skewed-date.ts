import { installDate } from "../../harness/install-date.ts";
import { currentEnvironment } from "../transport/environment.ts";

/**
 * Replaces the process's Date so that each execution environment reads its own skewed clock, until the returned
 * function is called.
 */
export const installSkewedDate = (now: () => number): (() => void) =>
  installDate(() => Math.floor(now() + (currentEnvironment()?.skewMs ?? 0)));
