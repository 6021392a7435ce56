/** What users of kubectl and terraform type, and the command that does it here. */
export type Suggestion = { readonly words: readonly string[]; readonly note: string };

/**
 * The command that was probably meant by words with an unknown option or command. Undefined if there is none. Pure.
 *
 * @param unknown such as `-n` or `apply`
 */
export function suggestCommand(words: readonly string[], unknown: string): Suggestion | undefined {
  const [name] = unknown.split("=");
  if (name === undefined || name === "") return undefined;
  const command = COMMANDS[name];
  if (command !== undefined)
    return { words: [...command, ...words.slice(words.indexOf(name) + 1)], note: "" };
  const found = words.findIndex((word) => word === name || word.startsWith(`${name}=`));
  if (found === -1) return undefined;
  const isAttached = words[found] !== name;
  const next = isAttached ? words[found]?.slice(name.length + 1) : words[found + 1];
  const isFirst = found === 0;
  const takesNext = !isAttached && next !== undefined && !next.startsWith("-");
  const before = words.slice(0, found);
  const after = words.slice(found + 1);
  const afterValue = takesNext ? after.slice(1) : after;
  // Options stand after the command here, unlike in kubectl.
  if (isFirst && GLOBAL.has(name) && afterValue.length > 0 && next !== undefined) {
    return { words: [...afterValue, name, next], note: "Options stand after the command." };
  }
  switch (name) {
    case "-n":
    case "--namespace":
      return {
        words: inNamespace([...before, ...afterValue], next),
        note: "A Secret is named NAMESPACE/NAME.",
      };
    case "-A":
    case "--all-namespaces":
      return { words: [...before, ...after], note: "All namespaces of the bindings are included." };
    case "-o":
    case "--output":
      return { words: [...before, ...afterValue, "--json"], note: "" };
    case "--dry-run":
      return dryRun([...before, ...after]);
    case "-f":
    case "--filename":
      return next === undefined ? undefined : { words: withFile(before, next, afterValue), note: "" };
    case "-y":
    case "--yes":
    case "-auto-approve":
    case "--auto-approve":
      return { words: [...before, ...after], note: "It does not ask." };
    case "-v":
    case "--verbose":
      return {
        words: [...before, ...(isNumber(next) ? afterValue : after), "--json"],
        note: "It has no levels of detail.",
      };
    case "--version":
      return { words: ["--version"], note: "" };
    default:
      return undefined;
  }
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  apply: ["sync"],
  check: ["validate"],
  describe: ["status"],
  diff: ["plan"],
  get: ["status"],
  import: ["import-eso"],
  lint: ["validate"],
  ls: ["status"],
  refresh: ["trigger"],
};

const GLOBAL: ReadonlySet<string> = new Set([
  "--context",
  "--kubeconfig",
  "--profile",
  "--region",
  "--bindings",
  "-b",
]);

const isNumber = (word: string | undefined): boolean => word !== undefined && /^\d+$/.test(word);

/** The first word after the command is the name of the Secret. */
function inNamespace(words: readonly string[], namespace: string | undefined): readonly string[] {
  const [command = "", name, ...rest] = words;
  const isName = name !== undefined && !name.startsWith("-") && !name.includes("/");
  return isName && namespace !== undefined ? [command, `${namespace}/${name}`, ...rest] : words;
}

function dryRun([command = "", ...rest]: readonly string[]): Suggestion | undefined {
  if (command === "sweep") return { words: [command, "--plan", ...rest], note: "" };
  if (command === "claim") return { words: [command, ...rest], note: "It changes nothing without --yes." };
  const withoutAll = rest.filter((word) => word !== "--all");
  return command === "sync" ? { words: ["plan", ...withoutAll], note: "" } : undefined;
}

function withFile(before: readonly string[], file: string, after: readonly string[]): readonly string[] {
  return before[0] === "validate" ? [...before, file, ...after] : [...before, "--bindings", file, ...after];
}
