import { RelayError } from "../relay-error.ts";
import { boundedRequests } from "../runtime/bounded-requests.ts";
import type { SendShards } from "./run-sweep.ts";
import type { Shard } from "./shard.ts";

/** The messages that could not be put into the shard queue are told by number only. */
export class ShardsNotSent extends RelayError {
  override readonly name = "ShardsNotSent";
  readonly code = "SHARDS_NOT_SENT";
  readonly retryable = true;
  constructor(shards: number) {
    super(`${shards} shard(s) could not be put into the shard queue, so a part of the sweep was not done.`);
  }
}

/** Puts shards into an SQS queue; its client is loaded by the first sweep that is large enough to need it. */
export function sendShardsTo(queueUrl: string, onCall: () => void): SendShards {
  return async (shards) => {
    const { SQSClient, SendMessageBatchCommand } = await import("./send-with-sqs.ts");
    const client = new SQSClient(boundedRequests());
    const batches = packBatches(shards.flatMap(fitIntoMessages));
    try {
      for (const batch of batches) {
        onCall();
        const Entries = batch.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
        const { Successful = [] } = await client
          .send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }))
          .catch(() => ({ Successful: [] }));
        // What SQS does not say that it took, it did not take.
        const taken = new Set(Successful.map(({ Id }) => Id));
        const left = Entries.filter(({ Id }) => !taken.has(Id));
        if (left.length > 0) throw new ShardsNotSent(left.length);
      }
    } finally {
      client.destroy();
    }
    return batches.flat().length;
  };
}

/** The bodies of a shard's messages: halved until each is small enough. */
export function fitIntoMessages(shard: Shard): string[] {
  const body = JSON.stringify(shard);
  if (body.length <= MESSAGE_BYTES_MAX || shard.items.length < 2) return [body];
  const middle = Math.ceil(shard.items.length / 2);
  return [shard.items.slice(0, middle), shard.items.slice(middle)].flatMap((items) =>
    fitIntoMessages({ ...shard, items }),
  );
}

export function packBatches(bodies: readonly string[]): string[][] {
  const batches: string[][] = [];
  let bytes = 0;
  for (const body of bodies) {
    const last = batches.at(-1);
    if (last === undefined || last.length === BATCH_ENTRIES_MAX || bytes + body.length > MESSAGE_BYTES_MAX) {
      batches.push([body]);
      bytes = body.length;
    } else {
      last.push(body);
      bytes += body.length;
    }
  }
  return batches;
}

// SQS takes 1 MiB a message and a batch in most Regions by now and 256 KiB everywhere; the names in a shard are ASCII.
const MESSAGE_BYTES_MAX = 250_000;
const BATCH_ENTRIES_MAX = 10;
