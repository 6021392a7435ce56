import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { AwsSession } from "../live/aws-session.ts";

export type QueueMessage = { readonly id: string; readonly body: string; readonly receipt: string };

/**
 * The messages of a queue. Whoever takes some has them to himself for a while; then they are there again, unless they
 * were deleted. So whatever ends this command in between, nothing is lost.
 */
export type QueueMessages = {
  /** The next few, none of them twice; empty when there are no more. */
  take(): Promise<readonly QueueMessage[]>;
  delete(message: QueueMessage): Promise<void>;
  /** Everything that was taken and not deleted is there for others at once. */
  release(): Promise<void>;
  close(): void;
};

export function openQueue(aws: AwsSession, queueUrl: string): QueueMessages {
  const client = new SQSClient({ ...aws.client, maxAttempts: 3 });
  const of = { QueueUrl: queueUrl };
  const kept = new Map<string, QueueMessage>();
  const seen = new Set<string>();
  const send = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw aws.classify("Working on the queue", error);
    }
  };
  return {
    take: () =>
      send(async () => {
        const { Messages = [] } = await client.send(
          new ReceiveMessageCommand({
            ...of,
            MaxNumberOfMessages: 10,
            VisibilityTimeout: HELD_SECONDS,
            WaitTimeSeconds: 1, // asks every server of the queue, not a sample of them
          }),
        );
        const taken = Messages.map(({ MessageId = "", Body = "", ReceiptHandle = "" }) => {
          return { id: MessageId, body: Body, receipt: ReceiptHandle };
        });
        for (const message of taken) kept.set(message.id, message);
        const fresh = taken.filter(({ id }) => !seen.has(id));
        for (const { id } of fresh) seen.add(id);
        return fresh;
      }),
    delete: (message) =>
      send(async () => {
        const { receipt } = kept.get(message.id) ?? message;
        await client.send(new DeleteMessageCommand({ ...of, ReceiptHandle: receipt }));
        kept.delete(message.id);
      }),
    release: () =>
      send(async () => {
        for (const { receipt } of kept.values()) {
          await client.send(
            new ChangeMessageVisibilityCommand({ ...of, ReceiptHandle: receipt, VisibilityTimeout: 0 }),
          );
        }
        kept.clear();
      }),
    close: () => client.destroy(),
  };
}

/** Puts one message into another queue. */
export async function sendMessage(aws: AwsSession, queueUrl: string, body: string): Promise<void> {
  const client = new SQSClient({ ...aws.client, maxAttempts: 3 });
  try {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
  } catch (error) {
    throw aws.classify("Working on the queue", error);
  } finally {
    client.destroy();
  }
}

/** Longer than the longest that a function may take (SweepTimeoutSeconds of the template). */
const HELD_SECONDS = 960;
