import { Unsupported } from "./scan-template.ts";
import { filtered, filteredByLiquid, literalOf, type Texts, text, type Value } from "./texts.ts";

/** The equivalent of a call of a function of Go or Sprig. Throws an Unsupported. */
export function callFunction(name: string, args: readonly Value[]): Value {
  const call = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (call === undefined) throw new Unsupported(`it uses ${name}. ${adviceFor(name)}`);
  return call(new Arguments(name, args));
}

/** The arguments of a call; it is unsupported with others. */
class Arguments {
  readonly all: readonly Value[];
  readonly #name: string;

  constructor(name: string, all: readonly Value[]) {
    this.#name = name;
    this.all = all;
  }

  count(count: number): this {
    return this.all.length === count ? this : this.refuse(`with ${this.all.length} arguments`);
  }

  text(index: number): Texts {
    const value = this.all[index];
    return value?.kind === "text" ? value.texts : this.refuse("with something other than a text");
  }

  /** The text of a value that Sprig's strval takes. */
  printed(index: number): Texts {
    const value = this.all[index];
    if (value?.kind === "text" || value?.kind === "loose") return value.texts;
    return value?.kind === "integer" ? [String(value.value)] : this.refuse("with a list");
  }

  literal(index: number): string {
    return literalOf(this.text(index)) ?? this.refuse("with a variable in place of a fixed text");
  }

  integer(index: number): number {
    const value = this.all[index];
    return value?.kind === "integer" ? value.value : this.refuse("without a number");
  }

  refuse(how: string): never {
    throw new Unsupported(`it uses ${this.#name} ${how}. Write the key by hand`);
  }
}

type Call = (args: Arguments) => Value;

const byFilter =
  (filter: string): Call =>
  (args) =>
    text(...filtered(args.count(1).text(0), filter));

const FUNCTIONS: Readonly<Record<string, Call>> = {
  b64dec: byFilter("base64_decode"),
  b64enc: byFilter("base64_encode"),
  cat: (args) =>
    text(
      ...joined(
        args.all.map((_, index) => args.printed(index)),
        [" "],
      ),
    ),
  default: (args) => defaultOf(args.count(2), 1, 0),
  first: (args) => partOf(args.count(1), 0),
  indent: (args) => text(...indented(args.count(2))),
  index: (args) => partOf(args.count(2), args.integer(1)),
  join: (args) => joinOf(args.count(2)),
  last: (args) => partOf(args.count(1), -1),
  list: (args) => ({ kind: "items", items: args.all.map((_, index) => args.text(index)) }),
  lower: byFilter("go_lower"),
  nindent: (args) => text("\n", ...indented(args.count(2))),
  or: (args) => defaultOf(args.count(2), 0, 1),
  print: (args) => text(...args.all.flatMap((_, index) => args.text(index))),
  printf: (args) => text(...formatted(args)),
  quote: (args) => text(...filtered(args.count(1).printed(0), "go_quote")),
  replace: (args) => text(...replaced(args.count(3).text(2), args.literal(0), args.text(1), args)),
  split: (args) => ({ kind: "map", of: args.count(2).text(1), separator: separatorOf(args) }),
  splitList: (args) => ({ kind: "list", of: args.count(2).text(1), separator: separatorOf(args) }),
  squote: (args) => text("'", ...args.count(1).printed(0), "'"),
  toJson: byFilter("go_json"),
  toString: (args: Arguments) => text(...args.count(1).printed(0)),
  trim: byFilter("go_trim"),
  trimPrefix: (args) => text(...filtered(args.count(2).text(1), "trim_prefix", args.text(0))),
  trimSuffix: (args) => text(...filtered(args.count(2).text(1), "trim_suffix", args.text(0))),
  upper: byFilter("go_upper"),
  urlquery: (args) => text(...queryEscaped(args.count(1).text(0))),
};

/** The functions that are converted, for the documentation and its test. */
export const CONVERTED_FUNCTIONS: readonly string[] = Object.keys(FUNCTIONS);

const queryEscaped = (texts: Texts): Texts =>
  filteredByLiquid(filtered(texts, "url_encode"), "replace", ["%20"], ["+"]);

const SPACES_MAX = 1_000;

function indented(args: Arguments): Texts {
  const spaces = args.integer(0);
  if (spaces < 0 || spaces > SPACES_MAX) args.refuse(`with ${spaces} spaces`);
  return filtered(args.text(1), "indent", spaces);
}

/** Go's `or` and Sprig's `default` agree on texts: an empty one counts as missing. */
function defaultOf(args: Arguments, value: number, fallback: number): Value {
  const texts = filteredByLiquid(args.text(value), "default", args.printed(fallback));
  return { kind: args.all[fallback]?.kind === "text" ? "text" : "loose", texts };
}

function replaced(of: Texts, old: string, by: Texts, args: Arguments): Texts {
  return old === "" ? args.refuse("with an empty text") : filteredByLiquid(of, "replace", [old], by);
}

function separatorOf(args: Arguments): string {
  const separator = args.literal(0);
  return separator === "" ? args.refuse("with an empty separator") : separator;
}

function joinOf(args: Arguments): Value {
  const list = args.all[1];
  if (list?.kind === "items") return text(...joined(list.items, args.text(0)));
  if (list?.kind === "list") return text(...replaced(list.of, list.separator, args.text(0), args));
  return args.refuse("on something other than splitList or list");
}

const joined = (all: readonly Texts[], separator: Texts): Texts =>
  all.flatMap((each, index) => (index === 0 ? each : [...separator, ...each]));

function partOf(args: Arguments, index: number): Value {
  const list = args.all[0];
  const item = list?.kind === "items" ? list.items.at(index) : undefined;
  if (item !== undefined) return text(...item);
  if (list?.kind !== "list") return args.refuse("on something other than splitList or list");
  return text(...filtered(list.of, "split_part", [list.separator], index));
}

/** A part by its name, such as _0: the parts of `split`. */
export function memberOf(of: Value, name: string): Value {
  const index = /^_(0|[1-9]\d{0,5})$/.exec(name)?.[1];
  if (of.kind !== "map" || index === undefined) {
    throw new Unsupported(`it reads ${name} inside a value. Name it as a property in data`);
  }
  return text(...filtered(of.of, "split_part", [of.separator], Number(index)));
}

function formatted(args: Arguments): Texts {
  let next = 1;
  const texts = args
    .literal(0)
    .split(/(%[^a-zA-Z%]*[a-zA-Z%]?)/)
    .flatMap((part): Texts => {
      if (!part.startsWith("%")) return [part];
      if (part === "%%") return ["%"];
      return formattedArgument(args, part, next++);
    });
  return next === args.all.length ? texts : args.refuse("with a wrong number of arguments");
}

function formattedArgument(args: Arguments, verb: string, index: number): Texts {
  if (verb === "%s") return args.text(index);
  if (verb === "%v") return args.printed(index);
  if (verb === "%q") return filtered(args.text(index), "go_quote");
  if (verb === "%d") return [String(args.integer(index))];
  return args.refuse(`with ${verb}`);
}

function adviceFor(name: string): string {
  if (
    /^(rand|gen|uuid|now$|date|htpasswd$|bcrypt$|ago$|derivePassword$|buildCustomCert$|encryptAES$|shuffle$)/.test(
      name,
    )
  ) {
    return "The relay makes the same Secret of the same source: store the result in the source";
  }
  if (/pkcs12|^jwk|^rsaDecrypt$|^decryptAES$/i.test(name)) {
    return "The relay does not make this format: store the result in the source";
  }
  if (/^filter(PEM|CertChain)$/.test(name)) {
    return "Write the key by hand with pem_certificates, pem_key, pem_leaf or pem_chain";
  }
  if (/^(must)?(from|to)(Json|Yaml|PrettyJson|RawJson)$/i.test(name)) {
    return "Name the members as properties in data, or write the key by hand with json";
  }
  return "Write the key by hand with the filters of docs/bindings.md";
}
