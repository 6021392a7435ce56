import type { Context } from "aws-lambda";
import type { Rules } from "../../shared/bindings/published/rules.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { startTimeBudget, type TimeBudget } from "../../shared/runtime/time-budget.ts";
import { functionLocation } from "../../shared/source/function-location.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import type { WebhookDependencies } from "./dependencies.ts";
import { ACCEPTED, type HttpAnswer, malformed, refusal, tooMany, UNAVAILABLE } from "./http-answer.ts";
import { isSigned } from "./is-signed.ts";
import { type DirectCall, parseCall } from "./parse-call.ts";
import { readRequest, type WebhookRequest } from "./read-request.ts";
import { REFUSALS, type Refusal } from "./refusals.ts";
import type { SigningKey } from "./signing-key.ts";

/** Passes a call of the Function URL to the rotation function if its signature is valid and its id is bound. */
export const acceptCall =
  (deps: WebhookDependencies) =>
  async (event: unknown, context: Context): Promise<HttpAnswer> => {
    const budget = startTimeBudget(context.getRemainingTimeInMillis() - REPORTING_MS);
    const request = readRequest(event, deps.now());
    if ("refusal" in request) return refuse(deps, { kind: "refused", code: request.refusal });
    try {
      const verdict = await judge(deps, request, functionLocation(context), budget);
      return verdict.kind === "call"
        ? await invoke(deps, request, verdict.input, budget)
        : refuse(deps, verdict, request.id);
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      deps.log("WEBHOOK_CALL_FAILED", { code: error.code, advice: error.message, eventId: request.id });
      deps.measure("WebhookCallsFailed", 1, error.code);
      return UNAVAILABLE;
    }
  };

type Verdict =
  | { readonly kind: "call"; readonly input: DirectCall }
  | { readonly kind: "refused"; readonly code: Refusal }
  | { readonly kind: "malformed"; readonly code: string; readonly advice: string };

/**
 * If the cached keys do not verify a call, newer keys may, so they are read again at most once a minute. An unknown id
 * also causes this, so that the response time does not distinguish it from an unknown signature. An id that was published
 * a moment ago may therefore be refused for up to a minute; senders repeat a refused call.
 */
async function judge(
  { keys, rules, log }: WebhookDependencies,
  request: WebhookRequest,
  self: AwsLocation,
  budget: TimeBudget,
): Promise<Verdict> {
  const verdict = await judgeBy(await keys.current(budget), request, {
    self,
    budget,
    rules: await rules.known(budget),
  });
  if (verdict.kind !== "refused") return verdict;
  try {
    const renewed = await keys.renew(budget);
    if (renewed === undefined) return verdict;
    return await judgeBy(renewed, request, { self, budget, rules: await rules.latest(budget) });
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    log("WEBHOOK_KEYS_NOT_RENEWED", { code: error.code, advice: error.message });
    return verdict;
  }
}

async function judgeBy(
  keys: readonly SigningKey[],
  request: WebhookRequest,
  { rules, self, budget }: { readonly rules: Rules; readonly self: AwsLocation; readonly budget: TimeBudget },
): Promise<Verdict> {
  if (!isSigned(request, keys)) return { kind: "refused", code: "SIGNATURE_UNKNOWN" };
  const call = parseCall(request.body);
  if (call.kind === "malformed") return call;
  const subject = call.kind === "by-secret-id" ? { source: call.source } : { webhookId: call.webhookId };
  const index = await rules.find(self, subject, budget);
  const bound = "source" in subject ? index.find(subject.source) : index.findByWebhookId(subject.webhookId);
  return bound.length > 0 || hasTriggerMode(rules)
    ? { kind: "call", input: call.input }
    : { kind: "refused", code: "ID_NOT_BOUND" };
}

/** In trigger mode an ExternalSecret may read a source that no binding has; only the cluster knows. */
function hasTriggerMode({ clusters }: Rules): boolean {
  return Object.values(clusters).some(({ externalSecrets }) => externalSecrets !== undefined);
}

async function invoke(
  { accepted, allowance, invokeRotation, log, measure }: WebhookDependencies,
  request: WebhookRequest,
  input: DirectCall,
  budget: TimeBudget,
): Promise<HttpAnswer> {
  if (accepted.has(request)) {
    log("WEBHOOK_CALL_REPEATED", { eventId: request.id });
    measure("WebhookCallsRepeated", 1);
    return ACCEPTED;
  }
  const waitMs = allowance.take();
  if (waitMs > 0) {
    const { advice } = REFUSALS.CALLS_TOO_MANY;
    log("WEBHOOK_CALL_REFUSED", { code: "CALLS_TOO_MANY", advice, eventId: request.id });
    measure("WebhookCallsHeldOff", 1);
    return tooMany(waitMs);
  }
  accepted.add(request);
  try {
    await invokeRotation(input, budget);
  } catch (error) {
    accepted.forget(request); // so that the sender can retry
    throw error;
  }
  log("WEBHOOK_CALL_ACCEPTED", { eventId: request.id });
  measure("WebhookCallsAccepted", 1);
  return ACCEPTED;
}

/** Above the rate limit, refused calls are not logged and all get the same response. */
function refuse(
  { refusalAllowance, log, measure }: WebhookDependencies,
  verdict: Exclude<Verdict, { kind: "call" }>,
  eventId?: string,
): HttpAnswer {
  const waitMs = refusalAllowance.take();
  if (waitMs > 0) {
    measure("WebhookCallsHeldOff", 1);
    return tooMany(waitMs);
  }
  const isMalformed = verdict.kind === "malformed";
  const advice = isMalformed ? verdict.advice : REFUSALS[verdict.code].advice;
  log("WEBHOOK_CALL_REFUSED", { code: verdict.code, advice, ...(eventId !== undefined && { eventId }) });
  const isUnknown = !isMalformed && REFUSALS[verdict.code].status === 401;
  measure(isUnknown ? "WebhookCallsRefused" : "WebhookCallsMalformed", 1, verdict.code);
  return isMalformed ? malformed(verdict.code, verdict.advice) : refusal(verdict.code);
}

/** Time reserved for logs, metrics and the response. */
const REPORTING_MS = 1_000;
