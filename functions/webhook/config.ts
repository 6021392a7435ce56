import { type BindingsConfig, readBindingsConfig } from "../../shared/relay/relay-config.ts";
import { environmentReader } from "../../shared/runtime/read-environment.ts";
import { CALLS_PER_MINUTE_MAX } from "./rate-limiter.ts";

export type WebhookConfig = BindingsConfig & {
  /** The only secret that this function may read. */
  readonly keySecretArn: string;
  /** The only function that this function may invoke. */
  readonly rotationFunctionArn: string;
  /** The limit of accepted calls, and of refused calls, per execution environment. */
  readonly callsPerMinute: number;
};

export function parseWebhookConfig(env: NodeJS.ProcessEnv): WebhookConfig {
  const read = environmentReader(env);
  const config: WebhookConfig = {
    ...readBindingsConfig(read),
    keySecretArn: read.requiredText("WEBHOOK_KEY_SECRET_ARN"),
    rotationFunctionArn: read.requiredText("ROTATION_FUNCTION_ARN"),
    callsPerMinute: read.integer("WEBHOOK_CALLS_PER_MINUTE", {
      min: 1,
      max: CALLS_PER_MINUTE_MAX,
      otherwise: 60,
    }),
  };
  read.check();
  return config;
}
