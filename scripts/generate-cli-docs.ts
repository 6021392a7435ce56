/**
 * Writes the `--help` of every command into docs/cli.md. A test fails when it is out of date.
 *
 *   node scripts/generate-cli-docs.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { type Cli, commandLine } from "../cli/cli.ts";
import { COMMANDS } from "../cli/commands.ts";
import { runCommandLine } from "../cli/run-command-line.ts";
import { replaceMarked } from "./replace-marked.ts";

const DOCS_FILE = new URL("../docs/cli.md", import.meta.url);

/** The document with its commands updated; the text outside of their markers is unchanged. */
export async function withCommands(document: string): Promise<string> {
  const sections = await Promise.all(commandPaths().map(sectionOf));
  return replaceMarked(document, "generate-cli-docs.ts", "commands", sections.join("\n\n"));
}

/** Every command without subcommands: `sync`, `events explain`. */
export function commandPaths(): string[][] {
  const program = new Command();
  for (const add of COMMANDS) add(program, commandLine(cliWithOutput(() => {})));
  const walk = (command: Command, path: string[]): string[][] => {
    const visible = command
      .createHelp()
      .visibleCommands(command)
      .filter((sub) => sub.name() !== "help");
    return visible.length === 0 ? [path] : visible.flatMap((sub) => walk(sub, [...path, sub.name()]));
  };
  return walk(program, []);
}

async function sectionOf(path: readonly string[]): Promise<string> {
  let help = "";
  await runCommandLine(
    [...path, "--help"],
    cliWithOutput((text) => {
      help += `${text}\n`;
    }),
  );
  return `### ${path.join(" ")}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\``;
}

function cliWithOutput(out: (text: string) => void): Cli {
  return {
    env: {},
    cwd: ".",
    now: () => 0,
    wait: async () => {},
    readStdin: async () => "",
    terminal: {
      out,
      say: () => {},
      paint: (_style, text) => text,
      paintMessage: (_style, text) => text,
      width: 100,
      showsProgress: false,
      progress: () => {},
      clear: () => {},
      canAsk: false,
    },
  };
}

if (import.meta.main) {
  const document = readFileSync(DOCS_FILE, "utf8");
  writeFileSync(DOCS_FILE, await withCommands(document));
}
