import { RelayError, UnexpectedFault } from "../../shared/relay-error.ts";
import type { Tell } from "../terminal/progress.ts";
import { type DescribedMessage, describeMessage } from "./describe-message.ts";
import type { FailureQueue } from "./failure-queues.ts";
import type { QueueMessages } from "./queue-messages.ts";

export type RedrivenMessage = Omit<DescribedMessage, "input"> & {
  readonly id: string;
  readonly outcome: "found" | "replayed" | "kept";
  /** Why it was kept. */
  readonly code?: string;
  readonly advice?: string;
};

/** Sends it again, and resolves only when that is done for good. */
export type Replay = (kind: FailureQueue["kind"], input: object) => Promise<void>;

export type RedriveQuestion = {
  readonly queue: FailureQueue;
  readonly messages: QueueMessages;
  readonly context: Parameters<typeof describeMessage>[2];
  /** Absent: only look. */
  readonly replay?: Replay;
  readonly tell?: Tell;
};

/** Looks at every message; with `replay` it sends each again, and deletes it when that succeeded, and not before. */
export async function redriveQueue(question: RedriveQuestion): Promise<RedrivenMessage[]> {
  const { queue, messages, context, replay, tell = () => {} } = question;
  const done: RedrivenMessage[] = [];
  try {
    for (let batch = await messages.take(); batch.length > 0; batch = await messages.take()) {
      for (const message of batch) {
        const { input, ...described } = describeMessage(message.body, queue.kind, context);
        const told = { id: message.id, ...described };
        if (replay === undefined) done.push({ ...told, outcome: "found" });
        else if (input === undefined) {
          const advice = "Nothing takes this message. Look at it, and delete it in the console.";
          done.push({ ...told, outcome: "kept", code: "MESSAGE_NOT_TAKEN", advice });
        } else done.push({ ...told, ...(await replayOne(question, replay, message, input)) });
        tell(`${done.length} message(s) of ${queue.name}`);
      }
    }
  } finally {
    await messages.release();
  }
  return done;
}

async function replayOne(
  { queue, messages }: RedriveQuestion,
  replay: Replay,
  message: Parameters<QueueMessages["delete"]>[0],
  input: object,
): Promise<Pick<RedrivenMessage, "outcome" | "code" | "advice">> {
  try {
    await replay(queue.kind, input);
    await messages.delete(message);
    return { outcome: "replayed" };
  } catch (error) {
    const { code, message: advice } = error instanceof RelayError ? error : UnexpectedFault.from(error);
    return { outcome: "kept", code, advice };
  }
}
