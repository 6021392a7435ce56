import { LambdaClient } from "@aws-sdk/client-lambda";
import type { RulesSource } from "../../shared/bindings/published/rules.ts";
import { openRules } from "../../shared/relay/open-rules.ts";
import { boundedRequests } from "../../shared/runtime/bounded-requests.ts";
import type { Log } from "../../shared/runtime/log.ts";
import type { Measure } from "../../shared/runtime/metrics.ts";
import { parseBoundReference } from "../../shared/source/parse-secret-reference.ts";
import { currentSource } from "../../shared/source/secrets-manager/current-source.ts";
import { cachedSigningKeys, type SigningKeys } from "./cached-signing-keys.ts";
import { parseWebhookConfig } from "./config.ts";
import { type InvokeRotation, invokeRotationWith } from "./invoke-rotation.ts";
import { type RateLimiter, rateLimiter } from "./rate-limiter.ts";
import { type ReplayCache, replayCache } from "./replay-cache.ts";
import { parseSigningKeys } from "./signing-key.ts";

export type WebhookDependencies = {
  readonly rules: RulesSource;
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
  const config = parseWebhookConfig(env);
  const { keySecretArn, rotationFunctionArn, callsPerMinute } = config;
  const keySecret = parseBoundReference(keySecretArn) ?? { id: keySecretArn, names: [keySecretArn] };
  const { readCurrent, credentials } = currentSource();
  const lambda = new LambdaClient({ maxAttempts: 3, ...boundedRequests({ requestMs: 4_000 }) });
  return {
    rules: await openRules(config, { credentials, now }),
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
