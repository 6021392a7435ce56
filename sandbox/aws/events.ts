import type { Call } from "./call.ts";
import {
  type AwsEvent,
  apiCallEvent,
  type CallOutcome,
  isReadOnly,
  type LabelMoved,
  labelUpdatedEvent,
  type ObjectCreated,
  type ObjectDeleted,
  objectCreatedEvent,
  objectDeletedEvent,
  serviceEvent,
} from "./event-shapes.ts";

export type EventListener = (event: AwsEvent) => unknown;

/**
 * When an event reaches the listeners, in milliseconds from now: an empty list drops it, two entries duplicate it, a
 * number delays it.
 */
export type Delivery = (event: AwsEvent) => readonly number[];

export type CloudTrailDetail = "off" | "writes" | "all";

export type Events = {
  subscribe(listener: EventListener): () => void;
  /** Delivers each event once and immediately, unless a test changes that. */
  delivery: Delivery;
  /** The CloudTrail events sent in addition to the native ones: none, those of writes, or those of reads as well. */
  cloudTrail: CloudTrailDetail;
  /** From now on events wait, until `release` delivers them in the order that `arrange` gives. */
  hold(): void;
  readonly held: readonly AwsEvent[];
  release(arrange?: (held: readonly AwsEvent[]) => readonly AwsEvent[]): void;
  /** Sends an event of Secrets Manager itself, such as RotationSucceeded; CloudTrail must be on. */
  serviceEvent(
    eventName: string,
    arn: string,
    more?: { versionId?: string; errorMessage?: string },
  ): AwsEvent | undefined;
  /** Resolves when everything sent has been delivered and its listeners are done; rejects with their errors. */
  settled(): Promise<void>;
};

export type EventBus = Events & {
  labelMoved(move: LabelMoved): void;
  objectCreated(created: ObjectCreated, call: Call): void;
  objectDeleted(deleted: ObjectDeleted, call: Call): void;
  called(call: Call, outcome: CallOutcome): void;
  /** Discards undelivered events. */
  close(): void;
};

export function createEvents(
  origin: { partition: string; accountId: string; region: string },
  now: () => number,
): EventBus {
  const listeners = new Set<EventListener>();
  const pending = new Set<Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();
  const failures: unknown[] = [];
  let held: AwsEvent[] | undefined;
  let changes = 0;

  const arnOfBucket = (bucket: string): string => `arn:${origin.partition}:s3:::${bucket}`;
  const stamp = () => ({ ...origin, at: now() });

  const hand = async (event: AwsEvent): Promise<void> => {
    const results = await Promise.allSettled(
      [...listeners].map(async (listener) => listener(structuredClone(event))),
    );
    for (const result of results) if (result.status === "rejected") failures.push(result.reason);
  };

  const track = (delivered: Promise<void>): void => {
    pending.add(delivered);
    void delivered.finally(() => pending.delete(delivered));
  };

  const schedule = (event: AwsEvent, delayMs: number): void => {
    track(
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          timers.delete(timer);
          resolve(hand(event));
        }, delayMs);
        timers.add(timer);
      }),
    );
  };

  const bus: EventBus = {
    delivery: () => [0],
    cloudTrail: "off",
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    hold() {
      held ??= [];
    },
    get held() {
      return held ?? [];
    },
    release(arrange = (events) => events) {
      const events = arrange(held ?? []);
      held = undefined;
      // Sequentially: the test decides the order.
      track(events.reduce((before, event) => before.then(() => hand(event)), Promise.resolve()));
    },
    async settled() {
      while (pending.size > 0) await Promise.all(pending);
      if (failures.length > 0) throw failures.splice(0)[0];
    },
    labelMoved: (move) => send(labelUpdatedEvent(stamp(), move)),
    objectCreated(created, call) {
      changes += 1;
      send(objectCreatedEvent(stamp(), arnOfBucket(created.bucket), created, call, changes));
    },
    objectDeleted(deleted, call) {
      changes += 1;
      send(objectDeletedEvent(stamp(), arnOfBucket(deleted.bucket), deleted, call, changes));
    },
    called(call, outcome) {
      if (bus.cloudTrail === "off" || (bus.cloudTrail === "writes" && isReadOnly(call))) return;
      send(apiCallEvent(stamp(), call, outcome));
    },
    serviceEvent(eventName, arn, more) {
      if (bus.cloudTrail === "off") return undefined;
      const event = serviceEvent(stamp(), eventName, arn, more);
      send(event);
      return event;
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      pending.clear();
      listeners.clear();
    },
  };

  const send = (event: AwsEvent): void => {
    if (held !== undefined) {
      held.push(event);
      return;
    }
    for (const delayMs of bus.delivery(event)) schedule(event, delayMs);
  };

  return bus;
}
