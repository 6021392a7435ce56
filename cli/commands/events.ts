import { parseAwsLocation } from "../../shared/source/parse-aws-location.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import { bindingsOption, loadBindingsFile } from "../bindings-file.ts";
import { type AddCommand, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import { explainEvents } from "../explain/explain-event.ts";
import { printExplanation } from "../explain/print-explanation.ts";
import { readInputFile } from "../files.ts";

type Options = {
  readonly bindings: string;
  readonly account?: string;
  readonly region?: string;
  readonly json?: boolean;
};

export const addEvents: AddCommand = (program, cli) => {
  const events = program
    .command("events")
    .summary("explain what the relay does with an event")
    .description("Commands for the events that the relay receives.");
  defineCommand(events, "explain", {
    summary: "show what the relay would do with an event, and why",
    description:
      "Reads an event, a direct call, a queue message or a record of a failure queue, and shows what the relay would do with it. It does not call AWS or a cluster.",
    examples: [
      ["secret-relay events explain events/label-updated.json", "a sample event"],
      ["pbpaste | secret-relay events explain -", "an event that you copied from a log or a queue"],
    ],
    note: "Ends with 1 if the relay would reject the event.",
  })
    .argument("<file>", "the event as JSON; - for stdin")
    .addOption(bindingsOption())
    .option("--account <id>", "the account of the relay (default: the event's account)")
    .option("--region <region>", "the Region of the relay (default: the event's Region)")
    .option("--json", "print the result as one JSON object")
    .action(
      cli.runs(async (file: string, options: Options) => {
        const { terminal } = cli;
        const bindings = await loadBindingsFile(cli, options.bindings);
        const input = parseJson(await readInputFile(cli, file), file);
        const events = explainEvents(input, bindings, cli.now(), relayLocation(options));
        const ok = events.every(({ verdict }) => verdict !== "rejected");
        return finish(cli, options, { ok, events }, () =>
          terminal.out(events.map((event) => printExplanation(terminal, event)).join("\n")),
        );
      }),
    );
};

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${file === "-" ? "stdin" : file} is not valid JSON. Pass one event as JSON.`);
  }
}

function relayLocation({ account, region }: Options): AwsLocation | undefined {
  if (account === undefined && region === undefined) return undefined;
  const location = parseAwsLocation(account ?? "", region ?? "");
  if (location !== undefined) return location;
  throw new UsageError("--account (twelve digits) and --region must be used together.");
}
