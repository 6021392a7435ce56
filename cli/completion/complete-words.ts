import type { Argument, Command, Option } from "commander";

/** Possible words at the cursor. */
export type Suggestions = {
  readonly candidates: readonly Candidate[];
  /** The shell completes file names when no candidate fits. */
  readonly takesFile: boolean;
};

export type Candidate = { readonly value: string; readonly what: string };

/** Names from the bindings file, read only when they are possible at the cursor. */
export type KnownNames = (kind: "cluster" | "bound") => Promise<readonly string[]>;

/**
 * Completes the last of the words after the program's name. Commands and options come from commander. The adapter of
 * @bomb.sh/tab (0.0.22) cannot await names from the bindings, complete `--flag=value`, or leave file names to the shell.
 */
export async function completeWords(
  program: Command,
  words: readonly string[],
  known: KnownNames,
): Promise<Suggestions> {
  const last = words.at(-1) ?? "";
  const { command, option, argument } = walk(program, words.slice(0, -1));
  if (option !== undefined) return valuesOf(option, "", last, known);
  const [, flag, begun] = /^(--[^=]+)=(.*)$/.exec(last) ?? [];
  if (flag !== undefined) {
    const named = findOption(command, flag);
    return named === undefined ? NOTHING : valuesOf(named, `${flag}=`, begun ?? "", known);
  }
  if (last.startsWith("-")) {
    const options = command.createHelp().visibleOptions(command);
    return matching(
      options.map(({ long, short, description }) => ({ value: long ?? short ?? "", what: description })),
      last,
    );
  }
  const commands = command.createHelp().visibleCommands(command);
  const named = matching(
    commands.map((sub) => ({ value: sub.name(), what: sub.summary() || sub.description() })),
    last,
  );
  if (argument === undefined) return named;
  const values = await valuesOf(argument, "", last, known);
  return { candidates: [...named.candidates, ...values.candidates], takesFile: values.takesFile };
}

type Place = {
  readonly command: Command;
  /** The option whose value comes next. */
  readonly option?: Option;
  readonly argument?: Argument;
};

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let positionals = 0;
  let option: Option | undefined;
  for (const word of words) {
    if (option !== undefined) {
      option = undefined;
      continue;
    }
    const sub = command.commands.find((one) => one.name() === word);
    if (word.startsWith("-") && word !== "-") {
      const found = findOption(command, word);
      option = found?.required === true ? found : undefined;
    } else if (sub !== undefined) {
      command = sub;
      positionals = 0;
    } else positionals += 1;
  }
  if (option !== undefined) return { command, option };
  const declared = command.registeredArguments;
  const last = declared.at(-1);
  const argument = declared[positionals] ?? (last?.variadic === true ? last : undefined);
  return { command, ...(argument !== undefined && { argument }) };
}

const findOption = (command: Command, flag: string): Option | undefined =>
  command.options.find(({ long, short }) => long === flag || short === flag);

async function valuesOf(
  of: Option | Argument,
  prefix: string,
  begun: string,
  known: KnownNames,
): Promise<Suggestions> {
  const name = "attributeName" in of ? of.attributeName() : of.name();
  const kind = KINDS[name];
  const values = of.argChoices ?? (kind === undefined ? [] : await known(kind));
  const { candidates } = matching(
    values.map((value) => ({ value, what: "" })),
    begun,
  );
  return {
    candidates: candidates.map(({ value, what }) => ({ value: prefix + value, what })),
    takesFile: of.argChoices === undefined && FILES.has(name),
  };
}

const KINDS: Readonly<Record<string, "cluster" | "bound">> = { cluster: "cluster", what: "bound" };
const FILES: ReadonlySet<string> = new Set(["file", "bindings", "kubeconfig", "output", "report"]);
const NOTHING: Suggestions = { candidates: [], takesFile: false };

function matching(candidates: readonly Candidate[], begun: string): Suggestions {
  return { candidates: candidates.filter(({ value }) => value.startsWith(begun)), takesFile: false };
}
