/** A table in Markdown, without padding. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `|${cells.map((cell) => cell.replaceAll("|", "\\|")).join("|")}|`)
    .join("\n");
}

export const code = (text: string): string => `\`${text}\``;

/** The first sentence of a description. Its source has the rest. */
export const firstSentence = (text: string): string => /^.*?\.(?=\s|$)/s.exec(text)?.[0] ?? text;
