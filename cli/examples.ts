export type Line = readonly [command: string, purpose: string];

/** The end of a command's help. */
export function examples(...lines: readonly Line[]): string {
  return `\n${listCommands("Examples:", lines)}`;
}

/** One command per line, each with its purpose. */
export function listCommands(heading: string, lines: readonly Line[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return [heading, ...lines.map(([command, purpose]) => `  ${command.padEnd(width)}  ${purpose}`)].join("\n");
}
