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
 * The messages of a queue. SQS hides a received message until its visibility timeout ends or it is deleted, so no message
 * is lost if this command is interrupted.
 */
export type QueueMessages = {
  /** The next messages, each one once; empty at the end. */
  receive(): Promise<readonly QueueMessage[]>;
  delete(message: QueueMessage): Promise<void>;
  /** Makes all received and not deleted messages visible again. */
  release(): Promise<void>;
  close(): void;
};

export function openQueue(aws: AwsSession, queueUrl: string): QueueMessages {
  const client = new SQSClient({ ...aws.client, maxAttempts: 3 });
  const queue = { QueueUrl: queueUrl };
  const pending = new Map<string, QueueMessage>();
  const receivedIds = new Set<string>();
  const send = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw aws.classify("Accessing the queue", error);
    }
  };
  return {
    receive: () =>
      send(async () => {
        const { Messages = [] } = await client.send(
          new ReceiveMessageCommand({
            ...queue,
            MaxNumberOfMessages: 10,
            VisibilityTimeout: VISIBILITY_SECONDS,
            WaitTimeSeconds: 1, // long polling queries every server of the queue
          }),
        );
        const received = Messages.map(({ MessageId = "", Body = "", ReceiptHandle = "" }) => {
          return { id: MessageId, body: Body, receipt: ReceiptHandle };
        });
        for (const message of received) pending.set(message.id, message);
        const fresh = received.filter(({ id }) => !receivedIds.has(id));
        for (const { id } of fresh) receivedIds.add(id);
        return fresh;
      }),
    delete: (message) =>
      send(async () => {
        const { receipt } = pending.get(message.id) ?? message;
        await client.send(new DeleteMessageCommand({ ...queue, ReceiptHandle: receipt }));
        pending.delete(message.id);
      }),
    release: () =>
      send(async () => {
        for (const { receipt } of pending.values()) {
          await client.send(
            new ChangeMessageVisibilityCommand({ ...queue, ReceiptHandle: receipt, VisibilityTimeout: 0 }),
          );
        }
        pending.clear();
      }),
    close: () => client.destroy(),
  };
}

export async function sendMessage(aws: AwsSession, queueUrl: string, body: string): Promise<void> {
  const client = new SQSClient({ ...aws.client, maxAttempts: 3 });
  try {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
  } catch (error) {
    throw aws.classify("Accessing the queue", error);
  } finally {
    client.destroy();
  }
}

/** More than the longest timeout of a function (SweepTimeoutSeconds of the template). */
const VISIBILITY_SECONDS = 960;
