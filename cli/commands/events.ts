import { parseSecretHome } from "../../shared/secret-id/parse-secret-home.ts";
import type { SecretHome } from "../../shared/secret-id/secret-id.ts";
import { bindingsOption, loadBindingsFile, readInputFile } from "../bindings-file.ts";
import type { AddCommand } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT } from "../exit-code.ts";
import { explainEvents } from "../explain/explain-event.ts";
import { printExplanation } from "../explain/print-explanation.ts";

type Options = {
  readonly bindings: string;
  readonly account?: string;
  readonly region?: string;
  readonly json?: boolean;
};

export const addEvents: AddCommand = (program, cli) => {
  program
    .command("events")
    .summary("say what the relay would do with an event")
    .description("Everything about the events that the relay takes.")
    .command("explain")
    .summary("say what the relay would do with an event, and why")
    .description(
      "Reads an event, a direct call, a queue message or a record of a failure queue, and says what the relay would do with it. Nothing is asked of AWS or a cluster. Ends with 1 when the relay would reject it.",
    )
    .argument("<file>", "the event as JSON; - for stdin")
    .addOption(bindingsOption())
    .option("--account <id>", "the account of the relay; the event's own when absent")
    .option("--region <region>", "the Region of the relay; the event's own when absent")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      examples(
        ["secret-relay events explain events/label-updated.json", "a sample"],
        ["pbpaste | secret-relay events explain -", "what you copied from a log or a queue"],
      ),
    )
    .action(
      cli.runs(async (file: string, options: Options) => {
        const { terminal } = cli;
        const bindings = await loadBindingsFile(cli, options.bindings);
        const input = parseJson(await readInputFile(cli, file), file);
        const events = explainEvents(input, bindings, cli.now(), homeOfRelay(options));
        const isRejected = events.some(({ verdict }) => verdict === "rejected");
        if (options.json === true) terminal.out(JSON.stringify({ ok: !isRejected, events }));
        else terminal.out(events.map((event) => printExplanation(terminal, event)).join("\n"));
        return isRejected ? EXIT.failed : EXIT.done;
      }),
    );
};

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(
      `${file === "-" ? "What came on stdin" : file} is no JSON. Give one event, as JSON.`,
    );
  }
}

function homeOfRelay({ account, region }: Options): SecretHome | undefined {
  if (account === undefined && region === undefined) return undefined;
  const home = parseSecretHome(account ?? "", region ?? "");
  if (home !== undefined) return home;
  throw new UsageError("--account takes twelve digits and --region an AWS Region; give both, or neither.");
}
