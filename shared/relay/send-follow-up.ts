import { RelayError } from "../relay-error.ts";
import { boundedRequests } from "../runtime/bounded-requests.ts";
import type { FollowUpMessage } from "../workloads/follow-up-message.ts";

/** Sends a message with a delay in seconds. */
export type SendFollowUp = (message: FollowUpMessage, delaySeconds: number) => Promise<void>;

export class FollowUpNotSent extends RelayError {
  override readonly name = "FollowUpNotSent";
  readonly code = "FOLLOW_UP_NOT_SENT";
  readonly retryable = true;
  constructor() {
    super(
      "The message to look at restarted workloads again could not be sent. The next sweep looks at them.",
    );
  }
}

/** The SQS client is loaded on first use: only bindings with `restart` need it. */
export function sendFollowUpTo(queueUrl: string, onCall: () => void): SendFollowUp {
  return async (message, delaySeconds) => {
    const { SQSClient, SendMessageBatchCommand } = await import("../runtime/send-with-sqs.ts");
    const client = new SQSClient(boundedRequests());
    const entry = { Id: "0", MessageBody: JSON.stringify(message), DelaySeconds: delaySeconds };
    try {
      onCall();
      const { Successful = [] } = await client
        .send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: [entry] }))
        .catch(() => ({ Successful: [] }));
      if (Successful.length === 0) throw new FollowUpNotSent();
    } finally {
      client.destroy();
    }
  };
}
