import type { Context } from "aws-lambda";
import type { BindingIndex } from "../../shared/bindings/binding-index.ts";
import { RelayError } from "../../shared/relay-error.ts";
import { homeOfFunction } from "../../shared/secret-id/home-of-function.ts";
import { startTimeBudget, type TimeBudget } from "../../shared/time-budget/time-budget.ts";
import { isSigned } from "../../shared/webhook/is-signed.ts";
import { type DirectCall, parseCall } from "../../shared/webhook/parse-call.ts";
import { readRequest, type WebhookRequest } from "../../shared/webhook/read-request.ts";
import { REFUSALS, type Refusal } from "../../shared/webhook/refusals.ts";
import type { SigningKey } from "../../shared/webhook/signing-key.ts";
import type { WebhookDependencies } from "./dependencies.ts";
import { ACCEPTED, type HttpAnswer, malformed, refusal, tooMany, UNAVAILABLE } from "./http-answer.ts";

/**
 * Somebody calls the Function URL: when a key of ours signed the call and a binding has the id that it names, hand it
 * over to the rotation function, and answer.
 */
export const acceptCall =
  (deps: WebhookDependencies) =>
  async (event: unknown, context: Context): Promise<HttpAnswer> => {
    const budget = startTimeBudget(context.getRemainingTimeInMillis() - REPORTING_MS);
    const request = readRequest(event, deps.now());
    if ("refusal" in request) return refuse(deps, { kind: "refused", code: request.refusal });
    try {
      const verdict = await judge(deps, request, deps.bindingsFor(homeOfFunction(context)), budget);
      return verdict.kind === "call"
        ? await handOver(deps, request, verdict.input, budget)
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
 * What is not known by the keys at hand may be known by newer ones, so they are read again, once a minute at most. That
 * is done for an unknown id just as for an unknown signature, so that the time tells them apart as little as the answer.
 */
async function judge(
  { keys, log }: WebhookDependencies,
  request: WebhookRequest,
  index: BindingIndex,
  budget: TimeBudget,
): Promise<Verdict> {
  const verdict = judgeBy(await keys.current(budget), request, index);
  if (verdict.kind !== "refused") return verdict;
  try {
    const renewed = await keys.renew(budget);
    return renewed === undefined ? verdict : judgeBy(renewed, request, index);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    log("WEBHOOK_KEYS_NOT_RENEWED", { code: error.code, advice: error.message });
    return verdict;
  }
}

function judgeBy(keys: readonly SigningKey[], request: WebhookRequest, index: BindingIndex): Verdict {
  if (!isSigned(request, keys)) return { kind: "refused", code: "SIGNATURE_UNKNOWN" };
  const call = parseCall(request.body);
  if (call.kind === "malformed") return call;
  const bound =
    call.kind === "by-secret-id" ? index.find(call.source) : index.findByWebhookId(call.webhookId);
  return bound.length > 0 || asksClusters(index)
    ? { kind: "call", input: call.input }
    : { kind: "refused", code: "ID_NOT_BOUND" };
}

/** In trigger mode an ExternalSecret of a cluster may read a source that no binding has; only the cluster knows. */
function asksClusters({ clusters }: BindingIndex): boolean {
  return Object.values(clusters).some(({ externalSecrets }) => externalSecrets !== undefined);
}

async function handOver(
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
    accepted.forget(request); // so that its sender may try again
    throw error;
  }
  log("WEBHOOK_CALL_ACCEPTED", { eventId: request.id });
  measure("WebhookCallsAccepted", 1);
  return ACCEPTED;
}

/** Once too many were refused, no more is logged of them, and the answer is the same for all. */
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

/** Kept of Lambda's time to write logs and metrics, and to answer. */
const REPORTING_MS = 1_000;
