import { inspect } from "node:util";
import { type GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { HttpRequest } from "@smithy/core/protocols";
import type { NodeHttpHandler } from "@smithy/node-http-handler";
import { describe, expect, it } from "vitest";
import { RelayError } from "../../shared/relay-error.ts";
import type { TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { SecretReference, SourceAt, VersionId } from "../../shared/source/secret-id.ts";
import { classifySourceError } from "../../shared/source/secrets-manager/classify-error.ts";
import { secretsManagerClients } from "../../shared/source/secrets-manager/clients.ts";
import { readCurrentWith } from "../../shared/source/secrets-manager/read-current.ts";
import { CANARY, sdkError } from "../cluster/factories.ts";

const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";
const SOURCE: SecretReference = { id: "prod/db", names: ["prod/db"] };
const budget: TimeBudget = { signal: new AbortController().signal, remainingMs: () => 60_000 };

/** A client that returns each answer in turn, or throws it if it is an error, and records the calls. */
function fakeClient(...answers: readonly unknown[]) {
  const seen = {
    secretIds: [] as unknown[],
    inputs: [] as unknown[],
    signals: [] as unknown[],
    refreshed: 0,
    regions: [] as unknown[],
  };
  const client = {
    send: async (command: GetSecretValueCommand, options: { abortSignal: AbortSignal }) => {
      const answer = answers[seen.secretIds.length];
      seen.secretIds.push(command.input.SecretId);
      seen.inputs.push(command.input);
      seen.signals.push(options.abortSignal);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    config: {
      credentials: async (options?: { forceRefresh?: boolean }) => {
        if (options?.forceRefresh) seen.refreshed += 1;
        return {};
      },
    },
  };
  const readCurrent = readCurrentWith((region) => {
    seen.regions.push(region);
    return client as unknown as SecretsManagerClient;
  });
  return { seen, read: (source: SourceAt = SOURCE) => readCurrent(source, budget) };
}

const failureOf = (read: Promise<unknown>) =>
  read.then(
    () => "no failure",
    (error: unknown) => error,
  );

describe("the current value", () => {
  it("is read as a string, with its version and full ARN", async () => {
    const { read, seen } = fakeClient({ ARN, VersionId: "v1", SecretString: CANARY });

    const current = await read();

    expect(current).toMatchObject({ arn: ARN, versionId: "v1" });
    expect(Buffer.from(current.value.expose()).toString()).toBe(CANARY);
    expect(inspect(current, { depth: null })).not.toContain(CANARY);
    expect(seen).toMatchObject({ secretIds: ["prod/db"], signals: [budget.signal], regions: [undefined] });
  });

  it("is read as bytes when it is binary", async () => {
    const { read } = fakeClient({ ARN, VersionId: "v1", SecretBinary: Uint8Array.from([0, 255]) });
    const current = await read();
    expect([...current.value.expose()]).toEqual([0, 255]);
  });

  it("is requested in the Region of the source", async () => {
    const there = ARN.replace("eu-west-1", "us-east-1");
    const { read, seen } = fakeClient({ ARN: there, VersionId: "v1", SecretString: "x" });
    await read({ ...SOURCE, location: { partition: "aws", region: "us-east-1", accountId: "111122223333" } });
    expect(seen.regions).toEqual(["us-east-1"]);
  });

  const versionId = "v".repeat(32) as VersionId;
  it.each<[what: string, source: SourceAt, input: object]>([
    ["AWSCURRENT", SOURCE, { VersionStage: "AWSCURRENT" }],
    ["the staging label", { ...SOURCE, stage: "GREEN" }, { VersionStage: "GREEN" }],
    ["the pinned version", { ...SOURCE, versionId }, { VersionId: versionId }],
  ])("is requested by %s", async (_what, source, input) => {
    const { versionId: VersionId = "v1" } = source;
    const { read, seen } = fakeClient({ ARN, VersionId, SecretString: "x", VersionStages: ["any"] });
    expect(await read(source)).not.toHaveProperty("isDeprecated");
    expect(seen.inputs).toEqual([{ SecretId: "prod/db", ...input }]);
  });

  it("is not accepted from a response with another version than the pinned one", async () => {
    const { read } = fakeClient({ ARN, VersionId: "v1", SecretString: CANARY, VersionStages: ["any"] });
    expect(await failureOf(read({ ...SOURCE, versionId }))).toMatchObject({ code: "SOURCE_UNAVAILABLE" });
  });

  it("of a pinned version without a label is marked as deprecated", async () => {
    const { read } = fakeClient({ ARN, VersionId: versionId, SecretString: "x", VersionStages: [] });
    expect(await read({ ...SOURCE, versionId })).toMatchObject({ isDeprecated: true });
  });

  it.each<[source: SourceAt, says: string]>([
    [{ ...SOURCE, stage: "GREEN" }, "a value under the staging label GREEN"],
    [{ ...SOURCE, versionId }, `the version ${versionId}`],
    [SOURCE, "a current value"],
  ])("that does not exist is reported with the requested label or version: %j", async (source, says) => {
    const failure = await failureOf(fakeClient(sdkError("ResourceNotFoundException")).read(source));
    expect(failure).toMatchObject({ code: "SOURCE_NOT_FOUND", message: expect.stringContaining(says) });
  });

  it.each([
    { it: "a secret without a value", answer: { ARN, VersionId: "v1" } },
    { it: "an answer without a version", answer: { ARN, SecretString: CANARY } },
    { it: "an answer without an ARN", answer: { VersionId: "v1", SecretString: CANARY } },
  ])("is not read from $it, which is not proof of absence either", async ({ answer }) => {
    const failure = await failureOf(fakeClient(answer).read());
    expect(failure).toMatchObject({ code: "SOURCE_UNAVAILABLE", retryable: true });
    expect(inspect(failure)).not.toContain(CANARY);
  });
});

describe("credentials that expired during a read", () => {
  it.each(["ExpiredTokenException", "ExpiredToken", "RequestExpired", "UnrecognizedClientException"])(
    "are renewed once, and the read is retried: %s",
    async (name) => {
      const { read, seen } = fakeClient(sdkError(name), { ARN, VersionId: "v1", SecretString: "x" });
      expect(await read()).toMatchObject({ versionId: "v1" });
      expect(seen.refreshed).toBe(1);
    },
  );

  it("are reported as expired if fresh ones are refused too", async () => {
    const { read, seen } = fakeClient(sdkError("ExpiredTokenException"), sdkError("ExpiredTokenException"));
    expect(await failureOf(read())).toMatchObject({ code: "SOURCE_CREDENTIALS_EXPIRED", retryable: true });
    expect(seen.secretIds).toHaveLength(2);
  });

  it("do not hide the error of the second read", async () => {
    const { read } = fakeClient(sdkError("ExpiredTokenException"), sdkError("AccessDeniedException"));
    expect(await failureOf(read())).toMatchObject({ code: "SOURCE_FORBIDDEN" });
  });
});

describe("an error of Secrets Manager", () => {
  const marked = "You can't perform this operation on the secret because it was marked for deletion.";
  const currentlyMarked = "You tried to perform the operation on a secret that's currently marked deleted.";

  it.each([
    { name: "ResourceNotFoundException", status: 400, code: "SOURCE_NOT_FOUND", retryable: false },
    { name: "AccessDeniedException", status: 400, code: "SOURCE_FORBIDDEN", retryable: false },
    {
      name: "AccessDeniedException",
      message: "Access to KMS is not allowed",
      status: 400,
      code: "SOURCE_NOT_DECRYPTED",
      retryable: false,
    },
    { name: "DecryptionFailure", status: 400, code: "SOURCE_NOT_DECRYPTED", retryable: false },
    {
      name: "InvalidRequestException",
      message: marked,
      status: 400,
      code: "SOURCE_SCHEDULED_FOR_DELETION",
      retryable: false,
    },
    {
      name: "InvalidRequestException",
      message: currentlyMarked,
      status: 400,
      code: "SOURCE_SCHEDULED_FOR_DELETION",
      retryable: false,
    },
    { name: "InvalidRequestException", status: 400, code: "SOURCE_REJECTED", retryable: false },
    { name: "InvalidParameterException", status: 400, code: "SOURCE_REJECTED", retryable: false },
    { name: "ValidationException", status: 400, code: "SOURCE_REJECTED", retryable: false },
    { name: "ThrottlingException", status: 400, code: "SOURCE_THROTTLED", retryable: true },
    { name: "TooManyRequestsException", status: 429, code: "SOURCE_THROTTLED", retryable: true },
    { name: "Throttling", status: 400, code: "SOURCE_THROTTLED", retryable: true },
    { name: "LimitExceededException", status: 400, code: "SOURCE_THROTTLED", retryable: true },
    { name: "AnythingElse", status: 429, code: "SOURCE_THROTTLED", retryable: true },
    { name: "InternalServiceError", status: 500, code: "SOURCE_UNAVAILABLE", retryable: true },
    { name: "ServiceUnavailable", status: 503, code: "SOURCE_UNAVAILABLE", retryable: true },
    { name: "TimeoutError", code: "SOURCE_UNAVAILABLE", retryable: true },
    { name: "AbortError", code: "SOURCE_UNAVAILABLE", retryable: true },
    { name: "CredentialsProviderError", code: "SOURCE_UNAVAILABLE", retryable: true },
    { name: `${CANARY} in a name`, status: 400, code: "SOURCE_REJECTED", retryable: false },
  ])("$name ($status, $message) is $code", ({ name, message, status, code, retryable }) => {
    const error = classifySourceError("prod/db", sdkError(name, message && `${message} ${CANARY}`, status));

    expect(error).toMatchObject({ code, retryable, message: expect.stringContaining("prod/db") });
    expect(inspect(error, { showHidden: true, depth: null })).not.toContain(CANARY);
  });

  it.each([undefined, null, CANARY, 7, {}, { $metadata: { httpStatusCode: "400" }, name: 3, message: 4 }])(
    "is one of ours, even for a thrown %j",
    (thrown) => {
      const error = classifySourceError("prod/db", thrown);
      expect(error).toBeInstanceOf(RelayError);
      expect(inspect(error)).not.toContain(CANARY);
    },
  );
});

describe("the clients of Secrets Manager", () => {
  it("are cached, one per Region, and all have timeouts", async () => {
    const request = new HttpRequest({ hostname: "example.com" });
    const configs: Record<string, unknown>[] = [];
    const clientFor = secretsManagerClients((config) => {
      configs.push({ ...config });
      return new SecretsManagerClient({ ...config, region: config.region ?? "eu-west-1" });
    });

    const clients = [
      clientFor(undefined),
      clientFor("us-east-1"),
      clientFor(undefined),
      clientFor("us-east-1"),
    ];

    expect(new Set(clients).size).toBe(2);
    expect(configs.map(({ region }) => region)).toEqual([undefined, "us-east-1"]);
    for (const { requestHandler } of clients.map(({ config }) => config)) {
      await requestHandler.handle(request, { abortSignal: AbortSignal.abort() }).catch(() => {}); // reads its settings
      expect((requestHandler as NodeHttpHandler).httpHandlerConfigs()).toMatchObject({
        connectionTimeout: expect.any(Number),
        requestTimeout: expect.any(Number),
      });
    }
  });
});
