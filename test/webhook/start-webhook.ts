import { acceptCall } from "../../functions/webhook/accept-call.ts";
import { cachedSigningKeys } from "../../functions/webhook/cached-signing-keys.ts";
import type { WebhookDependencies } from "../../functions/webhook/dependencies.ts";
import type { HttpAnswer } from "../../functions/webhook/http-answer.ts";
import type { DirectCall } from "../../functions/webhook/parse-call.ts";
import { rateLimiter } from "../../functions/webhook/rate-limiter.ts";
import { replayCache } from "../../functions/webhook/replay-cache.ts";
import { parseSigningKeys } from "../../functions/webhook/signing-key.ts";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { rulesOfFile } from "../../shared/bindings/published/rules.ts";
import type { LogCode, LogFields } from "../../shared/runtime/log.ts";
import type { MetricName } from "../../shared/runtime/metrics.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import { findTraces } from "../harness/canary.ts";
import { lambdaContext } from "../harness/relay.ts";

export type TestWebhook = {
  call(event: unknown): Promise<HttpAnswer>;
  /** The inputs of the invocations of the rotation function. */
  readonly invoked: readonly DirectCall[];
  readonly logs: readonly { code: LogCode; fields: LogFields }[];
  readonly metrics: readonly { name: MetricName; code?: string }[];
  keyReads(): number;
  /** Advances the clock, which otherwise stands still. */
  pass(ms: number): void;
  now(): number;
};

export type TestWebhookOptions = {
  /** The content of the secret of the signing keys at each read. */
  readonly keys: () => readonly string[];
  readonly callsPerMinute?: number;
  /** Whether the cluster of the bindings is in trigger mode. */
  readonly triggers?: boolean;
  readonly invokeRotation?: WebhookDependencies["invokeRotation"];
};

const bindingsWith = (ofCluster: string) => `
version: 1
clusters:
  main: { name: blue, region: eu-west-1${ofCluster} }
bindings:
  - source: prod/db
    webhookId: shop-db
    targets: [{ cluster: main, namespace: shop, name: db }]
  - source: prod/cache
    targets: [{ cluster: main, namespace: shop, name: cache }]
`;

/** The webhook function without AWS: the test provides its keys, its clock and the rotation function. */
export function startWebhook({
  keys,
  callsPerMinute = 60,
  triggers = false,
  invokeRotation,
}: TestWebhookOptions): TestWebhook {
  let clock = Date.UTC(2026, 10, 25, 3, 0, 0, 400);
  let keyReads = 0;
  const now = () => clock;
  const invoked: DirectCall[] = [];
  const logs: { code: LogCode; fields: LogFields }[] = [];
  const metrics: { name: MetricName; code?: string }[] = [];
  const readKeys = async () => {
    keyReads += 1;
    return parseSigningKeys(SecretValue.fromText(JSON.stringify({ keys: keys() })));
  };
  const run = acceptCall({
    rules: rulesOfFile(
      loadBindings(bindingsWith(triggers ? ", externalSecrets: { namespaces: all }" : ""), "bindings.yaml"),
    ),
    keys: cachedSigningKeys(readKeys, now),
    accepted: replayCache(now),
    allowance: rateLimiter(callsPerMinute, now),
    refusalAllowance: rateLimiter(callsPerMinute, now),
    invokeRotation:
      invokeRotation ??
      (async (input) => {
        invoked.push(input);
      }),
    now,
    log: (code, fields = {}) => logs.push({ code, fields }),
    measure: (name, _value, code) => metrics.push({ name, ...(code !== undefined && { code }) }),
  });
  const home = { aws: { region: "eu-west-1", accountId: "111122223333" } } as Parameters<
    typeof lambdaContext
  >[0];
  return {
    call: async (event) => {
      const answer = await run(event, lambdaContext(home));
      const traces = findTraces(JSON.stringify([answer, logs, metrics]));
      if (traces.length > 0)
        throw new Error(`A secret was answered, logged or measured (${traces.join(", ")})`);
      return answer;
    },
    invoked,
    logs,
    metrics,
    keyReads: () => keyReads,
    pass: (ms) => {
      clock += ms;
    },
    now,
  };
}
