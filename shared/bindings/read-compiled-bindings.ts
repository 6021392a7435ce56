import { readFile } from "node:fs/promises";
import { RelayError } from "../relay-error.ts";
import type { CompiledBindings } from "./binding.ts";
import { isBinding, isCluster } from "./compiled-fields.ts";

/**
 * Reads BINDINGS_FILE: compiled JSON, or YAML. The YAML parser and the validator are loaded only when needed, so that a
 * deployed function does not pay for them.
 */
export async function readCompiledBindings(file: string): Promise<CompiledBindings> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    throw new BindingsUnreadable(file, "cannot be read", "Check BINDINGS_FILE");
  }
  if (/\.ya?ml$/i.test(file)) {
    const { loadBindings } = await import("./load-bindings.ts");
    return loadBindings(text, file);
  }
  return parseCompiledBindings(text, file);
}

/** The file with the compiled bindings is missing, damaged, or from another version. */
export class BindingsUnreadable extends RelayError {
  override readonly name = "BindingsUnreadable";
  readonly code = "BINDINGS_UNREADABLE";
  readonly retryable = false;

  constructor(file: string, problem: string, fix: string) {
    super(`${file} ${problem}. ${fix}.`);
  }
}

const REPLACE = "Use the YAML file, or what `secret-relay bindings show` prints";

/** Checks only for a damaged or foreign file, because the bindings were validated when they were compiled. */
export function parseCompiledBindings(text: string, file: string): CompiledBindings {
  let compiled: unknown;
  try {
    compiled = JSON.parse(text);
  } catch {
    throw new BindingsUnreadable(file, "is not JSON", REPLACE);
  }
  if (!isMap(compiled) || compiled.version !== 1) {
    throw new BindingsUnreadable(file, "is not a file of compiled bindings of version 1", REPLACE);
  }
  const { relay, clusters, bindings } = compiled;
  if (
    typeof relay !== "string" ||
    !isMap(clusters) ||
    !Object.values(clusters).every(isCluster) ||
    !Array.isArray(bindings) ||
    !bindings.every((binding) => isBinding(binding, clusters))
  ) {
    throw new BindingsUnreadable(file, "is damaged", REPLACE);
  }
  return compiled as CompiledBindings;
}

type AnyMap = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is AnyMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);
