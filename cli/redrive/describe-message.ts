import type { CompiledBindings } from "../../shared/bindings/binding.ts";
import type { SecretHome } from "../../shared/secret-id/secret-id.ts";
import { parseShard } from "../../shared/sweep/parse-shard.ts";
import { type EventExplanation, explainEvents } from "../explain/explain-event.ts";
import type { FailureQueue } from "./failure-queues.ts";

/** One message of a failure queue, in words. `input` is what is sent again; absent where nothing would take it. */
export type DescribedMessage = {
  readonly says: string;
  /** What the relay would do with each event in it. */
  readonly events?: readonly EventExplanation[];
  /** Why Lambda gave it up. */
  readonly condition?: string;
  readonly input?: object;
};

/** Pure. Nothing of a message is repeated but names, and words from closed lists. */
export function describeMessage(
  body: string,
  kind: FailureQueue["kind"],
  context: { readonly bindings: CompiledBindings; readonly home: SecretHome; readonly now: number },
): DescribedMessage {
  const parsed = parseObject(body);
  if (parsed === undefined) return { says: "It is no JSON object: nothing would take it." };
  const condition = conditionOf(parsed);
  const given = condition === undefined ? {} : { condition };
  if (kind === "events") {
    const events = explainEvents(parsed, context.bindings, context.now, context.home);
    const isTaken = events.every(({ verdict }) => verdict !== "rejected");
    return { says: `${events.length} event(s)`, events, ...given, ...(isTaken && { input: parsed }) };
  }
  if (kind === "shards") {
    const shard = parseShard(body);
    if (shard === undefined) return { says: "It is no shard of this release: delete it." };
    const { mode, cluster, items, sweepStartedAt } = shard;
    const begun = new Date(sweepStartedAt).toISOString();
    return {
      says: `${items.length} Secret(s) of cluster ${cluster}, of a sweep by ${mode} begun ${begun}`,
      input: shard,
    };
  }
  const task = (parsed.requestPayload ?? parsed) as { sweep?: unknown; plan?: unknown };
  if (task.sweep !== "metadata" && task.sweep !== "values") {
    return { says: "It starts no sweep: nothing would take it.", ...given };
  }
  return {
    says: `a sweep by ${task.sweep}${task.plan === true ? ", as a plan" : ""}`,
    input: task,
    ...given,
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
