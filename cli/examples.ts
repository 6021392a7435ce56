type Line = readonly [command: string, what: string];

/** The end of a command's help: what one would type, and why. */
export function examples(...lines: readonly Line[]): string {
  return `\n${listCommands("Examples:", lines)}`;
}

/** Commands one below the other, and beside each what it is for. */
export function listCommands(heading: string, lines: readonly Line[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return [heading, ...lines.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`)].join("\n");
}
