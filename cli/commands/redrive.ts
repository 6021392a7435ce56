import { Option } from "commander";
import { insteadOfPublishedOption } from "../bindings-file.ts";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-code.ts";
import { printExplanation } from "../explain/print-explanation.ts";
import { addAwsOptions, addStackOption, type SessionOptions } from "../live/options.ts";
import { FAILURE_QUEUES, type FailureQueue } from "../redrive/failure-queues.ts";
import type { RedrivenMessage } from "../redrive/redrive-queue.ts";
import { withProgress } from "../terminal/progress.ts";

type Options = SessionOptions & {
  readonly queue?: string;
  readonly replay?: boolean;
  readonly json?: boolean;
};

type QueueResult = { readonly queue: FailureQueue; readonly messages: readonly RedrivenMessage[] };

export const addRedrive: AddCommand = (program, cli) => {
  const command = defineCommand(program, "redrive", {
    summary: "list the messages in the failure queues, and replay them",
    description:
      "Lists the messages in the failure queues of the stack and explains them. With --replay it sends each message to its function again. A message is deleted only after it succeeded, so no message is lost. Without --replay it changes nothing.",
    examples: [
      ["secret-relay redrive", "list failed messages, and what the relay would do with them"],
      ["secret-relay redrive --replay", "replay them after you fixed the cause"],
      ["secret-relay redrive --queue WorkDeadLetterQueue", "list one queue"],
    ],
    note: "Ends with 1 if a replayed message stays in its queue.",
  })
    .addOption(insteadOfPublishedOption())
    .addOption(new Option("--queue <name>", "one queue only").choices(FAILURE_QUEUES.map(({ name }) => name)))
    .addOption(new Option("--replay", "send the messages again").conflicts("dryRun"))
    .option("--dry-run", "only list them; the default")
    .option("--json", "print the result as one JSON object");
  addStackOption(addAwsOptions(command)).action(cli.runs((options: Options) => redrive(cli, options)));
};

async function redrive(cli: CommandLine, options: Options): Promise<ExitCode> {
  const { openBindings } = await import("../live/load-bindings.ts");
  const { readStackOutputs } = await import("../live/stack.ts");
  const { openQueue } = await import("../redrive/queue-messages.ts");
  const { redriveQueue } = await import("../redrive/redrive-queue.ts");
  const { replayToFunctions } = await import("../redrive/replay-to-functions.ts");
  const { aws, loaded } = await openBindings(cli, options);
  const outputs = await readStackOutputs(aws, options.stackName);
  const queues = FAILURE_QUEUES.flatMap((queue) => {
    const url = outputs[queue.output];
    const isSelected = options.queue === undefined || options.queue === queue.name;
    return isSelected && url !== undefined ? [{ queue, url }] : [];
  });
  if (queues.length === 0) {
    throw new UsageError(`Stack ${options.stackName} has no such queue. Check --stack-name.`);
  }
  if (options.replay === true) {
    const { announceFunction } = await import("../live/announce-writes.ts");
    const names = ["RotationFunctionName", "ReconcileFunctionName"].flatMap((name) => outputs[name] ?? []);
    announceFunction(cli, aws, ...names);
  }
  const replay = options.replay === true ? { replay: replayToFunctions(aws, outputs) } : {};
  const results: QueueResult[] = await withProgress(cli.terminal, "redriving", async (reportProgress) => {
    const done: QueueResult[] = [];
    for (const { queue, url } of queues) {
      const messages = openQueue(aws, url);
      const context = { bindings: loaded.compiled, location: aws.location, now: cli.now() };
      try {
        const redriven = await redriveQueue({ queue, messages, context, reportProgress, ...replay });
        done.push({ queue, messages: redriven });
      } finally {
        messages.close();
      }
    }
    return done;
  });
  const ok = results.every(({ messages }) => messages.every(({ outcome }) => outcome !== "kept"));
  const json = results.map(({ queue: { name, holds }, messages }) => ({ queue: name, holds, messages }));
  return finish(cli, options, { ok, queues: json }, () => print(cli, results, options));
}

function print({ terminal }: CommandLine, results: readonly QueueResult[], { replay }: Options): void {
  for (const { queue, messages } of results.filter((one) => one.messages.length > 0)) {
    terminal.out(`${terminal.paint("bold", queue.name)}: ${messages.length}, ${queue.holds}`);
    for (const message of messages) terminal.out(describe(terminal, message));
  }
  const all = results.flatMap(({ messages }) => messages);
  const replayed = all.filter(({ outcome }) => outcome === "replayed").length;
  if (all.length === 0) terminal.out("The failure queues are empty.");
  else if (replay === true) terminal.say(`${replayed} of ${all.length} replayed and deleted.`);
  else terminal.say("Nothing was changed. Fix the cause, then replay: secret-relay redrive --replay");
}

function describe({ paint }: CommandLine["terminal"], message: RedrivenMessage): string {
  const { outcome, says, events = [], condition, code, advice } = message;
  const sign = { found: "-", replayed: paint("green", "✓"), kept: paint("red", "✗") }[outcome];
  const conditionText = condition === undefined ? "" : ` (${condition})`;
  const details = events.map(
    (event) => `    ${printExplanation({ paint }, event).replaceAll("\n", "\n    ")}`,
  );
  const kept = outcome === "kept" ? [`    stays: ${code}: ${advice}`] : [];
  return [`  ${sign} ${says}${conditionText}`, ...details, ...kept].join("\n");
}
