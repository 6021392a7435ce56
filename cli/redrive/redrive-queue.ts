import { toRelayError } from "../errors.ts";
import type { ReportProgress } from "../terminal/progress.ts";
import { type DescribedMessage, describeMessage } from "./describe-message.ts";
import type { FailureQueue } from "./failure-queues.ts";
import type { QueueMessages } from "./queue-messages.ts";

export type RedrivenMessage = Omit<DescribedMessage, "input"> & {
  readonly id: string;
  readonly outcome: "found" | "replayed" | "kept";
  readonly code?: string;
  readonly advice?: string;
};

/** Sends the message again, and resolves after it succeeded. */
export type Replay = (kind: FailureQueue["kind"], input: object) => Promise<void>;

export type RedriveOptions = {
  readonly queue: FailureQueue;
  readonly messages: QueueMessages;
  readonly context: Parameters<typeof describeMessage>[2];
  /** Absent: only list the messages. */
  readonly replay?: Replay;
  readonly reportProgress?: ReportProgress;
};

/** Describes every message. With `replay` it sends each again, and deletes it only after that succeeded. */
export async function redriveQueue(options: RedriveOptions): Promise<RedrivenMessage[]> {
  const { queue, messages, context, replay, reportProgress = () => {} } = options;
  const done: RedrivenMessage[] = [];
  try {
    for (let batch = await messages.receive(); batch.length > 0; batch = await messages.receive()) {
      for (const message of batch) {
        const { input, ...described } = describeMessage(message.body, queue.kind, context);
        const result = { id: message.id, ...described };
        if (replay === undefined) done.push({ ...result, outcome: "found" });
        else if (input === undefined) {
          const advice = "No function accepts this message. Check it, and delete it in the console.";
          done.push({ ...result, outcome: "kept", code: "MESSAGE_NOT_TAKEN", advice });
        } else done.push({ ...result, ...(await replayOne(options, replay, message, input)) });
        reportProgress(`${done.length} message(s) of ${queue.name}`);
      }
    }
  } finally {
    await messages.release();
  }
  return done;
}

async function replayOne(
  { queue, messages }: RedriveOptions,
  replay: Replay,
  message: Parameters<QueueMessages["delete"]>[0],
  input: object,
): Promise<Pick<RedrivenMessage, "outcome" | "code" | "advice">> {
  try {
    await replay(queue.kind, input);
    await messages.delete(message);
    return { outcome: "replayed" };
  } catch (error) {
    const { code, message: advice } = toRelayError(error);
    return { outcome: "kept", code, advice };
  }
}
