import { installDate } from "./skewed-date.ts";
import type { WorldTime } from "./world-time.ts";

/** The machine's own time; only the execution environments' clocks are set apart. */
export function realTime(): WorldTime {
  const now = Date.now;
  return {
    kind: "real",
    now,
    run: async (main) => {
      const restoreDate = installDate(now);
      return main().finally(restoreDate);
    },
    hold: (work) => work(),
  };
}
