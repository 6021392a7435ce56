import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";

/** Handles each message that is visible now, one per call, and deletes it. Returns their number. */
export async function takeMessages(
  { sqs, queueUrl: QueueUrl }: { readonly sqs: SQSClient; readonly queueUrl: string },
  handle: (record: { messageId: string; body: string }) => Promise<void>,
): Promise<number> {
  for (let taken = 0; ; ) {
    const receive = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 });
    const { Messages = [] } = await sqs.send(receive);
    if (Messages.length === 0) return taken;
    for (const { MessageId: messageId = "", Body: body = "" } of Messages) await handle({ messageId, body });
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    taken += Messages.length;
  }
}
