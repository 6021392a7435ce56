import { RelayError } from "../relay-error.ts";

/** Thrown during init; lists all problems at once. */
export class ConfigurationError extends RelayError {
  override readonly name = "ConfigurationError";
  readonly code = "CONFIGURATION_INVALID";
  readonly retryable = false;
  constructor(problems: readonly string[]) {
    super(
      `Invalid environment variables (${problems.length}): ${problems.join("; ")}. Correct them and deploy again.`,
    );
  }
}

export type EnvironmentReader = {
  text(name: string, otherwise: string): string;
  requiredText(name: string): string;
  integer(name: string, limits: { min: number; max: number; otherwise: number }): number;
  flag(name: string): boolean;
  /** Throws a ConfigurationError if any setting read so far is wrong. */
  check(): void;
};

/** Reads settings from environment variables, and collects problems instead of stopping at the first. */
export function environmentReader(env: NodeJS.ProcessEnv): EnvironmentReader {
  const problems: string[] = [];
  return {
    text: (name, otherwise) => env[name] || otherwise,
    requiredText: (name) => {
      const text = env[name];
      if (!text) problems.push(`${name} is missing`);
      return text ?? "";
    },
    integer: (name, { min, max, otherwise }) => {
      const text = env[name];
      if (text === undefined || text === "") return otherwise;
      const value = Number(text);
      if (Number.isInteger(value) && value >= min && value <= max) return value;
      problems.push(`${name} must be an integer between ${min} and ${max}`);
      return otherwise;
    },
    flag: (name) => {
      const text = (env[name] ?? "").toLowerCase();
      if (!["", "true", "false"].includes(text)) problems.push(`${name} must be true or false`);
      return text === "true";
    },
    check: () => {
      if (problems.length > 0) throw new ConfigurationError(problems);
    },
  };
}
