import { LambdaClient } from "@aws-sdk/client-lambda";
import { type BindingIndex, indexPerLocation } from "../../shared/bindings/binding-index.ts";
import { readCompiledBindings } from "../../shared/bindings/read-compiled-bindings.ts";
import { boundedRequests } from "../../shared/runtime/bounded-requests.ts";
import type { Log } from "../../shared/runtime/log.ts";
import type { Measure } from "../../shared/runtime/metrics.ts";
import { parseBoundReference } from "../../shared/source/parse-secret-reference.ts";
import type { AwsLocation } from "../../shared/source/secret-id.ts";
import { currentSource } from "../../shared/source/secrets-manager/current-source.ts";
import { cachedSigningKeys, type SigningKeys } from "./cached-signing-keys.ts";
import { parseWebhookConfig } from "./config.ts";
import { type InvokeRotation, invokeRotationWith } from "./invoke-rotation.ts";
import { type RateLimiter, rateLimiter } from "./rate-limiter.ts";
import { type ReplayCache, replayCache } from "./replay-cache.ts";
import { parseSigningKeys } from "./signing-key.ts";

export type WebhookDependencies = {
  readonly bindingsFor: (self: AwsLocation) => BindingIndex;
  readonly keys: SigningKeys;
  readonly accepted: ReplayCache;
  /** For valid calls. Refused calls have a separate limit, so that forged calls cannot use up this one. */
  readonly allowance: RateLimiter;
  readonly refusalAllowance: RateLimiter;
  readonly invokeRotation: InvokeRotation;
  readonly now: () => number;
  readonly log: Log;
  readonly measure: Measure;
};

export async function webhookDependencies(
  env: NodeJS.ProcessEnv,
  { log, measure, now = Date.now }: { log: Log; measure: Measure; now?: () => number },
): Promise<WebhookDependencies> {
  const { bindingsFile, keySecretArn, rotationFunctionArn, callsPerMinute } = parseWebhookConfig(env);
  const keySecret = parseBoundReference(keySecretArn) ?? { id: keySecretArn, names: [keySecretArn] };
  const { readCurrent } = currentSource();
  const lambda = new LambdaClient({ maxAttempts: 3, ...boundedRequests({ requestMs: 4_000 }) });
  return {
    bindingsFor: indexPerLocation(await readCompiledBindings(bindingsFile)),
    keys: cachedSigningKeys(
      async (budget) => parseSigningKeys((await readCurrent(keySecret, budget)).value),
      now,
    ),
    accepted: replayCache(now),
    allowance: rateLimiter(callsPerMinute, now),
    refusalAllowance: rateLimiter(callsPerMinute, now),
    invokeRotation: invokeRotationWith(lambda, rotationFunctionArn),
    now,
    log,
    measure,
  };
}
