import { Context, Liquid, type Template, toValueSync } from "liquidjs";
import { checkOutputs, type OutputFault } from "./check-outputs.ts";
import { FilterRefused } from "./filter-refused.ts";
import { type JsonTree, type JsonTreeObject, plainTextOf } from "./json-tree.ts";
import { runBounded, TookTooLong } from "./run-bounded.ts";
import { TEMPLATE_FILTERS } from "./template-filters.ts";

export type TemplateFault = { readonly message: string; readonly line?: number; readonly column?: number };

/** `reason` quotes nothing of the source. */
export type TemplateResult =
  | { readonly kind: "made"; readonly text: string }
  /** The template uses a missing variable; `name` is quoted from the template. */
  | { readonly kind: "missing"; readonly name: string; readonly line: number }
  | { readonly kind: "failed"; readonly reason: string; readonly line?: number };

/** The problem of a template without a source, or undefined. Line and column are those in the template. */
export function checkTemplate(template: string): TemplateFault | undefined {
  try {
    runBounded(() => parse(template));
    return undefined;
  } catch (error) {
    return faultOf(error);
  }
}

/** The variables of a valid template that are neither its own nor one of these, each at its first place. */
export function unknownVariables(template: string, names: ReadonlySet<string>): TemplateVariable[] {
  const { globals } = engine.parseAndAnalyzeSync(template, undefined, { partials: false });
  return Object.entries(globals)
    .filter(([name]) => !names.has(name))
    .map(([name, [first]]) => ({ name, line: first?.location.row ?? 1, column: first?.location.col ?? 1 }));
}

export type TemplateVariable = { readonly name: string; readonly line: number; readonly column: number };

/** Renders a template with the members of an object as its variables, without files or a clock, bounded in time and size. */
export function renderTemplate(template: string, variables: JsonTreeObject): TemplateResult {
  const output = new BoundedOutput();
  try {
    runBounded(() => {
      const parsed = parse(template);
      const context = contextOf(variables);
      toValueSync(engine.renderer.renderTemplates(parsed, context, output));
    });
    return { kind: "made", text: output.buffer };
  } catch (error) {
    return resultOf(template, error);
  }
}

const ENGINE_OPTIONS = {
  strictFilters: true,
  strictVariables: true,
  ownPropertyOnly: true,
  dynamicPartials: false,
  templates: {},
  globals: Object.freeze(Object.create(null)) as object,
  timezoneOffset: 0,
  locale: "en-US",
  parseLimit: 64 * 1024,
  memoryLimit: 8 * 1024 * 1024,
  renderLimit: 450,
  outputEscape: (value: unknown) => plainTextOf((value ?? null) as JsonTree),
};

/**
 * An allow list of tags and filters. Excluded are tags that read files, that grow strings without being counted
 * (capture), that depend on time or chance (now, sample), or that evaluate strings as code.
 */
function createEngine(): Liquid {
  const liquid = new Liquid(ENGINE_OPTIONS);
  const { date } = liquid.filters;
  for (const tag of Object.keys(liquid.tags)) if (!TAGS.has(tag)) delete liquid.tags[tag];
  for (const filter of Object.keys(liquid.filters)) if (!FILTERS.has(filter)) delete liquid.filters[filter];
  for (const [name, filter] of Object.entries(TEMPLATE_FILTERS)) {
    liquid.registerFilter(name, function charged(value: unknown, ...rest: unknown[]) {
      const made = filter(value, ...rest);
      const size = Array.isArray(made) ? made.join("").length : String(made).length;
      this.context.memoryLimit.use(size);
      return made;
    });
  }
  liquid.registerFilter("date", function fixedDate(value: unknown, ...rest: unknown[]) {
    const text = plainTextOf((value ?? null) as JsonTree);
    const isMoment = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(
      text,
    );
    if (!isMoment && !/^-?\d{1,12}$/.test(text)) {
      throw new FilterRefused("date takes ISO 8601, such as 2026-11-20T09:15:42Z, or seconds since 1970");
    }
    if (Number.isNaN(isMoment ? Date.parse(text) : Number(text))) {
      throw new FilterRefused("date got a day that does not exist");
    }
    if (typeof date !== "function") throw new TypeError("LiquidJS has lost its filter date");
    // Without a zone the time is UTC.
    const hasZone = !isMoment || /(Z|[+-]\d{2}:?\d{2})$/.test(text) || text.length === "2026-11-20".length;
    return date.call(this, hasZone ? text : `${text}Z`, ...rest);
  });
  return liquid;
}

const TAGS: ReadonlySet<string> = new Set(
  "assign break case comment continue echo for if raw unless #".split(" "),
);

const FILTERS: ReadonlySet<string> = new Set(
  (
    "abs append at_least at_most capitalize ceil compact concat default divided_by downcase first floor join last " +
    "lstrip map minus modulo plus prepend remove remove_first replace replace_first reverse round rstrip size slice " +
    "sort split strip strip_newlines sum times truncate uniq upcase"
  ).split(" "),
);

const engine = createEngine();

/** Conditions may use a missing variable. LiquidJS reads this option of the engine for `assign`, which may not. */
const CONTEXT_OPTIONS = { ...engine.options, lenientIf: true };

/** For the documentation and its test. */
export const TEMPLATE_WORDS = {
  tags: Object.keys(engine.tags).sort(),
  filters: Object.keys(engine.filters).sort(),
};

/** A Secret holds at most 1 MiB. */
const OUTPUT_MAX = 1024 * 1024;

class OutputTooLarge extends Error {
  override readonly name = "OutputTooLarge";
}

class BoundedOutput {
  buffer = "";
  write(text: unknown): void {
    this.buffer += typeof text === "string" ? text : plainTextOf((text ?? null) as JsonTree);
    if (this.buffer.length > OUTPUT_MAX) throw new OutputTooLarge();
  }
}

const PARSED_MAX = 1_000;
const parsedTemplates = new Map<string, Template[]>();

/** Caches the templates, which come from the bindings and are few. */
function parse(template: string): Template[] {
  const known = parsedTemplates.get(template);
  if (known !== undefined) return known;
  if (nestingOf(template) > NESTING_MAX) throw new FilterRefused(`It nests more than ${NESTING_MAX} blocks`);
  const fault = template.length <= ENGINE_OPTIONS.parseLimit ? checkOutputs(template) : undefined;
  if (fault !== undefined) throw new OutputRefused(fault);
  const parsed = engine.parse(template);
  if (parsedTemplates.size >= PARSED_MAX) parsedTemplates.clear();
  parsedTemplates.set(template, parsed);
  return parsed;
}

class OutputRefused extends Error {
  override readonly name = "OutputRefused";
  readonly fault: OutputFault;
  constructor(fault: OutputFault) {
    super(fault.message);
    this.fault = fault;
  }
}

const NESTING_MAX = 50;

function nestingOf(template: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [, end] of template.matchAll(/\{%-?\s*(end)?(?:if|unless|case|for|comment|raw)\b/g)) {
    depth += end === undefined ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

function contextOf(variables: JsonTreeObject): Context {
  return new Context(variables, CONTEXT_OPTIONS, { sync: true }, { liquid: engine });
}

/** LiquidJS's own messages quote the template and sometimes a value, so none is passed on. */
function resultOf(template: string, error: unknown): TemplateResult {
  if (error instanceof TookTooLong) return { kind: "failed", reason: `was stopped after ${error.msMax} ms` };
  if (error instanceof OutputRefused) {
    return { kind: "failed", reason: "has an output of more than one value", line: error.fault.line };
  }
  const line = lineOf(error);
  const at = line === undefined ? {} : { line };
  const origin = originOf(error);
  const missing = (origin as { variableName?: unknown }).variableName;
  if (typeof missing === "string") {
    return { kind: "missing", name: nameFrom(template, missing, error), line: line ?? 1 };
  }
  if (origin instanceof FilterRefused) return { kind: "failed", reason: `fails: ${origin.message}`, ...at };
  if (origin instanceof OutputTooLarge) {
    return { kind: "failed", reason: `makes more than ${OUTPUT_MAX} characters`, ...at };
  }
  const message = origin instanceof Error ? origin.message : "";
  if (message === "template render limit exceeded") {
    return { kind: "failed", reason: `was stopped after ${ENGINE_OPTIONS.renderLimit} ms`, ...at };
  }
  if (message === "memory alloc limit exceeded" || origin instanceof RangeError) {
    return { kind: "failed", reason: "needs too much memory", ...at };
  }
  return { kind: "failed", reason: "cannot be rendered with the values of the source", ...at };
}

/** A part of the name may be a value, as in `users[password]`, so it is shown only as spelled in the template. */
function nameFrom(template: string, missing: string, error: unknown): string {
  if (template.includes(missing)) return missing;
  const { token } = error as { token?: { input?: string; begin?: number; end?: number } };
  return token?.input === template ? template.slice(token.begin, token.end) : "a variable";
}

function faultOf(error: unknown): TemplateFault {
  if (error instanceof OutputRefused) return error.fault;
  if (error instanceof TookTooLong) return { message: "This template takes too long to parse" };
  const line = lineOf(error);
  const at = line === undefined ? {} : { line };
  const origin = originOf(error);
  if (origin instanceof FilterRefused) return { message: origin.message };
  const message = origin instanceof Error ? origin.message : "";
  const filter = /^undefined filter: (\w+)/.exec(message)?.[1];
  if (filter !== undefined) return { message: `The filter ${filter} does not exist`, ...at };
  const tag = /^tag "([^"]*)" not found/.exec(message)?.[1];
  if (tag !== undefined) return { message: `The tag ${tag} does not exist`, ...at };
  if (message === "parse length limit exceeded") {
    return { message: `A template may have at most ${ENGINE_OPTIONS.parseLimit} characters` };
  }
  // Only the template has been read so far, so the library's message can be shown.
  const detail = message.split("\n")[0]?.replace(/, file:.*$|, line:.*$/, "") ?? "";
  return { message: `The template is not valid${detail === "" ? "" : `: ${detail}`}`, ...at };
}

function originOf(error: unknown): object {
  let origin = error as { originalError?: unknown } | undefined;
  while (typeof origin?.originalError === "object" && origin.originalError !== null) {
    origin = origin.originalError;
  }
  return origin ?? {};
}

function lineOf(error: unknown): number | undefined {
  const { token } = error as { token?: { getPosition?: () => number[] } };
  return token?.getPosition?.()[0];
}
