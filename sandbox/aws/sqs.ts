import { createHash, randomUUID } from "node:crypto";
import { AwsError, invalidParameter } from "./aws-error.ts";
import { count, type Input, list, type Operation, requiredText, text } from "./call.ts";

export type SqsHome = {
  readonly accountId: string;
  readonly region: string;
  readonly endpoint: () => string;
};

/** Standard queues with visibility timeouts, delays and redrive: enough for a failure queue and sweep shards. */
export function sqsOperations(
  home: SqsHome,
  { now, wait }: { readonly now: () => number; readonly wait: (ms: number) => Promise<unknown> },
): ReadonlyMap<string, Operation> {
  const queues = new Map<string, Queue>();

  const queueOf = (input: Input): Queue => {
    const url = requiredText(input, "QueueUrl");
    const queue = queues.get(url.slice(url.lastIndexOf("/") + 1));
    if (queue === undefined) throw noSuchQueue();
    return queue;
  };

  const redrive = (queue: Queue): void => {
    const policy = parseRedrivePolicy(queue.attributes.RedrivePolicy);
    if (policy === undefined) return;
    const failures = [...queues.values()].find(({ arn }) => arn === policy.deadLetterTargetArn);
    if (failures === undefined) return;
    for (const message of queue.messages.values()) {
      if (message.receiveCount < policy.maxReceiveCount || message.visibleAt > now()) continue;
      queue.messages.delete(message.id);
      failures.messages.set(message.id, { ...message, visibleAt: now(), receiptHandle: undefined });
    }
  };

  const receive = (queue: Queue, max: number, visibilityMs: number): Message[] => {
    redrive(queue);
    const received: Message[] = [];
    for (const message of queue.messages.values()) {
      if (received.length === max) break;
      if (message.visibleAt > now()) continue;
      message.receiveCount += 1;
      message.visibleAt = now() + visibilityMs;
      message.receiptHandle = `${message.id}#${randomUUID()}`;
      received.push(message);
    }
    return received;
  };

  return new Map<string, Operation>([
    [
      "CreateQueue",
      ({ input }) => {
        const name = requiredText(input, "QueueName");
        const attributes = {
          ...DEFAULTS,
          ...((input.Attributes as Record<string, string> | undefined) ?? {}),
        };
        const arn = `arn:aws:sqs:${home.region}:${home.accountId}:${name}`;
        if (!queues.has(name)) queues.set(name, { name, arn, attributes, messages: new Map() });
        return { QueueUrl: `${home.endpoint()}/${home.accountId}/${name}` };
      },
    ],
    [
      "GetQueueUrl",
      ({ input }) => {
        const name = requiredText(input, "QueueName");
        if (!queues.has(name)) throw noSuchQueue();
        return { QueueUrl: `${home.endpoint()}/${home.accountId}/${name}` };
      },
    ],
    ["SendMessage", ({ input }) => send(queueOf(input), input, now())],
    [
      "SendMessageBatch",
      ({ input }) => {
        const queue = queueOf(input);
        return eachEntry(input, (entry) => send(queue, entry, now()));
      },
    ],
    [
      "ReceiveMessage",
      async ({ input }) => {
        const queue = queueOf(input);
        const max = count(input, "MaxNumberOfMessages", 1, 10) ?? 1;
        const visibilityMs = secondsOf(input, "VisibilityTimeout", queue) * 1_000;
        const untilAt = now() + secondsOf(input, "WaitTimeSeconds", queue) * 1_000;
        for (;;) {
          const messages = receive(queue, max, visibilityMs);
          if (messages.length > 0) return { Messages: messages.map(printMessage) };
          if (now() >= untilAt) return {};
          await wait(POLL_MS);
        }
      },
    ],
    ["DeleteMessage", ({ input }) => remove(queueOf(input), input)],
    [
      "DeleteMessageBatch",
      ({ input }) => {
        const queue = queueOf(input);
        return eachEntry(input, (entry) => remove(queue, entry));
      },
    ],
    [
      "ChangeMessageVisibility",
      ({ input }) => {
        const message = getReceived(queueOf(input), input);
        message.visibleAt = now() + (count(input, "VisibilityTimeout", 0, 43_200) ?? 0) * 1_000;
        return {};
      },
    ],
    [
      "GetQueueAttributes",
      ({ input }) => {
        const queue = queueOf(input);
        redrive(queue);
        const messages = [...queue.messages.values()];
        const inFlight = messages.filter(
          ({ visibleAt, receiptHandle }) => visibleAt > now() && receiptHandle,
        ).length;
        const delayed = messages.filter(
          ({ visibleAt, receiptHandle }) => visibleAt > now() && !receiptHandle,
        ).length;
        const all: Record<string, string> = {
          ...queue.attributes,
          QueueArn: queue.arn,
          ApproximateNumberOfMessages: String(messages.length - inFlight - delayed),
          ApproximateNumberOfMessagesNotVisible: String(inFlight),
          ApproximateNumberOfMessagesDelayed: String(delayed),
        };
        const names = list<string>(input, "AttributeNames") ?? [];
        const wanted = Object.entries(all).filter(([name]) => names.includes("All") || names.includes(name));
        return { Attributes: Object.fromEntries(wanted) };
      },
    ],
  ]);
}

type Message = {
  readonly id: string;
  readonly body: string;
  readonly attributes: object | undefined;
  readonly sentAt: number;
  visibleAt: number;
  receiveCount: number;
  receiptHandle: string | undefined;
};

type Queue = {
  readonly name: string;
  readonly arn: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** By id; redelivery keeps the position of the first delivery. */
  readonly messages: Map<string, Message>;
};

const DEFAULTS = { VisibilityTimeout: "30", DelaySeconds: "0", ReceiveMessageWaitTimeSeconds: "0" };
const BODY_BYTES_MAX = 1_048_576;
const POLL_MS = 5;

function send(queue: Queue, input: Input, now: number): object {
  const body = requiredText(input, "MessageBody");
  if (Buffer.byteLength(body) > BODY_BYTES_MAX) {
    throw new AwsError(
      "InvalidParameterValue",
      `One or more parameters are invalid. Reason: Message must be shorter than ${BODY_BYTES_MAX} bytes.`,
    );
  }
  const delayMs = Number(count(input, "DelaySeconds", 0, 900) ?? queue.attributes.DelaySeconds) * 1_000;
  const id = randomUUID();
  queue.messages.set(id, {
    id,
    body,
    attributes: input.MessageAttributes as object | undefined,
    sentAt: now,
    visibleAt: now + delayMs,
    receiveCount: 0,
    receiptHandle: undefined,
  });
  return { MessageId: id, MD5OfMessageBody: md5(body) };
}

function remove(queue: Queue, input: Input): object {
  queue.messages.delete(getReceived(queue, input).id);
  return {};
}

/** The message of a receipt handle; only the latest receipt counts. */
function getReceived(queue: Queue, input: Input): Message {
  const handle = requiredText(input, "ReceiptHandle");
  const message = queue.messages.get(handle.split("#", 1)[0] ?? "");
  if (message?.receiptHandle === handle) return message;
  throw new AwsError("ReceiptHandleIsInvalid", "The input receipt handle is invalid.");
}

function eachEntry(input: Input, act: (entry: Input) => object): object {
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of list<Input>(input, "Entries") ?? []) {
    const Id = text(entry, "Id");
    try {
      Successful.push({ Id, ...act(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({ Id, Code: error.code, Message: error.message, SenderFault: true });
    }
  }
  return { Successful, Failed };
}

function printMessage(message: Message): object {
  return {
    MessageId: message.id,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: md5(message.body),
    Attributes: {
      SentTimestamp: String(message.sentAt),
      ApproximateReceiveCount: String(message.receiveCount),
    },
    MessageAttributes: message.attributes,
  };
}

type RedrivePolicy = { deadLetterTargetArn: string; maxReceiveCount: number };

function parseRedrivePolicy(policy: string | undefined): RedrivePolicy | undefined {
  if (policy === undefined || policy === "") return undefined;
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(policy) as Record<string, string | number>;
  return { deadLetterTargetArn: String(deadLetterTargetArn), maxReceiveCount: Number(maxReceiveCount) };
}

function secondsOf(input: Input, member: "VisibilityTimeout" | "WaitTimeSeconds", queue: Queue): number {
  const given = count(input, member, 0, member === "WaitTimeSeconds" ? 20 : 43_200);
  if (given !== undefined) return given;
  const inherited = member === "WaitTimeSeconds" ? "ReceiveMessageWaitTimeSeconds" : member;
  const seconds = Number(queue.attributes[inherited]);
  if (Number.isFinite(seconds)) return seconds;
  throw invalidParameter(`The queue's ${inherited} is not a number`);
}

function noSuchQueue(): AwsError {
  return new AwsError(
    "com.amazonaws.sqs#QueueDoesNotExist",
    "The specified queue does not exist for this wsdl version.",
  );
}

function md5(content: string): string {
  return createHash("md5").update(content).digest("hex");
}
