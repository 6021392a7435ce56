/** As editors count: lines and columns from one. */
export function positionOf(text: string, at: number): string {
  const lines = text.slice(0, at).split(/\r\n|\r|\n/);
  return `line ${lines.length}, column ${[...(lines.at(-1) ?? "")].length + 1}`;
}
