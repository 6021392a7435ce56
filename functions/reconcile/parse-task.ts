import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { parseShard } from "../../shared/sweep/parse-shard.ts";
import type { SweepRequest } from "../../shared/sweep/run-sweep.ts";
import type { Shard } from "../../shared/sweep/shard.ts";
import { type FollowUpMessage, parseFollowUpMessage } from "../../shared/workloads/follow-up-message.ts";

export type Task =
  | { readonly kind: "sweep"; readonly request: SweepRequest }
  /** S3's version of the pointer that was published or deleted; absent in a bucket without versions. */
  | { readonly kind: "publication"; readonly publication?: string }
  | { readonly kind: "messages"; readonly messages: readonly WorkMessage[] }
  | { readonly kind: "unknown"; readonly advice: string };

/** `work` is undefined if the message is neither a valid shard nor a valid follow-up. */
export type WorkMessage = { readonly messageId: string; readonly work: Shard | FollowUpMessage | undefined };

/** Parses the schedule's input, that of a publication, a manual call, or messages of the work queue. Never throws. */
export function parseTask(input: unknown): Task {
  if (typeof input !== "object" || input === null) return unknown();
  if ("Records" in input) return parseMessages(input.Records);
  if ("publication" in input) return parsePublication(input as Record<string, unknown>);
  const {
    sweep,
    plan = false,
    clusters,
    targets,
    inventory = false,
    ...others
  } = input as Record<string, unknown>;
  const isRequest =
    (sweep === "metadata" || sweep === "values") &&
    typeof plan === "boolean" &&
    typeof inventory === "boolean" &&
    (clusters === undefined || isListOfText(clusters)) &&
    (targets === undefined || isListOfText(targets)) &&
    Object.keys(others).length === 0;
  if (!isRequest) return unknown();
  const request: SweepRequest = {
    mode: sweep,
    plan,
    ...(clusters !== undefined && { clusters }),
    ...(targets !== undefined && { only: ({ target }) => targets.includes(nameOfTarget(target)) }),
    ...(inventory && { inventory }),
  };
  return { kind: "sweep", request };
}

function parsePublication({ sweep, publication, ...others }: Record<string, unknown>): Task {
  if (sweep !== "metadata" || typeof publication !== "string" || Object.keys(others).length > 0) {
    return unknown();
  }
  return S3_VERSION.test(publication) ? { kind: "publication", publication } : { kind: "publication" };
}

/** "Unicode, UTF-8 encoded, URL-ready, opaque strings that are no more than 1,024 bytes long" (S3 User Guide). */
const S3_VERSION = /^[\w.-]{1,1024}$/;

function parseMessages(records: unknown): Task {
  if (!Array.isArray(records) || records.length === 0) return unknown();
  const messages = records.map((record: { messageId?: unknown; body?: unknown } | null): WorkMessage => {
    const { messageId, body } = record ?? {};
    return {
      messageId: typeof messageId === "string" ? messageId : "",
      work: typeof body === "string" ? (parseShard(body) ?? parseFollowUpMessage(body)) : undefined,
    };
  });
  return { kind: "messages", messages };
}

function isListOfText(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function unknown(): Task {
  return {
    kind: "unknown",
    advice: 'Send {"sweep": "metadata"} or {"sweep": "values"}, with "plan": true to change nothing.',
  };
}
