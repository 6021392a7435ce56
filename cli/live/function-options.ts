import { type Command, Option } from "commander";
import { UsageError } from "../errors.ts";

/** For a command that the deployed function can do as well. */
export type ViaLambdaOptions = {
  readonly viaLambda?: boolean;
  readonly stackName: string;
  readonly function?: string;
};

export function addStackOption(command: Command): Command {
  return command.addOption(
    new Option("--stack-name <name>", "the deployed stack").env("SECRET_RELAY_STACK").default("secret-relay"),
  );
}

export function addViaLambdaOptions(command: Command): Command {
  return addStackOption(
    command.addOption(
      new Option("--via-lambda", "have the deployed function do it, with its rights and its bindings"),
    ),
  ).addOption(
    new Option("--function <name>", "the function itself, where the stack cannot be looked at").implies({
      viaLambda: true,
    }),
  );
}

/** Seconds on the command line, as ms. */
export function parseTimeout(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 1 && seconds <= 3_600) return seconds * 1_000;
  throw new UsageError(`${text} is no number of seconds from 1 to 3600. Correct --timeout.`);
}
