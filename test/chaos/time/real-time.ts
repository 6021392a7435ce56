import { installSkewedDate } from "./skewed-date.ts";
import type { WorldTime } from "./world-time.ts";

/** The machine's time; only the clocks of the execution environments differ. */
export function realTime(): WorldTime {
  const now = Date.now;
  return {
    kind: "real",
    now,
    run: async (main) => {
      const restoreDate = installSkewedDate(now);
      return main().finally(restoreDate);
    },
    hold: (work) => work(),
  };
}
