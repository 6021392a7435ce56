import { Command } from "commander";
import { type Cli, commandLine } from "../../cli/cli.ts";
import { COMMANDS } from "../../cli/commands.ts";
import { code, tableOf } from "./markdown.ts";

/** Every command that can run, with its one-line summary. */
export function commandTable(): string {
  return tableOf(
    ["command", "what it does"],
    commands().map(({ path, summary }) => [code(path.join(" ")), summary]),
  );
}

/** `sync`, `events explain`: every command without subcommands. */
export function commands(): { path: readonly string[]; summary: string }[] {
  const program = new Command();
  for (const add of COMMANDS) add(program, commandLine({} as Cli)); // only an action uses it
  const walk = (command: Command, path: readonly string[]): ReturnType<typeof commands> => {
    const visible = command
      .createHelp()
      .visibleCommands(command)
      .filter((sub) => sub.name() !== "help");
    if (visible.length === 0) return [{ path, summary: command.summary() }];
    return visible.flatMap((sub) => walk(sub, [...path, sub.name()]));
  };
  return walk(program, []);
}
