import type { Command } from "commander";
import { examples, type Line } from "./examples.ts";

export type CommandHelp = {
  /** One line that begins with a verb; the list of commands shows it. */
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly Line[];
  /** The paragraph after the examples, such as when the command ends with 1. */
  readonly note?: string;
};

/** Adds a command with its help. The caller adds arguments, options and the action. */
export function defineCommand(parent: Command, name: string, help: CommandHelp): Command {
  const { summary, description, note } = help;
  const command = parent.command(name).summary(summary).description(description);
  command.addHelpText("after", examples(...help.examples));
  if (note === undefined) return command;
  // Commander does not wrap additional help.
  return command.addHelpText("after", () => {
    const helper = command.createHelp();
    return `\n${helper.boxWrap(note, helper.helpWidth ?? 80)}`;
  });
}
