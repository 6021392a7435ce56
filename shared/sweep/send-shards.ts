import { RelayError } from "../relay-error.ts";
import { boundedRequests } from "../runtime/bounded-requests.ts";
import type { SendShards } from "./run-sweep.ts";
import type { Shard } from "./shard.ts";

export class ShardsNotSent extends RelayError {
  override readonly name = "ShardsNotSent";
  readonly code = "SHARDS_NOT_SENT";
  readonly retryable = true;
  constructor(messages: number) {
    super(`${messages} message(s) could not be sent to the work queue, so a part of the sweep was skipped.`);
  }
}

/** Sends shards to an SQS queue. The SQS client is loaded on first use. */
export function sendShardsTo(queueUrl: string, onCall: () => void): SendShards {
  return async (shards) => {
    const { SQSClient, SendMessageBatchCommand } = await import("../runtime/send-with-sqs.ts");
    const client = new SQSClient(boundedRequests());
    const batches = packBatches(shards.flatMap(fitIntoMessages));
    try {
      for (const batch of batches) {
        onCall();
        const Entries = batch.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
        const { Successful = [] } = await client
          .send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }))
          .catch(() => ({ Successful: [] }));
        const sent = new Set(Successful.map(({ Id }) => Id));
        const unsent = Entries.filter(({ Id }) => !sent.has(Id)); // also without an explicit failure
        if (unsent.length > 0) throw new ShardsNotSent(unsent.length);
      }
    } finally {
      client.destroy();
    }
    return batches.flat().length;
  };
}

/** Halves a shard until each message is small enough. */
export function fitIntoMessages(shard: Shard): string[] {
  const body = JSON.stringify(shard);
  if (body.length <= MESSAGE_BYTES_MAX || shard.items.length < 2) return [body];
  const middle = Math.ceil(shard.items.length / 2);
  const halves = [shard.items.slice(0, middle), shard.items.slice(middle)];
  return halves.flatMap((items) => fitIntoMessages({ ...shard, items }));
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

// SQS accepts 1 MiB per message and per batch in most Regions, and 256 KiB in all. The names in a shard are ASCII.
const MESSAGE_BYTES_MAX = 250_000;
const BATCH_ENTRIES_MAX = 10;
