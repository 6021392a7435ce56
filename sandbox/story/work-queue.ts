import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { IssuedCredentials } from "../aws/start-aws-sandbox.ts";
import type { DeployedSweep } from "./deploy-sweep.ts";
import { expectThat } from "./story-problem.ts";

/** The work queue of the stack, and the event source mapping that reads it. */
export type WorkQueue = {
  readonly url: string;
  /** Invokes the function with the messages whose delay is over, and deletes them. Resolves to their number. */
  deliver(reconcile: Pick<DeployedSweep, "work">): Promise<number>;
  close(): void;
};

/** Without credentials, those of the environment are used. */
export async function createWorkQueue(credentials?: IssuedCredentials): Promise<WorkQueue> {
  const sqs = new SQSClient({ ...(credentials && { credentials }) });
  const { QueueUrl: url = "" } = await sqs.send(new CreateQueueCommand({ QueueName: "secret-relay-work" }));
  return {
    url,
    deliver: async (reconcile) => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return 0;
      const records = Messages.map(({ MessageId = "", Body = "" }) => ({ messageId: MessageId, body: Body }));
      const { batchItemFailures } = await reconcile.work(records);
      expectThat(batchItemFailures.length === 0, "The reconcile function returned a message to its queue");
      for (const { ReceiptHandle } of Messages) {
        await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
      }
      return Messages.length;
    },
    close: () => sqs.destroy(),
  };
}
