import { LambdaClient } from "@aws-sdk/client-lambda";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { boundedRequests } from "../../shared/aws-client/bounded-requests.ts";
import { type BindingIndex, indexOncePerHome } from "../../shared/bindings/binding-index.ts";
import { readCompiledBindings } from "../../shared/bindings/read-compiled-bindings.ts";
import type { Log } from "../../shared/observability/log.ts";
import type { Measure } from "../../shared/observability/measure.ts";
import { parseBoundReference } from "../../shared/secret-id/parse-secret-reference.ts";
import type { SecretHome } from "../../shared/secret-id/secret-id.ts";
import { readCurrentWith } from "../../shared/source/read-current.ts";
import { secretsManagerClients } from "../../shared/source/secrets-manager-clients.ts";
import { type Allowance, allow } from "../../shared/webhook/allowance.ts";
import { type InvokeRotation, invokeRotationWith } from "../../shared/webhook/invoke-rotation.ts";
import { keepSigningKeys, type SigningKeys } from "../../shared/webhook/keep-signing-keys.ts";
import { type CallMemory, rememberCalls } from "../../shared/webhook/remember-calls.ts";
import { parseSigningKeys } from "../../shared/webhook/signing-key.ts";
import { parseWebhookConfig } from "./config.ts";

export type WebhookDependencies = {
  readonly bindingsFor: (self: SecretHome) => BindingIndex;
  readonly keys: SigningKeys;
  readonly accepted: CallMemory;
  /** For calls that are in order. Refused ones have their own, so that forgeries can't use this one up. */
  readonly allowance: Allowance;
  readonly refusalAllowance: Allowance;
  readonly invokeRotation: InvokeRotation;
  readonly now: () => number;
  readonly log: Log;
  readonly measure: Measure;
};

/** The real ones, made once per execution environment. */
export async function webhookDependencies(
  env: NodeJS.ProcessEnv,
  { log, measure, now = Date.now }: { log: Log; measure: Measure; now?: () => number },
): Promise<WebhookDependencies> {
  const { bindingsFile, keySecretArn, rotationFunctionArn, callsPerMinute } = parseWebhookConfig(env);
  const keySecret = parseBoundReference(keySecretArn) ?? { id: keySecretArn, names: [keySecretArn] };
  const readCurrent = readCurrentWith(secretsManagerClients((options) => new SecretsManagerClient(options)));
  const lambda = new LambdaClient({ maxAttempts: 3, ...boundedRequests({ requestMs: 4_000 }) });
  return {
    bindingsFor: indexOncePerHome(await readCompiledBindings(bindingsFile)),
    keys: keepSigningKeys(
      async (budget) => parseSigningKeys((await readCurrent(keySecret, budget)).value),
      now,
    ),
    accepted: rememberCalls(now),
    allowance: allow(callsPerMinute, now),
    refusalAllowance: allow(callsPerMinute, now),
    invokeRotation: invokeRotationWith(lambda, rotationFunctionArn),
    now,
    log,
    measure,
  };
}
