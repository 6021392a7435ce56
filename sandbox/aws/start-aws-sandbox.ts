import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AwsError } from "./aws-error.ts";
import type { Call, Operation, Service } from "./call.ts";
import { createStacks } from "./cloudformation.ts";
import { type CloudWatch, createCloudWatch } from "./cloudwatch.ts";
import { type Counters, createCounters } from "./counters.ts";
import {
  createCredentials,
  type IssuedCredentials,
  type KnownCredentials,
  type SessionRequest,
} from "./credentials.ts";
import { eksOperations, type SandboxCluster } from "./eks.ts";
import type { AwsEvent } from "./event-shapes.ts";
import { createEvents, type EventListener, type Events } from "./events.ts";
import { createFaults, type Faults } from "./faults.ts";
import { createFunctions, type SandboxFunction } from "./lambda.ts";
import { type Answer, type Asked, guessService, parseAsked, printError, printResult } from "./protocol.ts";
import { createRules } from "./rules.ts";
import { type BucketOptions, createBuckets } from "./s3/buckets.ts";
import { s3Operations } from "./s3/operations.ts";
import type { S3Input } from "./s3/parse-s3.ts";
import { S3Error } from "./s3/s3-error.ts";
import type { SecretsManagerContext, SecretsManagerOptions } from "./secrets-manager/context.ts";
import { secretsManagerOperations } from "./secrets-manager/operations.ts";
import { createSecretStore } from "./secrets-manager/secret-store.ts";
import { type SeededSecret, type SeedSecret, seedSecrets } from "./secrets-manager/seed.ts";
import { type Served, serve, type Tls } from "./serve.ts";
import { type SignatureVerdict, type SignedRequest, verifySignature } from "./sigv4.ts";
import { sqsOperations } from "./sqs.ts";
import { stsOperations } from "./sts.ts";

export type AwsSandboxOptions = Partial<SecretsManagerOptions> & {
  readonly region?: string;
  readonly accountId?: string;
  /** PEM; without it the sandbox speaks plain HTTP. */
  readonly tls?: Tls;
  readonly now?: () => number;
  /** Waits on that clock, for a long poll. */
  readonly wait?: (ms: number) => Promise<unknown>;
  /** The length of session tokens from AssumeRole. */
  readonly sessionTokenChars?: number;
};

/** Called for a request with a valid signature: before it is served, or when its response is ready. */
export type CallHook = (call: Call) => unknown;

export type AwsSandbox = {
  readonly region: string;
  readonly accountId: string;
  readonly endpoint: string;
  readonly env: Readonly<Record<string, string>>;
  readonly now: () => number;
  readonly faults: Faults;
  readonly counters: Counters;
  readonly events: Events;
  /** Settings of Secrets Manager that can change at any time. */
  readonly options: SecretsManagerOptions;
  onEvent(listener: EventListener): () => void;
  /** A hook that waits holds its request: tests use it to fix an interleaving. */
  before(hook: CallHook): () => void;
  /** The same between the result and its response: a read that holds an old value, for example. */
  after(hook: CallHook): () => void;
  addCluster(cluster: SandboxCluster): void;
  removeCluster(name: string): void;
  /** Adds an empty bucket of S3. */
  addBucket(name: string, options?: BucketOptions): void;
  /** Adds a Lambda function, given as code; returns its ARN. */
  addFunction(name: string, run: SandboxFunction): string;
  /** Adds a deployed stack with its outputs. */
  addStack(
    name: string,
    outputs: Readonly<Record<string, string>>,
    parameters?: Readonly<Record<string, string>>,
  ): void;
  /** Adds metrics and logs. */
  readonly cloudWatch: Pick<CloudWatch, "addMetric" | "addLogLine" | "emptyLogGroup">;
  /** Adds a rule of EventBridge for DescribeRule; its state does not affect the listeners. */
  setRule(name: string, state: "ENABLED" | "DISABLED", targets?: readonly string[]): void;
  /** Resolves when every asynchronous invocation so far has ended. */
  invocationsSettled(): Promise<void>;
  seedSecrets(seeds: Iterable<SeedSecret>): SeededSecret[];
  /** For other verifiers of signatures, such as the cluster that checks an EKS token. */
  credentialsOf(accessKeyId: string): KnownCredentials | undefined;
  /** Issues credentials as AssumeRole does, without a request. */
  issueCredentials(request: SessionRequest): IssuedCredentials;
  /** One request without a socket, for a simulation with virtual time; undefined when a fault cuts the connection. */
  ask(request: SignedRequest): Promise<Answer | undefined>;
  stop(): Promise<void>;
};

export type { AwsEvent, Call, IssuedCredentials, KnownCredentials, SandboxCluster };

const ACCESS_KEY_ID = "AKIASANDBOXSANDBOX00";
const SECRET_ACCESS_KEY = "a-secret-access-key-of-the-sandbox-only";
const USER_ID = "AIDASANDBOXSANDBOX000";

/**
 * Starts Secrets Manager, STS, EKS, SQS and S3, and the needed operations of Lambda, CloudFormation, EventBridge and
 * CloudWatch, on one port of the loopback.
 */
export async function startAwsSandbox(options: AwsSandboxOptions = {}): Promise<AwsSandbox> {
  const { region = "eu-west-1", accountId = "111122223333", now = Date.now } = options;
  const { wait = (ms) => sleep(ms, undefined, { ref: false }) } = options;
  const home = { partition: partitionOf(region), region, accountId };
  const credentials = createCredentials(accountId, home.partition, now);
  credentials.add(ACCESS_KEY_ID, {
    secretAccessKey: SECRET_ACCESS_KEY,
    arn: `arn:${home.partition}:iam::${accountId}:user/sandbox`,
    userId: USER_ID,
  });
  const faults = createFaults(now);
  const counters = createCounters();
  const events = createEvents(home, now);
  const store = createSecretStore(home, now);
  const clusters = new Map<string, SandboxCluster>();
  const functions = createFunctions(home);
  const buckets = createBuckets(region, now);
  const stacks = createStacks(home, now);
  const cloudWatch = createCloudWatch();
  const rules = createRules(home);
  const hooks = { before: new Set<CallHook>(), after: new Set<CallHook>() };
  const context: SecretsManagerContext = {
    store,
    events,
    faults,
    counters,
    now,
    options: {
      listStaleMs: options.listStaleMs ?? 0,
      scannedPerPageMax: options.scannedPerPageMax ?? 1_000,
      labelEventOnCreate: options.labelEventOnCreate ?? false,
      strictVersionQuota: options.strictVersionQuota ?? false,
    },
  };
  let served: Served | undefined;
  const operations: Readonly<Record<Service, ReadonlyMap<string, Operation>>> = {
    secretsmanager: secretsManagerOperations(context),
    sts: stsOperations(credentials, accountId, options.sessionTokenChars),
    eks: eksOperations(clusters, home),
    sqs: sqsOperations({ ...home, endpoint: () => served?.endpoint ?? "" }, { now, wait }),
    lambda: functions.operations,
    cloudformation: stacks.operations,
    monitoring: cloudWatch.monitoring,
    logs: cloudWatch.logs,
    events: rules.operations,
    s3: s3Operations(buckets, events),
  };

  const identify = (request: SignedRequest, asked: Asked, requestId: string): Call => {
    const verdict = verifySignature(request, {
      findCredentials: credentials.find,
      now,
      region,
      service: asked.service,
    });
    if (verdict.kind !== "valid")
      throw asked.service === "s3" ? s3Refusal(verdict, region) : refusal(verdict);
    const { SecretId, Name } = asked.input;
    const secretId = SecretId ?? (asked.operation === "CreateSecret" ? Name : undefined);
    const secret = typeof secretId === "string" ? store.find(secretId) : undefined;
    return {
      ...asked,
      requestId,
      accessKeyId: verdict.accessKeyId,
      callerArn: verdict.credentials.arn,
      ...(secret !== undefined && { secretName: secret.name }),
      ...(asked.service === "s3" && { objectKey: (asked.input as S3Input).Key }),
    };
  };

  /** Undefined when a fault cuts the connection. */
  const perform = async (call: Call): Promise<object | undefined> => {
    for (const hook of hooks.before) await hook(call);
    const disturbance = faults.disturb(call);
    if (disturbance.latencyMs > 0) await sleep(disturbance.latencyMs);
    if (disturbance.reset === "before") return undefined;
    if (disturbance.error !== undefined) throw disturbance.error;
    const operate = operations[call.service].get(call.operation);
    if (operate === undefined) {
      throw new AwsError(
        "UnknownOperationException",
        `The sandbox has no operation ${call.service}:${call.operation}`,
      );
    }
    const result = await operate(call);
    for (const hook of hooks.after) await hook(call);
    return disturbance.reset === "after" ? undefined : result;
  };

  const narrator = (call: Call, outcome: { result: object } | { error: AwsError }): void => {
    if (call.service !== "secretsmanager") return;
    if ("error" in outcome) {
      const { code, message } = outcome.error;
      events.called(call, { error: { code, message } });
      return;
    }
    const { ARN: arn, SecretValues = [] } = outcome.result as {
      ARN?: string;
      SecretValues?: { ARN: string }[];
    };
    events.called(call, { arn });
    // A batch also counts as one read of each of its secrets.
    for (const { ARN: SecretId } of SecretValues) {
      events.called({ ...call, operation: "GetSecretValue", input: { SecretId } }, { arn: SecretId });
    }
  };

  const respond = async (request: SignedRequest): Promise<Answer | undefined> => {
    const requestId = randomUUID();
    let service = guessService(request);
    let call: Call | undefined;
    try {
      const asked = parseAsked(request);
      service = asked.service;
      counters.countCall(asked.operation);
      call = identify(request, asked, requestId);
      const result = await perform(call);
      if (result === undefined) return undefined;
      narrator(call, { result });
      return printResult(asked, result, requestId, request.headers.accept === "application/json");
    } catch (caught) {
      const error = caught instanceof AwsError ? caught : broken(caught);
      if (call !== undefined) narrator(call, { error });
      return printError(service, error, requestId);
    }
  };

  served = await serve(respond, options.tls, now);
  const { endpoint, stop } = served;
  return {
    region,
    accountId,
    endpoint,
    env: {
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: ACCESS_KEY_ID,
      AWS_SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
      AWS_ENDPOINT_URL_STS: endpoint,
      AWS_ENDPOINT_URL_EKS: endpoint,
      AWS_ENDPOINT_URL_SQS: endpoint,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ENDPOINT_URL_LAMBDA: endpoint,
      AWS_ENDPOINT_URL_CLOUDFORMATION: endpoint,
      AWS_ENDPOINT_URL_CLOUDWATCH: endpoint,
      AWS_ENDPOINT_URL_EVENTBRIDGE: endpoint,
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: endpoint,
    },
    now,
    faults,
    counters,
    events,
    options: context.options,
    onEvent: events.subscribe,
    before: (hook) => hooked(hooks.before, hook),
    after: (hook) => hooked(hooks.after, hook),
    addCluster: (cluster) => void clusters.set(cluster.name, cluster),
    addBucket: buckets.add,
    removeCluster: (name) => void clusters.delete(name),
    addFunction: functions.add,
    addStack: stacks.add,
    cloudWatch,
    setRule: rules.set,
    invocationsSettled: functions.settled,
    seedSecrets: (seeds) => seedSecrets(context, seeds),
    credentialsOf: credentials.find,
    issueCredentials: credentials.issue,
    ask: respond,
    async stop() {
      events.close();
      await stop();
    },
  };
}

function hooked(hooks: Set<CallHook>, hook: CallHook): () => void {
  hooks.add(hook);
  return () => void hooks.delete(hook);
}

function refusal(verdict: Exclude<SignatureVerdict, { kind: "valid" }>): AwsError {
  switch (verdict.kind) {
    case "missing":
      return new AwsError("MissingAuthenticationTokenException", "Missing Authentication Token");
    case "incomplete":
      return new AwsError("IncompleteSignatureException", verdict.message);
    case "unknown-key":
    case "wrong-session-token":
      return new AwsError(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
      );
    case "expired-credentials":
      return new AwsError("ExpiredTokenException", "The security token included in the request is expired");
    case "mismatch":
      return new AwsError("InvalidSignatureException", verdict.message);
  }
}

function s3Refusal(verdict: Exclude<SignatureVerdict, { kind: "valid" }>, region: string): AwsError {
  if (verdict.kind === "wrong-session-token") {
    return new S3Error("InvalidToken", "The provided token is malformed or otherwise invalid.", 400);
  }
  if (verdict.kind !== "mismatch" || verdict.about === "signature") return refusal(verdict);
  if (verdict.about === "scope") {
    const message = `The authorization header is malformed; expecting '${region}'`;
    return new S3Error("AuthorizationHeaderMalformed", message, 400, { Region: region });
  }
  const message = "The difference between the request time and the current time is too large.";
  return new S3Error("RequestTimeTooSkewed", message, 403);
}

/** A bug of the sandbox must be visible, and not look like an error of AWS. */
function broken(caught: unknown): AwsError {
  const reason = caught instanceof Error ? (caught.stack ?? caught.message) : String(caught);
  return new AwsError("InternalServiceError", `The sandbox itself failed: ${reason}`, 500);
}

function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}
