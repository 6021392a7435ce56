import type { Terminal } from "./terminal.ts";

/** Work that tells what it is at: `tell("12 of 340 Secrets")`. */
export type Tell = (text: string) => void;

const SHOWN_AFTER_MS = 1_000;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Shows on stderr what is being done, once it has taken more than a second, and takes that away at the end. */
export async function withProgress<T>(
  terminal: Terminal,
  what: string,
  work: (tell: Tell) => Promise<T>,
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
