import { Option } from "commander";
import { bindingsOption, loadBindingsFile } from "../bindings-file.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { printExplanation } from "../explain/print-explanation.ts";
import { addStackOption } from "../live/function-options.ts";
import { addAwsOptions, type LiveOptions } from "../live/options.ts";
import { FAILURE_QUEUES, type FailureQueue } from "../redrive/failure-queues.ts";
import type { RedrivenMessage } from "../redrive/redrive-queue.ts";
import { withProgress } from "../terminal/progress.ts";

type Options = LiveOptions & {
  readonly stackName: string;
  readonly queue?: string;
  readonly replay?: boolean;
  readonly json?: boolean;
};

type Redriven = { readonly queue: FailureQueue; readonly messages: readonly RedrivenMessage[] };

export const addRedrive: AddCommand = (program, cli) => {
  const command = program
    .command("redrive")
    .summary("say what is in the failure queues, and send it again")
    .description(
      "Says in words what is in the stack's queues for what failed. With --replay it sends each message to its function again and deletes it once that succeeded, so nothing is lost whatever happens meanwhile; what fails again stays. Without, it changes nothing.",
    )
    .addOption(bindingsOption())
    .addOption(new Option("--queue <name>", "one queue only").choices(FAILURE_QUEUES.map(({ name }) => name)))
    .addOption(new Option("--replay", "send them again").conflicts("dryRun"))
    .addOption(new Option("--dry-run", "only look; this is the default"))
    .option("--json", "print one JSON object");
  addStackOption(addAwsOptions(command))
    .addHelpText(
      "after",
      examples(
        ["secret-relay redrive", "what failed, and what the relay would do with it"],
        ["secret-relay redrive --replay", "once the cause is gone"],
        ["secret-relay redrive --queue ShardDeadLetterQueue", "one of the queues"],
      ),
    )
    .action(cli.runs((options: Options) => redrive(cli, options)));
};

async function redrive(cli: CommandLine, options: Options): Promise<ExitCode> {
  const { terminal } = cli;
  const [{ openAwsSession }, { readStackOutputs }, { openQueue }, { redriveQueue }, { replayToFunctions }] =
    await Promise.all([
      import("../live/aws-session.ts"),
      import("../live/stack.ts"),
      import("../redrive/queue-messages.ts"),
      import("../redrive/redrive-queue.ts"),
      import("../redrive/replay-to-functions.ts"),
    ]);
  const bindings = await loadBindingsFile(cli, options.bindings);
  const aws = await openAwsSession(options);
  const outputs = await readStackOutputs(aws, options.stackName);
  const queues = FAILURE_QUEUES.flatMap((queue) => {
    const url = outputs[queue.output];
    const isMeant = options.queue === undefined || options.queue === queue.name;
    return isMeant && url !== undefined ? [{ queue, url }] : [];
  });
  if (queues.length === 0) {
    throw new UsageError(`Stack ${options.stackName} has no such queue. Check --stack-name.`);
  }
  const replay = options.replay === true ? { replay: replayToFunctions(aws, outputs) } : {};
  const results: Redriven[] = await withProgress(terminal, "redriving", async (tell) => {
    const done: Redriven[] = [];
    for (const { queue, url } of queues) {
      const messages = openQueue(aws, url);
      const context = { bindings, home: aws.home, now: cli.now() };
      try {
        done.push({ queue, messages: await redriveQueue({ queue, messages, context, tell, ...replay }) });
      } finally {
        messages.close();
      }
    }
    return done;
  });
  const all = results.flatMap(({ messages }) => messages);
  const ok = all.every(({ outcome }) => outcome !== "kept");
  if (options.json === true) {
    const told = results.map(({ queue: { name, holds }, messages }) => ({ queue: name, holds, messages }));
    terminal.out(JSON.stringify({ ok, queues: told }));
  } else print(cli, results, options);
  return ok ? EXIT.done : EXIT.failed;
}

function print({ terminal }: CommandLine, results: readonly Redriven[], { replay = false }: Options): void {
  for (const { queue, messages } of results.filter((one) => one.messages.length > 0)) {
    terminal.out(`${terminal.paint("bold", queue.name)}: ${messages.length}, ${queue.holds}`);
    for (const message of messages) terminal.out(describe(terminal, message));
  }
  const all = results.flatMap(({ messages }) => messages);
  if (all.length === 0) terminal.out("The failure queues are empty.");
  else if (replay) {
    const replayed = all.filter(({ outcome }) => outcome === "replayed").length;
    terminal.say(`${replayed} of ${all.length} replayed and deleted.`);
  } else
    terminal.say(
      "Nothing was changed. Send them again once the cause is gone: secret-relay redrive --replay",
    );
}

function describe({ paint }: CommandLine["terminal"], message: RedrivenMessage): string {
  const { outcome, says, events = [], condition, code, advice } = message;
  const sign = { found: "-", replayed: paint("green", "✓"), kept: paint("red", "✗") }[outcome];
  const why = condition === undefined ? "" : ` (${condition})`;
  const details = events.map(
    (event) => `    ${printExplanation({ paint }, event).replaceAll("\n", "\n    ")}`,
  );
  const kept = outcome === "kept" ? [`    stays: ${code}: ${advice}`] : [];
  return [`  ${sign} ${says}${why}`, ...details, ...kept].join("\n");
}
