import { createHash, createHmac, randomUUID } from "node:crypto";
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AwsEvent, AwsSandbox } from "../../sandbox/aws/start-aws-sandbox.ts";
import { startAwsSandbox } from "../../sandbox/aws/start-aws-sandbox.ts";
import { describeAwsContract } from "../contract/aws-contract.ts";
import { type AwsClients, awsClients, credentialsOf, type TestCredentials } from "../harness/aws-clients.ts";

describe("the AWS sandbox answers as AWS", () => {
  describeAwsContract({
    name: "sandbox",
    start: () => startAwsSandbox(),
    async addCluster(backend, name) {
      const cluster = { endpoint: "https://127.0.0.1:1", certificateAuthorityData: "UEVN" };
      (backend as AwsSandbox).addCluster({ name, ...cluster });
      return cluster;
    },
  });
});

describe("the AWS sandbox", () => {
  const MINUTE_MS = 60_000;
  let sandbox: AwsSandbox;
  let aws: AwsClients;
  let aheadMs: number;
  beforeEach(async () => {
    aheadMs = 0;
    sandbox = await startAwsSandbox({ now: () => Date.now() + aheadMs });
    aws = awsClients(sandbox);
  });
  afterEach(async () => {
    aws.destroy();
    await sandbox.stop();
  });

  const create = async (Name = `sandbox/${randomUUID()}`, SecretString = "first") => {
    const { ARN = "", VersionId = "" } = await aws.secrets.send(
      new CreateSecretCommand({ Name, SecretString }),
    );
    return { Name, ARN, VersionId };
  };
  const put = async (SecretId: string, SecretString: string, VersionStages?: string[]) => {
    const { VersionId = "" } = await aws.secrets.send(
      new PutSecretValueCommand({ SecretId, SecretString, ...(VersionStages && { VersionStages }) }),
    );
    return VersionId;
  };
  const read = async (SecretId: string) => {
    const { SecretString } = await aws.secrets.send(new GetSecretValueCommand({ SecretId }));
    return SecretString;
  };

  type RawRequest = {
    service?: string;
    region?: string;
    headers?: Record<string, string>;
    body?: string;
    credentials?: TestCredentials;
    signedAt?: number;
    tamper?: (signed: { headers: Record<string, string>; body: string }) => void;
  };

  /** A request that this test signs, so that it can be wrong in ways that the SDK's are not. */
  const send = async (request: RawRequest) => {
    const { service = "secretsmanager", body = "{}", credentials = credentialsOf(sandbox) } = request;
    const { hostname, port } = new URL(sandbox.endpoint);
    const signer = new SignatureV4({
      service,
      region: request.region ?? sandbox.region,
      credentials,
      sha256: Sha256,
      applyChecksum: false,
    });
    const signed = await signer.sign(
      {
        method: "POST",
        protocol: "http:",
        hostname,
        path: "/",
        headers: { host: `${hostname}:${port}`, ...request.headers },
        body,
      },
      { signingDate: new Date(request.signedAt ?? sandbox.now()) },
    );
    const { host: _, ...headers } = signed.headers as Record<string, string>;
    const sent = { headers, body };
    request.tamper?.(sent);
    const response = await fetch(sandbox.endpoint, { method: "POST", ...sent });
    const text = await response.text();
    return { status: response.status, text, date: response.headers.get("date") };
  };
  const listSecrets = (request: RawRequest = {}) =>
    send({ ...request, headers: { "x-amz-target": "secretsmanager.ListSecrets", ...request.headers } });
  const identify = (request: RawRequest = {}) =>
    send({
      service: "sts",
      body: "Action=GetCallerIdentity&Version=2011-06-15",
      ...request,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });

  describe("checks signatures as AWS does", () => {
    it("accepts a right one", async () => {
      await expect(listSecrets()).resolves.toMatchObject({ status: 200 });
      await expect(identify()).resolves.toMatchObject({ status: 200 });
    });

    const refusals: { it: string; request: () => RawRequest; json: string; sts: string }[] = [
      {
        it: "refuses a wrong secret key",
        request: () => ({ credentials: { ...credentialsOf(sandbox), secretAccessKey: "wrong" } }),
        json: "InvalidSignatureException",
        sts: "SignatureDoesNotMatch",
      },
      {
        it: "refuses an unknown access key",
        request: () => ({ credentials: { accessKeyId: "AKIAUNKNOWN", secretAccessKey: "wrong" } }),
        json: "UnrecognizedClientException",
        sts: "InvalidClientTokenId",
      },
      {
        it: "refuses a body that changed after it was signed",
        request: () => ({
          tamper: (sent) => {
            sent.body = `${sent.body} `;
          },
        }),
        json: "InvalidSignatureException",
        sts: "SignatureDoesNotMatch",
      },
      {
        it: "refuses a signature that is more than five minutes old",
        request: () => ({ signedAt: sandbox.now() - 5 * MINUTE_MS - 2_000 }),
        json: "InvalidSignatureException",
        sts: "SignatureDoesNotMatch",
      },
      {
        it: "refuses a signature from more than five minutes ahead",
        request: () => ({ signedAt: sandbox.now() + 5 * MINUTE_MS + 2_000 }),
        json: "InvalidSignatureException",
        sts: "SignatureDoesNotMatch",
      },
      {
        it: "refuses a signature for another Region",
        request: () => ({ region: "us-east-1" }),
        json: "InvalidSignatureException",
        sts: "SignatureDoesNotMatch",
      },
      {
        it: "refuses a signature for another service",
        request: () => ({ service: "eks" }),
        json: "InvalidSignatureException",
        sts: "SignatureDoesNotMatch",
      },
      {
        it: "refuses a session token on credentials that have none",
        request: () => ({ credentials: { ...credentialsOf(sandbox), sessionToken: "made-up" } }),
        json: "UnrecognizedClientException",
        sts: "InvalidClientTokenId",
      },
      {
        it: "refuses temporary credentials without their session token",
        request: () => ({ credentials: { ...temporary(), sessionToken: "" } }),
        json: "UnrecognizedClientException",
        sts: "InvalidClientTokenId",
      },
      {
        it: "refuses temporary credentials after their end",
        request: () => {
          const credentials = temporary();
          aheadMs += 16 * MINUTE_MS;
          return { credentials };
        },
        json: "ExpiredTokenException",
        sts: "ExpiredToken",
      },
      {
        it: "refuses a request without a signature",
        request: () => ({
          tamper: (sent) => {
            delete sent.headers.authorization;
          },
        }),
        json: "MissingAuthenticationTokenException",
        sts: "MissingAuthenticationToken",
      },
    ];
    const temporary = (): TestCredentials =>
      sandbox.issueCredentials({ roleName: "relay", sessionName: "test", lifeMs: 15 * MINUTE_MS });

    it.each(refusals)("$it", async ({ request, json, sts }) => {
      const wrong = request();

      const bySecretsManager = await listSecrets(wrong);
      const bySts = await identify(wrong);

      expect(bySecretsManager.status).toBe(400);
      expect(JSON.parse(bySecretsManager.text)).toMatchObject({ __type: json });
      expect(bySts.status).toBe(403);
      expect(bySts.text).toContain(`<Code>${sts}</Code>`);
    });

    it("lets a client with a wrong clock correct itself by the Date of the refusal", async () => {
      aheadMs = 60 * MINUTE_MS;
      const retrying = new SecretsManagerClient({
        region: sandbox.region,
        credentials: credentialsOf(sandbox),
        endpoint: sandbox.endpoint,
      });

      await expect(retrying.send(new ListSecretsCommand({}))).resolves.toMatchObject({ SecretList: [] });
      retrying.destroy();
    });

    it("accepts AssumeRole's credentials until their end and refuses them from then on", async () => {
      const { Credentials } = await aws.sts.send(
        new AssumeRoleCommand({
          RoleArn: "arn:aws:iam::111122223333:role/path/relay",
          RoleSessionName: "test",
        }),
      );
      const asRole = awsClients(sandbox, {
        accessKeyId: Credentials?.AccessKeyId ?? "",
        secretAccessKey: Credentials?.SecretAccessKey ?? "",
        sessionToken: Credentials?.SessionToken ?? "",
      });

      const identity = await asRole.sts.send(new GetCallerIdentityCommand({}));
      aheadMs = 61 * MINUTE_MS;
      const later = await listSecrets({
        credentials: {
          accessKeyId: Credentials?.AccessKeyId ?? "",
          secretAccessKey: Credentials?.SecretAccessKey ?? "",
          sessionToken: Credentials?.SessionToken ?? "",
        },
      });
      asRole.destroy();

      expect(identity.Arn).toBe("arn:aws:sts::111122223333:assumed-role/relay/test");
      expect(JSON.parse(later.text)).toMatchObject({ __type: "ExpiredTokenException" });
      const known = sandbox.credentialsOf(Credentials?.AccessKeyId ?? "");
      expect(known).toMatchObject({ sessionToken: Credentials?.SessionToken, arn: identity.Arn });
    });

    it("accepts a presigned GetCallerIdentity for fifteen minutes, with the headers that it signs", async () => {
      const { hostname, port } = new URL(sandbox.endpoint);
      const signer = new SignatureV4({
        service: "sts",
        region: sandbox.region,
        credentials: credentialsOf(sandbox),
        sha256: Sha256,
      });
      const { query = {} } = await signer.presign(
        {
          method: "GET",
          protocol: "http:",
          hostname,
          path: "/",
          query: { Action: "GetCallerIdentity", Version: "2011-06-15" },
          headers: { host: `${hostname}:${port}`, "x-k8s-aws-id": "prod" },
        },
        { expiresIn: 60, signingDate: new Date(sandbox.now()) },
      );
      const url = `${sandbox.endpoint}/?${new URLSearchParams(query as Record<string, string>)}`;
      const get = (cluster: string) =>
        fetch(url, { headers: { "x-k8s-aws-id": cluster, accept: "application/json" } });

      const right = await get("prod");
      const otherCluster = await get("staging");
      aheadMs = 14 * MINUTE_MS;
      const old = await get("prod");
      aheadMs = 16 * MINUTE_MS;
      const tooOld = await get("prod");

      expect(await right.json()).toMatchObject({
        GetCallerIdentityResponse: { GetCallerIdentityResult: { Account: sandbox.accountId } },
      });
      expect([right, otherCluster, old, tooOld].map(({ status }) => status)).toEqual([200, 403, 200, 403]);
    });
  });

  describe("sends events", () => {
    let events: AwsEvent[];
    beforeEach(() => {
      events = [];
      sandbox.onEvent((event) => events.push(event));
    });
    const labelsMoved = async () => {
      await sandbox.events.settled();
      return events.map(({ detail }) => [detail.labelUpdated, detail.versionId]);
    };

    it("in the exact native shape when a value becomes current", async () => {
      const { Name, ARN } = await create();

      const versionId = await put(Name, "second");

      await sandbox.events.settled();
      expect(events).toEqual([
        {
          version: "0",
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          "detail-type": "Secret Label Updated",
          source: "aws.secretsmanager",
          account: sandbox.accountId,
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
          region: sandbox.region,
          resources: [ARN],
          detail: { name: Name, labelUpdated: "AWSCURRENT", versionId },
        },
      ]);
    });

    it("for AWSCURRENT when a rotation finishes, not when its value is pending", async () => {
      const { Name, VersionId: v1 } = await create();
      const v2 = await put(Name, "second", ["AWSPENDING"]);
      const whilePending = await labelsMoved();

      await aws.secrets.send(
        new UpdateSecretVersionStageCommand({
          SecretId: Name,
          VersionStage: "AWSCURRENT",
          RemoveFromVersionId: v1,
          MoveToVersionId: v2,
        }),
      );

      expect(whilePending).toEqual([]);
      expect(await labelsMoved()).toEqual([["AWSCURRENT", v2]]);
    });

    it("for a rollback, with the older VersionId", async () => {
      const { Name, VersionId: v1 } = await create();
      const v2 = await put(Name, "second");

      await aws.secrets.send(
        new UpdateSecretVersionStageCommand({
          SecretId: Name,
          VersionStage: "AWSCURRENT",
          RemoveFromVersionId: v2,
          MoveToVersionId: v1,
        }),
      );

      expect(await labelsMoved()).toEqual([
        ["AWSCURRENT", v2],
        ["AWSCURRENT", v1],
      ]);
    });

    it("for custom labels", async () => {
      const { Name, VersionId } = await create();

      await aws.secrets.send(
        new UpdateSecretVersionStageCommand({
          SecretId: Name,
          VersionStage: "blue",
          MoveToVersionId: VersionId,
        }),
      );

      expect(await labelsMoved()).toEqual([["blue", VersionId]]);
    });

    it("not for metadata, for a repeated request, for deleting or for restoring", async () => {
      const { Name } = await create();
      const ClientRequestToken = randomUUID();
      const request = new PutSecretValueCommand({
        SecretId: Name,
        SecretString: "second",
        ClientRequestToken,
      });
      await aws.secrets.send(request);

      await aws.secrets.send(request);
      await aws.secrets.send(new UpdateSecretCommand({ SecretId: Name, Description: "said" }));
      await aws.secrets.send(new DeleteSecretCommand({ SecretId: Name }));
      await aws.secrets.send(new RestoreSecretCommand({ SecretId: Name }));

      expect(await labelsMoved()).toEqual([["AWSCURRENT", ClientRequestToken]]);
    });

    it("at creation only with an option, since the documentation is silent", async () => {
      await create();
      const silent = await labelsMoved();
      sandbox.options.labelEventOnCreate = true;

      const { VersionId } = await create();

      expect(silent).toEqual([]);
      expect(await labelsMoved()).toEqual([["AWSCURRENT", VersionId]]);
    });

    it("dropped, twice, or late, as a test decides", async () => {
      const { Name } = await create();
      sandbox.events.delivery = () => [];
      await put(Name, "dropped");
      sandbox.events.delivery = () => [0, 0];
      const twice = await put(Name, "twice");
      const before = await labelsMoved();
      sandbox.events.delivery = () => [50];
      const startedAt = performance.now();

      const late = await put(Name, "late");

      expect(before).toEqual([
        ["AWSCURRENT", twice],
        ["AWSCURRENT", twice],
      ]);
      expect((await labelsMoved()).at(-1)).toEqual(["AWSCURRENT", late]);
      expect(performance.now() - startedAt).toBeGreaterThan(40);
    });

    it("held, and released in another order", async () => {
      const { Name } = await create();
      sandbox.events.hold();
      const v2 = await put(Name, "second");
      const v3 = await put(Name, "third");
      const whileHeld = await labelsMoved();

      sandbox.events.release((held) => held.toReversed());

      expect(whileHeld).toEqual([]);
      expect(await labelsMoved()).toEqual([
        ["AWSCURRENT", v3],
        ["AWSCURRENT", v2],
      ]);
    });

    it("and reports a listener's error", async () => {
      const { Name } = await create();
      sandbox.onEvent(() => {
        throw new Error("the handler failed");
      });

      await put(Name, "second");

      await expect(sandbox.events.settled()).rejects.toThrow("the handler failed");
    });

    it("in CloudTrail's formats if enabled, and never with a value", async () => {
      sandbox.events.cloudTrail = "all";
      const { Name, ARN } = await create(undefined, "a-value-that-must-not-appear");

      const versionId = await put(Name, "a-value-that-must-not-appear");
      await aws.secrets.send(new BatchGetSecretValueCommand({ SecretIdList: [Name] }));
      await aws.secrets.send(new DeleteSecretCommand({ SecretId: Name }));
      await read(Name).catch(() => undefined);
      sandbox.events.serviceEvent("RotationSucceeded", ARN);

      await sandbox.events.settled();
      const told = events.filter((event) => event["detail-type"] !== "Secret Label Updated");
      expect(told.map(({ detail }) => [detail.eventName, detail.eventType, detail.errorCode])).toEqual([
        ["CreateSecret", "AwsApiCall", undefined],
        ["PutSecretValue", "AwsApiCall", undefined],
        ["BatchGetSecretValue", "AwsApiCall", undefined],
        ["GetSecretValue", "AwsApiCall", undefined],
        ["StartSecretVersionDelete", "AwsServiceEvent", undefined],
        ["StartSecretVersionDelete", "AwsServiceEvent", undefined],
        ["DeleteSecret", "AwsApiCall", undefined],
        ["GetSecretValue", "AwsApiCall", "InvalidRequestException"],
        ["RotationSucceeded", "AwsServiceEvent", undefined],
      ]);
      expect(told[0]?.detail.requestParameters).toMatchObject({ name: Name });
      expect(told[1]?.detail).toMatchObject({
        requestParameters: { secretId: Name, clientRequestToken: versionId },
        responseElements: { arn: ARN },
      });
      expect(told.at(-1)?.detail).toMatchObject({ additionalEventData: { SecretId: ARN } });
      expect(JSON.stringify(events)).not.toContain("a-value-that-must-not-appear");
    });
  });

  describe("fails on demand", () => {
    it("by throttling a number of calls to one operation", async () => {
      const { Name } = await create();
      const fault = sandbox.faults.add({
        kind: "throttle",
        match: { operation: "GetSecretValue" },
        times: 2,
      });

      for (let index = 0; index < 2; index += 1) {
        await expect(read(Name)).rejects.toMatchObject({
          name: "ThrottlingException",
          $metadata: { httpStatusCode: 400 },
        });
      }
      await expect(read(Name)).resolves.toBe("first");
      expect(fault.hits).toBe(2);
    });

    it("with a server error for one secret, until it is removed", async () => {
      const ill = await create();
      const well = await create();
      const fault = sandbox.faults.add({ kind: "serverError", match: { secret: ill.Name } });

      await expect(read(ill.ARN)).rejects.toMatchObject({
        name: "InternalServiceError",
        $metadata: { httpStatusCode: 500 },
      });
      await expect(read(well.Name)).resolves.toBe("first");
      fault.remove();
      await expect(read(ill.Name)).resolves.toBe("first");
    });

    it("by cutting the connection, before the work or after it", async () => {
      const { Name } = await create();
      const match = { operation: "PutSecretValue" };

      sandbox.faults.add({ kind: "reset", match, times: 1 });
      await expect(put(Name, "lost")).rejects.toMatchObject({ code: "ECONNRESET" });
      const afterFirst = await read(Name);
      sandbox.faults.add({ kind: "reset", when: "after", match, times: 1 });
      await expect(put(Name, "kept")).rejects.toMatchObject({ code: "ECONNRESET" });

      expect(afterFirst).toBe("first");
      expect(await read(Name)).toBe("kept");
    });

    it("by being slow", async () => {
      const { Name } = await create();
      sandbox.faults.add({ kind: "latency", ms: 60, times: 1 });
      const startedAt = performance.now();

      await read(Name);

      expect(performance.now() - startedAt).toBeGreaterThan(50);
    });

    it("by answering stale for a number of reads", async () => {
      const { Name, VersionId: v1 } = await create();
      await put(Name, "second");
      await aws.secrets.send(
        new UpdateSecretCommand({ SecretId: Name, Description: "a change of no value" }),
      );
      sandbox.faults.add({ kind: "staleRead", times: 2 });

      const stale = await read(Name);
      const described = await aws.secrets.send(new DescribeSecretCommand({ SecretId: Name }));

      expect(stale).toBe("first");
      expect(described.VersionIdsToStages).toEqual({ [v1]: ["AWSCURRENT"] });
      expect(await read(Name)).toBe("second");
    });

    it("by answering stale until an instant, in a batch too", async () => {
      const { Name } = await create();
      await put(Name, "second");
      sandbox.faults.add({ kind: "staleRead", match: { secret: Name }, untilAt: sandbox.now() + MINUTE_MS });
      const batch = async () => {
        const answer = await aws.secrets.send(new BatchGetSecretValueCommand({ SecretIdList: [Name] }));
        return answer.SecretValues?.[0]?.SecretString;
      };

      const stale = await batch();
      aheadMs = MINUTE_MS;

      expect(stale).toBe("first");
      expect(await batch()).toBe("second");
    });

    it("with credentials that end in the middle, for one key and not for its successor", async () => {
      const { Name } = await create();
      const first = sandbox.issueCredentials({ roleName: "relay", sessionName: "a", lifeMs: MINUTE_MS });
      const second = sandbox.issueCredentials({ roleName: "relay", sessionName: "b", lifeMs: MINUTE_MS });
      sandbox.faults.add({ kind: "expiredCredentials", match: { accessKeyId: first.accessKeyId } });
      const readAs = async (credentials: TestCredentials) => {
        const { secrets, destroy } = awsClients(sandbox, credentials);
        return secrets.send(new GetSecretValueCommand({ SecretId: Name })).finally(destroy);
      };

      await expect(readAs(first)).rejects.toMatchObject({ name: "ExpiredTokenException" });
      await expect(readAs(second)).resolves.toMatchObject({ SecretString: "first" });
    });

    it("by denying one secret, which is one error of a batch", async () => {
      const denied = await create();
      const broken = await create();
      const well = await create();
      sandbox.faults.add({
        kind: "accessDenied",
        match: { operation: "GetSecretValue", secret: denied.Name },
      });
      sandbox.faults.add({ kind: "decryptionFailure", match: { secret: broken.Name } });

      const batch = await aws.secrets.send(
        new BatchGetSecretValueCommand({ SecretIdList: [denied.Name, broken.ARN, well.Name] }),
      );

      await expect(read(denied.Name)).rejects.toMatchObject({ name: "AccessDeniedException" });
      await expect(read(broken.Name)).rejects.toMatchObject({ name: "DecryptionFailure" });
      expect(batch.SecretValues).toMatchObject([{ Name: well.Name }]);
      expect(batch.Errors).toMatchObject([
        { SecretId: denied.Name, ErrorCode: "AccessDeniedException" },
        { SecretId: broken.ARN, ErrorCode: "DecryptionFailure" },
      ]);
    });

    it("by chance, and the same chance for the same seed", async () => {
      const { Name } = await create();
      const series = async (seed: number) => {
        const fault = sandbox.faults.add({ kind: "throttle", probability: 0.5, seed });
        const outcomes: string[] = [];
        for (let index = 0; index < 20; index += 1) {
          outcomes.push(
            await read(Name).then(
              () => "read",
              () => "throttled",
            ),
          );
        }
        fault.remove();
        return outcomes;
      };

      const once = await series(7);

      expect(await series(7)).toEqual(once);
      expect(new Set(once)).toEqual(new Set(["read", "throttled"]));
    });
  });

  describe("lets interleavings be written out", () => {
    it("a read that has its answer waits while a newer value is written", async () => {
      const { Name } = await create();
      const { promise: resumed, resolve: resume } = Promise.withResolvers<void>();
      const { promise: paused, resolve: pause } = Promise.withResolvers<void>();
      const unhook = sandbox.after(async ({ operation }) => {
        if (operation !== "GetSecretValue") return;
        pause();
        await resumed;
      });

      const older = read(Name);
      await paused;
      await put(Name, "second");
      unhook();
      const newer = await read(Name);
      resume();

      expect(newer).toBe("second");
      expect(await older).toBe("first");
    });

    it("something happens just before a request is worked on", async () => {
      const { Name } = await create();
      const unhook = sandbox.before(async ({ operation, secretName }) => {
        if (operation === "GetSecretValue" && secretName === Name) await put(Name, "second");
      });

      const value = await read(Name);
      unhook();

      expect(value).toBe("second");
    });
  });

  describe("lists many secrets", () => {
    const listAll = async (prefix?: string) => {
      const pages: number[] = [];
      let NextToken: string | undefined;
      do {
        const page = await aws.secrets.send(
          new ListSecretsCommand({
            NextToken,
            MaxResults: 100,
            ...(prefix !== undefined && { Filters: [{ Key: "name", Values: [prefix] }] }),
          }),
        );
        pages.push(page.SecretList?.length ?? 0);
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      return pages;
    };

    it("page by page to the end, tens of thousands of them", async () => {
      sandbox.seedSecrets(
        Array.from({ length: 20_000 }, (_, index) => ({ name: `many/${index}`, value: "x" })),
      );

      const pages = await listAll();

      expect(pages).toHaveLength(200);
      expect(pages.every((entries) => entries === 100)).toBe(true);
    });

    it("in pages that may be empty and go on, when a filter matches little", async () => {
      sandbox.seedSecrets(
        Array.from({ length: 2_500 }, (_, index) => ({ name: `many/${index}`, value: "x" })),
      );
      sandbox.seedSecrets([{ name: "few/one", value: "x" }]);

      expect(await listAll("few/")).toEqual([0, 0, 1]);
    });

    it("as they were some minutes ago, while DescribeSecret is current", async () => {
      const { Name, VersionId: v1 } = await create();
      aheadMs = 2 * MINUTE_MS; // more than five minutes, and the client's signatures would be refused
      const v2 = await put(Name, "second");
      await create();
      sandbox.options.listStaleMs = MINUTE_MS;

      const stale = await aws.secrets.send(new ListSecretsCommand({}));
      const described = await aws.secrets.send(new DescribeSecretCommand({ SecretId: Name }));
      aheadMs = 3 * MINUTE_MS;
      const fresh = await aws.secrets.send(new ListSecretsCommand({}));

      expect(
        stale.SecretList?.map(({ Name, SecretVersionsToStages }) => [Name, SecretVersionsToStages]),
      ).toEqual([[Name, { [v1]: ["AWSCURRENT"] }]]);
      expect(described.VersionIdsToStages).toEqual({ [v1]: ["AWSPREVIOUS"], [v2]: ["AWSCURRENT"] });
      expect(fresh.SecretList).toHaveLength(2);
    });

    it("and filters by description, any word, negation and owner", async () => {
      sandbox.seedSecrets([
        { name: "a", value: "x", description: "Main database", tags: { team: "payments" } },
        { name: "b", value: "x", description: "Spare", tags: { team: "orders" } },
        { name: "rds!cluster-1", value: "x", owningService: "rds" },
      ]);
      const names = async (
        Key: "description" | "all" | "tag-value" | "owning-service" | "name",
        ...Values: string[]
      ) => {
        const { SecretList } = await aws.secrets.send(new ListSecretsCommand({ Filters: [{ Key, Values }] }));
        return SecretList?.map(({ Name }) => Name);
      };

      expect(await names("description", "main")).toEqual(["a"]);
      expect(await names("description", "database")).toEqual([]);
      expect(await names("all", "PAYMENTS database")).toEqual(["a"]);
      expect(await names("tag-value", "!pay")).toEqual(["b", "rds!cluster-1"]);
      expect(await names("owning-service", "rds")).toEqual(["rds!cluster-1"]);
      expect(await names("name", "__proto__")).toEqual([]);
    });
  });

  it("counts calls and the values that were served", async () => {
    const { Name } = await create();
    await read(Name);
    await aws.secrets.send(new BatchGetSecretValueCommand({ SecretIdList: [Name, "nothing"] }));
    await aws.secrets.send(new DescribeSecretCommand({ SecretId: Name }));

    const { counters } = sandbox;
    expect(Object.fromEntries(counters.calls)).toEqual({
      CreateSecret: 1,
      GetSecretValue: 1,
      BatchGetSecretValue: 1,
      DescribeSecret: 1,
    });
    expect(counters.secretValuesServed).toBe(2);
    counters.reset();
    expect(counters.callsTotal).toBe(0);
  });

  it("forgets a deleted secret when its recovery window is over", async () => {
    const { Name } = await create();
    await aws.secrets.send(new DeleteSecretCommand({ SecretId: Name, RecoveryWindowInDays: 7 }));

    aheadMs = 8 * 24 * 60 * MINUTE_MS;
    const later = await listSecrets({ body: JSON.stringify({ IncludePlannedDeletion: true }) });

    expect(JSON.parse(later.text)).toEqual({ SecretList: [] });
  });

  it("rotates one secret beyond a hundred versions, or refuses according to the quota", async () => {
    const { Name } = await create();
    for (let index = 0; index < 120; index += 1) await put(Name, `value-${index}`);
    sandbox.options.strictVersionQuota = true;

    await expect(put(Name, "one more")).rejects.toMatchObject({ name: "LimitExceededException" });
    expect(await read(Name)).toBe("value-119");
  });

  describe("has queues", () => {
    const sqs = async <Result>(operation: string, input: object): Promise<Result> => {
      const { status, text } = await send({
        service: "sqs",
        headers: { "x-amz-target": `AmazonSQS.${operation}` },
        body: JSON.stringify(input),
      });
      if (status !== 200) throw new Error((JSON.parse(text) as { __type: string }).__type);
      return JSON.parse(text) as Result;
    };
    type Received = {
      Messages?: { Body: string; ReceiptHandle: string; Attributes: Record<string, string> }[];
    };
    const makeQueue = async (QueueName: string, Attributes: Record<string, string> = {}) => {
      const { QueueUrl } = await sqs<{ QueueUrl: string }>("CreateQueue", { QueueName, Attributes });
      return QueueUrl;
    };

    it("that hide a received message until it is deleted or its timeout is over", async () => {
      const QueueUrl = await makeQueue("sweep", { VisibilityTimeout: "30" });
      await sqs("SendMessage", { QueueUrl, MessageBody: "shard 1" });

      const first = await sqs<Received>("ReceiveMessage", { QueueUrl });
      const hidden = await sqs<Received>("ReceiveMessage", { QueueUrl });
      aheadMs += 31_000;
      const again = await sqs<Received>("ReceiveMessage", { QueueUrl });
      await sqs("DeleteMessage", { QueueUrl, ReceiptHandle: again.Messages?.[0]?.ReceiptHandle });
      aheadMs += 31_000;
      const gone = await sqs<Received>("ReceiveMessage", { QueueUrl });

      expect(first.Messages?.[0]).toMatchObject({ Body: "shard 1" });
      expect(hidden.Messages).toBeUndefined();
      expect(again.Messages?.[0]?.Attributes.ApproximateReceiveCount).toBe("2");
      expect(gone.Messages).toBeUndefined();
    });

    it("that pass a message on to the failure queue after too many receipts", async () => {
      const failures = await makeQueue("failures");
      const deadLetterTargetArn = `arn:aws:sqs:${sandbox.region}:${sandbox.accountId}:failures`;
      const QueueUrl = await makeQueue("work", {
        VisibilityTimeout: "0",
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 2 }),
      });
      await sqs("SendMessage", { QueueUrl, MessageBody: "ill" });

      await sqs("ReceiveMessage", { QueueUrl });
      await sqs("ReceiveMessage", { QueueUrl });
      const third = await sqs<Received>("ReceiveMessage", { QueueUrl });

      expect(third.Messages).toBeUndefined();
      const failed = await sqs<Received>("ReceiveMessage", { QueueUrl: failures });
      expect(failed.Messages).toMatchObject([{ Body: "ill" }]);
      const { Attributes } = await sqs<{ Attributes: object }>("GetQueueAttributes", {
        QueueUrl: failures,
        AttributeNames: ["All"],
      });
      expect(Attributes).toMatchObject({
        QueueArn: deadLetterTargetArn,
        ApproximateNumberOfMessagesNotVisible: "1",
      });
    });

    it("that accept and delete messages in batches, and refuse a missing queue", async () => {
      const QueueUrl = await makeQueue("batch");
      const Entries = ["a", "b"].map((Id) => ({ Id, MessageBody: `body ${Id}` }));
      await sqs("SendMessageBatch", { QueueUrl, Entries });

      const { Messages = [] } = await sqs<Received>("ReceiveMessage", { QueueUrl, MaxNumberOfMessages: 10 });
      const deletions = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      const deleted = await sqs<{ Successful: unknown[] }>("DeleteMessageBatch", {
        QueueUrl,
        Entries: deletions,
      });

      expect(Messages.map(({ Body }) => Body)).toEqual(["body a", "body b"]);
      expect(deleted.Successful).toHaveLength(2);
      await expect(sqs("GetQueueUrl", { QueueName: "nowhere" })).rejects.toThrow("QueueDoesNotExist");
    });
  });
});

/** The digest that the signer asks for, by node:crypto. */
class Sha256 {
  #state: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#state = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }

  update(content: string | ArrayBuffer | ArrayBufferView): void {
    this.#state.update(bytesOf(content));
  }

  async digest(): Promise<Uint8Array> {
    return this.#state.digest();
  }

  reset(): void {}
}

function bytesOf(content: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof content === "string") return Buffer.from(content);
  if (content instanceof ArrayBuffer) return new Uint8Array(content);
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}
