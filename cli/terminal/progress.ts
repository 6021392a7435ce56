import type { Terminal } from "./terminal.ts";

/** Called with the current step: `report("12 of 340 Secrets")`. */
export type ReportProgress = (text: string) => void;

const SHOWN_AFTER_MS = 1_000;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Shows a spinner on stderr after one second, and clears it at the end. */
export async function withProgress<T>(
  terminal: Terminal,
  what: string,
  work: (report: ReportProgress) => Promise<T>,
): Promise<T> {
  if (!terminal.showsProgress) return work(() => {});
  let detail = "";
  let frame = 0;
  const show = () => {
    frame += 1;
    terminal.progress(`${FRAMES[frame % FRAMES.length]} ${what}${detail && `: ${detail}`}`);
  };
  let ticking: NodeJS.Timeout | undefined;
  const starting = setTimeout(() => {
    show();
    ticking = setInterval(show, 100);
  }, SHOWN_AFTER_MS);
  try {
    return await work((text) => {
      detail = text;
    });
  } finally {
    clearTimeout(starting);
    clearInterval(ticking);
    if (frame > 0) terminal.progress("");
  }
}
