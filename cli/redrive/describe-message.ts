import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import { parseShard } from "../../shared/sweep/parse-shard.ts";
import { type EventExplanation, explainEvents } from "../explain/explain-event.ts";
import type { FailureQueue } from "./failure-queues.ts";

/** A message of a failure queue. `input` is the payload of a replay; absent if no function accepts it. */
export type DescribedMessage = {
  readonly says: string;
  readonly events?: readonly EventExplanation[];
  /** The reason why Lambda stopped retrying. */
  readonly condition?: string;
  readonly input?: object;
};

/** Pure. Of a message it repeats only names and words from closed lists. */
export function describeMessage(
  body: string,
  kind: FailureQueue["kind"],
  context: { readonly bindings: CompiledBindings; readonly location: AwsLocation; readonly now: number },
): DescribedMessage {
  const parsed = parseObject(body);
  if (parsed === undefined) return { says: "Not a JSON object: no function accepts it." };
  const condition = conditionOf(parsed);
  const reason = condition === undefined ? {} : { condition };
  if (kind === "events") {
    const events = explainEvents(parsed, context.bindings, context.now, context.location);
    const isTaken = events.every(({ verdict }) => verdict !== "rejected");
    return { says: `${events.length} event(s)`, events, ...reason, ...(isTaken && { input: parsed }) };
  }
  if (kind === "shards") {
    const shard = parseShard(body);
    if (shard === undefined) return { says: "Unsupported shard version: delete it." };
    const { mode, cluster, items, sweepStartedAt } = shard;
    const startedAt = new Date(sweepStartedAt).toISOString();
    return {
      says: `${items.length} Secret(s) of cluster ${cluster}, of a sweep by ${mode} started ${startedAt}`,
      input: shard,
    };
  }
  // Of a rule that could not start its sweep, EventBridge may keep the event in place of the constant input.
  const { requestPayload = parsed.source === "aws.s3" ? { sweep: "metadata" } : parsed } = parsed;
  const task = requestPayload as { sweep?: unknown; plan?: unknown };
  if (task.sweep !== "metadata" && task.sweep !== "values") {
    return { says: "Not a sweep request: no function accepts it.", ...reason };
  }
  return {
    says: `a sweep by ${task.sweep}${task.plan === true ? ", as a plan" : ""}`,
    input: task,
    ...reason,
  };
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function conditionOf({ requestContext }: Record<string, unknown>): string | undefined {
  const { condition } = (requestContext ?? {}) as { condition?: unknown };
  return typeof condition === "string" && /^[A-Za-z]{1,40}$/.test(condition) ? condition : undefined;
}
