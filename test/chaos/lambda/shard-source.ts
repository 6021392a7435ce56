import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSBatchResponse } from "aws-lambda";
import type { Pace } from "../settings.ts";
import { SHARD_RECEIVES_MAX } from "../settings.ts";
import { type FollowUpFaults, type Handled, parseLook } from "./follow-up-faults.ts";
import type { Lambda } from "./lambda.ts";

/** The work queue, its dead letter queue, and the event source mapping that delivers its messages to the function. */
export type ShardSource = {
  readonly queueUrl: string;
  readonly counts: { delivered: number; redriven: number };
  /** Those of these messages that are neither finished nor sent again under another id. */
  lostOf(messageIds: Iterable<string>): number;
  /** Delivers the visible messages, one per invocation; returns how many there were. */
  poll(lambda: Lambda): Promise<number>;
  /** Messages in the queue, in flight included, and in the dead letter queue. */
  left(): Promise<{ queue: number; deadLetters: number }>;
  /** An operator redrives the dead letters. */
  redrive(): Promise<void>;
  close(): void;
};

export async function openShardSource(
  pace: Pace,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
  followUps: FollowUpFaults,
): Promise<ShardSource> {
  const sqs = new SQSClient({ maxAttempts: 1, credentials });
  const counts = { delivered: 0, redriven: 0 };
  const done = new Set<string>();
  const sentAgain = new Set<string>();
  const create = async (QueueName: string, Attributes: Record<string, string> = {}) => {
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    return QueueUrl;
  };
  const attributesOf = async (QueueUrl: string) => {
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] });
    return (await sqs.send(command)).Attributes ?? {};
  };
  const deadLetterUrl = await create("shard-dead-letters");
  const { QueueArn: deadLetterTargetArn } = await attributesOf(deadLetterUrl);
  const queueUrl = await create("shards", {
    VisibilityTimeout: String(pace.shardVisibilitySeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: SHARD_RECEIVES_MAX }),
  });
  const receive = async (QueueUrl: string): Promise<Message[]> => {
    const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 });
    return (await sqs.send(command)).Messages ?? [];
  };
  const remove = (QueueUrl: string, { ReceiptHandle }: Message) =>
    sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })).catch(() => {}); // it was delivered again in between
  const lengthOf = async (queue: string): Promise<number> => {
    const attributes: Readonly<Record<string, string | undefined>> = await attributesOf(queue);
    return ["", "NotVisible", "Delayed"].reduce(
      (sum, which) => sum + Number(attributes[`ApproximateNumberOfMessages${which}`] ?? 0),
      0,
    );
  };

  const deliver = async (lambda: Lambda, message: Message): Promise<Handled> => {
    const { MessageId: messageId = "", Body: body = "" } = message;
    const attempt = await lambda.invoke({
      Records: [{ messageId, body, eventSource: "aws:sqs", receiptHandle: message.ReceiptHandle }],
    });
    if (attempt.kind !== "succeeded") return attempt.kind === "killed" ? "killed" : "again";
    const { batchItemFailures = [] } = (attempt.result ?? {}) as Partial<SQSBatchResponse>;
    return batchItemFailures.some(({ itemIdentifier }) => itemIdentifier === messageId) ? "again" : "done";
  };

  const handOver = async (lambda: Lambda, message: Message): Promise<void> => {
    const look = parseLook(message.Body ?? "");
    const invoke = () => deliver(lambda, message);
    const handled = look === undefined ? await invoke() : await followUps.pass(look, invoke);
    if (handled !== "done") return; // it becomes visible again
    if (look === undefined) counts.delivered += 1;
    done.add(message.MessageId ?? "");
    await remove(queueUrl, message);
  };

  return {
    queueUrl,
    counts,
    lostOf: (messageIds) => [...messageIds, ...sentAgain].filter((messageId) => !done.has(messageId)).length,
    poll: async (lambda) => {
      const messages = await receive(queueUrl);
      await Promise.all(messages.map((message) => handOver(lambda, message)));
      return messages.length;
    },
    left: async () => ({ queue: await lengthOf(queueUrl), deadLetters: await lengthOf(deadLetterUrl) }),
    redrive: async () => {
      for (;;) {
        const messages = await receive(deadLetterUrl);
        if (messages.length === 0) return;
        for (const message of messages) {
          const send = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: message.Body });
          sentAgain.add((await sqs.send(send)).MessageId ?? "");
          done.add(message.MessageId ?? "");
          await remove(deadLetterUrl, message);
          counts.redriven += 1;
        }
        await sleep(1);
      }
    },
    close: () => sqs.destroy(),
  };
}
