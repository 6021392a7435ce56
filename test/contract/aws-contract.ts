import { randomUUID } from "node:crypto";
import { DescribeClusterCommand } from "@aws-sdk/client-eks";
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  type CreateSecretCommandInput,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  type ListSecretsCommandInput,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsClients, awsClients } from "../harness/aws-clients.ts";
import type { AwsBackend } from "../harness/backend.ts";

export type AwsUnderTest = {
  readonly name: "sandbox" | "real";
  start(): Promise<AwsBackend>;
  /** Adds the cluster to EKS, and returns the expected result of DescribeCluster. */
  addCluster(
    backend: AwsBackend,
    name: string,
  ): Promise<{ endpoint: string; certificateAuthorityData: string }>;
};

/** What the sandbox and moto both do as AWS does; where moto is known not to, the title says so and it is skipped there. */
export function describeAwsContract({ name: backendName, start, addCluster }: AwsUnderTest): void {
  let backend: AwsBackend;
  let aws: AwsClients;
  beforeAll(async () => {
    backend = await start();
    aws = awsClients(backend);
  });
  afterAll(async () => {
    aws?.destroy();
    await backend?.stop();
  });

  /** A documented behaviour that moto does not have. */
  const itUnlessMoto = (title: string, motoDoes: string, test: () => Promise<void>) =>
    it.skipIf(backendName === "real")(`${title} [moto: ${motoDoes}]`, test);

  const create = (input: Partial<CreateSecretCommandInput> = {}) => {
    const Name = input.Name ?? `contract/${randomUUID()}`;
    return aws.secrets.send(new CreateSecretCommand({ SecretString: "first", ...input, Name }));
  };
  const createEmpty = async (): Promise<string> => {
    const Name = `contract/${randomUUID()}`;
    await aws.secrets.send(new CreateSecretCommand({ Name }));
    return Name;
  };
  const read = (SecretId: string | undefined, more: { VersionId?: string; VersionStage?: string } = {}) =>
    aws.secrets.send(new GetSecretValueCommand({ SecretId, ...more }));
  const put = (SecretId: string | undefined, SecretString: string, VersionStages?: string[]) =>
    aws.secrets.send(
      new PutSecretValueCommand({ SecretId, SecretString, ...(VersionStages && { VersionStages }) }),
    );
  const move = (SecretId: string | undefined, VersionStage: string, from?: string, to?: string) =>
    aws.secrets.send(
      new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage,
        ...(from !== undefined && { RemoveFromVersionId: from }),
        ...(to !== undefined && { MoveToVersionId: to }),
      }),
    );
  const labels = async (SecretId: string | undefined) => {
    const described = await aws.secrets.send(new DescribeSecretCommand({ SecretId }));
    const entries = Object.entries(described.VersionIdsToStages ?? {}).filter(
      ([, stages]) => stages.length > 0,
    );
    return Object.fromEntries(entries.map(([id, stages]) => [id, [...stages].sort()]));
  };
  const listAll = async (input: ListSecretsCommandInput) => {
    const names: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await aws.secrets.send(new ListSecretsCommand({ ...input, NextToken }));
      names.push(...(page.SecretList ?? []).map(({ Name = "" }) => Name));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return names;
  };

  describe("a secret's value", () => {
    it("is read by name, and by full ARN, with its VersionId and labels", async () => {
      const { Name, ARN, VersionId } = await create();

      const byName = await read(Name);
      const byArn = await read(ARN);

      expect(byName).toMatchObject({
        Name,
        ARN,
        VersionId,
        SecretString: "first",
        VersionStages: ["AWSCURRENT"],
      });
      expect(byArn).toMatchObject({ Name, ARN, VersionId, SecretString: "first" });
    });

    it("has an ARN of the name and a random suffix of six characters", async () => {
      const { Name, ARN } = await create();

      const prefix = `arn:aws:secretsmanager:${backend.region}:${backend.accountId}:secret:${Name}-`;
      expect(ARN?.startsWith(prefix)).toBe(true);
      expect(ARN?.slice(prefix.length)).toMatch(/^[A-Za-z0-9]{6}$/);
    });

    it("is read by a partial ARN, without the suffix", async () => {
      const { Name, ARN = "" } = await create({ Name: `contract/${randomUUID()}/db` });

      const answer = await read(ARN.slice(0, -"-AbCdEf".length));

      expect(answer).toMatchObject({ Name, ARN });
    });

    itUnlessMoto(
      "is not found by a partial ARN when the name itself ends in a hyphen and six characters",
      "finds it",
      async () => {
        const { Name, ARN = "" } = await create({ Name: `contract/${randomUUID()}/db-AbCdEf` });

        await expect(read(ARN.slice(0, -"-AbCdEf".length))).rejects.toMatchObject({
          name: "ResourceNotFoundException",
        });
        await expect(read(Name)).resolves.toMatchObject({ ARN });
        await expect(read(ARN)).resolves.toMatchObject({ Name });
      },
    );

    it("gets a new ARN when a secret is deleted and recreated", async () => {
      const old = await create();
      await aws.secrets.send(
        new DeleteSecretCommand({ SecretId: old.Name, ForceDeleteWithoutRecovery: true }),
      );

      const fresh = await create({ Name: old.Name });

      expect(fresh.ARN).not.toBe(old.ARN);
      await expect(read(old.ARN)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    });

    it("may be binary, and comes back byte for byte", async () => {
      const SecretBinary = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      const Name = `contract/${randomUUID()}`;
      await aws.secrets.send(new CreateSecretCommand({ Name, SecretBinary }));

      const answer = await read(Name);

      expect(answer.SecretBinary).toEqual(SecretBinary);
      expect(answer.SecretString).toBeUndefined();
    });

    it("keeps every character of a string", async () => {
      const SecretString = 'p"a\\s\ns\u0000\u2028 ẞ 🔑 </xml>';
      const { Name } = await create({ SecretString });

      await expect(read(Name)).resolves.toMatchObject({ SecretString });
    });

    it("may have 65,536 bytes", async () => {
      const SecretString = "x".repeat(65_536);
      const { Name } = await create({ SecretString });

      await expect(read(Name)).resolves.toMatchObject({ SecretString });
    });

    itUnlessMoto("must not have 65,537 bytes", "takes any size", async () => {
      await expect(create({ SecretString: "x".repeat(65_537) })).rejects.toMatchObject({
        name: "ValidationException",
        $metadata: { httpStatusCode: 400 },
      });
    });

    it("is not found if the secret does not exist", async () => {
      await expect(read(`contract/${randomUUID()}`)).rejects.toMatchObject({
        name: "ResourceNotFoundException",
        message: "Secrets Manager can't find the specified secret.",
      });
    });

    itUnlessMoto("is not found with status 400, as every mistake of a caller", "answers 404", async () => {
      await expect(read(`contract/${randomUUID()}`)).rejects.toMatchObject({
        $metadata: { httpStatusCode: 400 },
      });
    });

    it("is not found when the secret exists and never had a value", async () => {
      await expect(read(await createEmpty())).rejects.toMatchObject({
        name: "ResourceNotFoundException",
        message: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
      });
    });

    it("is not found for a VersionId or a label that it doesn't have", async () => {
      const { Name } = await create();

      await expect(read(Name, { VersionId: randomUUID() })).rejects.toMatchObject({
        name: "ResourceNotFoundException",
      });
      await expect(read(Name, { VersionStage: "AWSPENDING" })).rejects.toMatchObject({
        name: "ResourceNotFoundException",
      });
    });

    it("is refused when the VersionId doesn't have the label", async () => {
      const { Name, VersionId = "" } = await create();

      await expect(read(Name, { VersionId, VersionStage: "AWSPREVIOUS" })).rejects.toMatchObject({
        name: "InvalidRequestException",
      });
    });
  });

  describe("staging labels", () => {
    it("move with PutSecretValue: AWSCURRENT to the new version, AWSPREVIOUS to the one before", async () => {
      const { Name, VersionId: v1 = "" } = await create();

      const { VersionId: v2 = "", VersionStages } = await put(Name, "second");

      expect(VersionStages).toEqual(["AWSCURRENT"]);
      expect(await labels(Name)).toEqual({ [v1]: ["AWSPREVIOUS"], [v2]: ["AWSCURRENT"] });
      await expect(read(Name)).resolves.toMatchObject({ VersionId: v2, SecretString: "second" });
      await expect(read(Name, { VersionStage: "AWSPREVIOUS" })).resolves.toMatchObject({
        SecretString: "first",
      });
    });

    it("leave the version before the previous one without a label", async () => {
      const { Name, VersionId: v1 = "" } = await create();
      const { VersionId: v2 = "" } = await put(Name, "second");

      const { VersionId: v3 = "" } = await put(Name, "third");

      expect(await labels(Name)).toEqual({ [v2]: ["AWSPREVIOUS"], [v3]: ["AWSCURRENT"] });
      await expect(read(Name, { VersionId: v1 })).resolves.toMatchObject({ SecretString: "first" });
    });

    it("move with UpdateSecret that has a value, and stay when it has none", async () => {
      const { Name, VersionId: v1 = "" } = await create();

      const metadata = await aws.secrets.send(
        new UpdateSecretCommand({ SecretId: Name, Description: "said" }),
      );
      const before = await labels(Name);
      const { VersionId: v2 = "" } = await aws.secrets.send(
        new UpdateSecretCommand({ SecretId: Name, SecretString: "second" }),
      );

      expect(metadata.VersionId).toBeUndefined();
      expect(before).toEqual({ [v1]: ["AWSCURRENT"] });
      expect(await labels(Name)).toEqual({ [v1]: ["AWSPREVIOUS"], [v2]: ["AWSCURRENT"] });
    });

    it("let a pending version wait beside the current one", async () => {
      const { Name, VersionId: v1 = "" } = await create();

      const { VersionId: v2 = "" } = await put(Name, "second", ["AWSPENDING"]);

      expect(await labels(Name)).toEqual({ [v1]: ["AWSCURRENT"], [v2]: ["AWSPENDING"] });
      await expect(read(Name)).resolves.toMatchObject({ SecretString: "first" });
      await expect(read(Name, { VersionStage: "AWSPENDING" })).resolves.toMatchObject({
        SecretString: "second",
      });
    });

    it("finish a rotation when AWSCURRENT moves to the pending version", async () => {
      const { Name, VersionId: v1 = "" } = await create();
      const { VersionId: v2 = "" } = await put(Name, "second", ["AWSPENDING"]);

      await move(Name, "AWSCURRENT", v1, v2);

      const after = await labels(Name);
      expect(after[v1]).toEqual(["AWSPREVIOUS"]);
      expect(after[v2]).toContain("AWSCURRENT");
      const current = await read(Name, { VersionStage: "AWSCURRENT" });
      expect(current).toMatchObject({ VersionId: v2, SecretString: "second" });
    });

    itUnlessMoto("take AWSPENDING off the version that becomes current", "leaves it on", async () => {
      const { Name, VersionId: v1 = "" } = await create();
      const { VersionId: v2 = "" } = await put(Name, "second", ["AWSPENDING"]);

      await move(Name, "AWSCURRENT", v1, v2);

      expect(await labels(Name)).toEqual({ [v1]: ["AWSPREVIOUS"], [v2]: ["AWSCURRENT"] });
    });

    it("roll back to an older VersionId, and AWSPREVIOUS goes to the one rolled back", async () => {
      const { Name, VersionId: v1 = "" } = await create();
      const { VersionId: v2 = "" } = await put(Name, "second");

      await move(Name, "AWSCURRENT", v2, v1);

      expect(await labels(Name)).toEqual({ [v1]: ["AWSCURRENT"], [v2]: ["AWSPREVIOUS"] });
      const current = await read(Name, { VersionStage: "AWSCURRENT" });
      expect(current).toMatchObject({ VersionId: v1, SecretString: "first" });
    });

    itUnlessMoto(
      "decide what is read when no label is asked for, and what a batch reads",
      "reads the version that was put last, whatever UpdateSecretVersionStage moved",
      async () => {
        const { Name = "", VersionId: v1 = "" } = await create();
        const { VersionId: v2 = "" } = await put(Name, "second", ["AWSPENDING"]);

        await move(Name, "AWSCURRENT", v1, v2);

        await expect(read(Name)).resolves.toMatchObject({ VersionId: v2, SecretString: "second" });
        const batch = await aws.secrets.send(new BatchGetSecretValueCommand({ SecretIdList: [Name] }));
        expect(batch.SecretValues).toMatchObject([{ VersionId: v2, SecretString: "second" }]);
      },
    );

    it("may be one's own, and are read by", async () => {
      const { Name, VersionId: v1 = "" } = await create();
      await put(Name, "second");

      await move(Name, "blue", undefined, v1);

      expect((await labels(Name))[v1]).toEqual(["AWSPREVIOUS", "blue"]);
      await expect(read(Name, { VersionStage: "blue" })).resolves.toMatchObject({ VersionId: v1 });
    });

    itUnlessMoto("that are one's own survive a new current version", "drops them", async () => {
      const { Name, VersionId: v1 = "" } = await create();
      await move(Name, "blue", undefined, v1);

      await put(Name, "second");

      expect((await labels(Name))[v1]).toEqual(["AWSPREVIOUS", "blue"]);
    });

    it("can be removed from a version without a move to another", async () => {
      const { Name, VersionId: v1 = "" } = await create();
      const { VersionId: v2 = "" } = await put(Name, "second", ["AWSPENDING"]);

      await move(Name, "AWSPENDING", v2);

      expect(await labels(Name)).toEqual({ [v1]: ["AWSCURRENT"] });
    });

    it("do not move from another version than the one named", async () => {
      const { Name, VersionId: v1 = "" } = await create();
      const { VersionId: v2 = "" } = await put(Name, "second");

      await expect(move(Name, "AWSCURRENT", v1, v1)).rejects.toMatchObject({
        name: "InvalidParameterException",
      });
      await expect(move(Name, "AWSCURRENT", undefined, v1)).rejects.toMatchObject({
        name: "InvalidParameterException",
      });
      expect(await labels(Name)).toEqual({ [v1]: ["AWSPREVIOUS"], [v2]: ["AWSCURRENT"] });
    });

    itUnlessMoto("never leave a secret without AWSCURRENT", "takes it off", async () => {
      const { Name, VersionId: v1 = "" } = await create();

      await expect(move(Name, "AWSCURRENT", v1)).rejects.toMatchObject({ name: "InvalidParameterException" });
    });

    it("give AWSCURRENT to the first value of a secret that was made without one", async () => {
      const Name = await createEmpty();

      const { VersionId = "" } = await put(Name, "late");

      expect(await labels(Name)).toEqual({ [VersionId]: ["AWSCURRENT"] });
    });
  });

  describe("a ClientRequestToken", () => {
    it("becomes the VersionId", async () => {
      const token = randomUUID();

      const { VersionId } = await create({ ClientRequestToken: token });

      expect(VersionId).toBe(token);
    });

    it("makes a repeated PutSecretValue with the same value do nothing", async () => {
      const { Name, VersionId: v1 = "" } = await create();
      const ClientRequestToken = randomUUID();
      const request = new PutSecretValueCommand({
        SecretId: Name,
        SecretString: "second",
        ClientRequestToken,
      });
      await aws.secrets.send(request);

      const { VersionId } = await aws.secrets.send(request);

      expect(VersionId).toBe(ClientRequestToken);
      expect(await labels(Name)).toEqual({ [v1]: ["AWSPREVIOUS"], [ClientRequestToken]: ["AWSCURRENT"] });
    });

    it("refuses another value under the same token", async () => {
      const { Name, VersionId } = await create();

      const repeated = new PutSecretValueCommand({
        SecretId: Name,
        SecretString: "other",
        ClientRequestToken: VersionId,
      });

      await expect(aws.secrets.send(repeated)).rejects.toMatchObject({ name: "ResourceExistsException" });
      await expect(read(Name)).resolves.toMatchObject({ SecretString: "first" });
    });

    itUnlessMoto(
      "can't be used twice with UpdateSecret, even for the same value",
      "takes it for a repetition",
      async () => {
        const { Name, VersionId } = await create();

        const repeated = new UpdateSecretCommand({
          SecretId: Name,
          SecretString: "first",
          ClientRequestToken: VersionId,
        });

        await expect(aws.secrets.send(repeated)).rejects.toMatchObject({ name: "ResourceExistsException" });
      },
    );

    it("has 32 to 64 characters", async () => {
      await expect(create({ ClientRequestToken: "short" })).rejects.toMatchObject({
        name: "InvalidParameterException",
      });
    });
  });

  describe("creating a secret", () => {
    it("is refused when the name is taken", async () => {
      const { Name } = await create();

      await expect(create({ Name })).rejects.toMatchObject({ name: "ResourceExistsException" });
    });

    itUnlessMoto(
      "is refused when the name's former secret is scheduled for deletion",
      "says that it exists",
      async () => {
        const { Name } = await create();
        await aws.secrets.send(new DeleteSecretCommand({ SecretId: Name }));

        await expect(create({ Name })).rejects.toMatchObject({ name: "InvalidRequestException" });
      },
    );

    itUnlessMoto("is refused for a name with other characters", "takes any name", async () => {
      await expect(create({ Name: "contract/ä b" })).rejects.toMatchObject({ name: "ValidationException" });
    });
  });

  describe("deleting a secret", () => {
    it("hides its value until it is restored", async () => {
      const { Name, ARN } = await create();

      const deleted = await aws.secrets.send(
        new DeleteSecretCommand({ SecretId: Name, RecoveryWindowInDays: 7 }),
      );

      expect(deleted).toMatchObject({ ARN, Name });
      const days = ((deleted.DeletionDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
      expect(days).toBeGreaterThan(6.9);
      expect(days).toBeLessThan(7.1);
      await expect(read(Name)).rejects.toMatchObject({
        name: "InvalidRequestException",
        $metadata: { httpStatusCode: 400 },
      });
      const described = await aws.secrets.send(new DescribeSecretCommand({ SecretId: Name }));
      expect(described.DeletedDate).toBeInstanceOf(Date);

      await aws.secrets.send(new RestoreSecretCommand({ SecretId: Name }));

      await expect(read(Name)).resolves.toMatchObject({ SecretString: "first" });
    });

    it("refuses changes while it is scheduled", async () => {
      const { Name } = await create();
      await aws.secrets.send(new DeleteSecretCommand({ SecretId: Name }));

      await expect(
        aws.secrets.send(new UpdateSecretCommand({ SecretId: Name, SecretString: "second" })),
      ).rejects.toMatchObject({ name: "InvalidRequestException" });
    });

    itUnlessMoto("refuses a new value while it is scheduled", "takes it", async () => {
      const { Name } = await create();
      await aws.secrets.send(new DeleteSecretCommand({ SecretId: Name }));

      await expect(put(Name, "second")).rejects.toMatchObject({ name: "InvalidRequestException" });
    });

    it("is done at once when it is forced", async () => {
      const { Name } = await create();

      await aws.secrets.send(new DeleteSecretCommand({ SecretId: Name, ForceDeleteWithoutRecovery: true }));

      await expect(read(Name)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    });

    it("succeeds for a missing secret only if it is forced", async () => {
      const SecretId = `contract/${randomUUID()}`;

      await expect(aws.secrets.send(new DeleteSecretCommand({ SecretId }))).rejects.toMatchObject({
        name: "ResourceNotFoundException",
      });
      const forced = new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true });
      await expect(aws.secrets.send(forced)).resolves.toMatchObject({ Name: SecretId });
    });

    it("is refused with a window outside 7 to 30 days", async () => {
      const { Name } = await create();

      for (const RecoveryWindowInDays of [6, 31]) {
        await expect(
          aws.secrets.send(new DeleteSecretCommand({ SecretId: Name, RecoveryWindowInDays })),
        ).rejects.toMatchObject({ name: "InvalidParameterException" });
      }
    });
  });

  describe("reading many values at once", () => {
    it("returns each with its VersionId, and an error for each that failed", async () => {
      const one = await create({ SecretString: "one" });
      const two = await create({ SecretString: "two" });
      const deleted = await create();
      await aws.secrets.send(new DeleteSecretCommand({ SecretId: deleted.Name }));
      const missing = `contract/${randomUUID()}`;

      const answer = await aws.secrets.send(
        new BatchGetSecretValueCommand({
          SecretIdList: [one.Name ?? "", two.ARN ?? "", missing, deleted.Name ?? ""],
        }),
      );

      expect(answer.SecretValues).toHaveLength(2);
      expect(answer.SecretValues).toMatchObject([
        {
          ARN: one.ARN,
          Name: one.Name,
          VersionId: one.VersionId,
          SecretString: "one",
          VersionStages: ["AWSCURRENT"],
        },
        { ARN: two.ARN, SecretString: "two" },
      ]);
      const errors = answer.Errors?.map(({ SecretId, ErrorCode }) => [SecretId, ErrorCode]);
      expect(errors).toEqual([
        [missing, "ResourceNotFoundException"],
        [deleted.Name, "InvalidRequestException"],
      ]);
    });

    it("finds them by filter, page by page", async () => {
      const prefix = `contract/${randomUUID()}/`;
      for (let index = 0; index < 5; index += 1) {
        await create({ Name: `${prefix}${index}`, SecretString: `value ${index}` });
      }

      const found: (string | undefined)[] = [];
      let NextToken: string | undefined;
      do {
        const page = await aws.secrets.send(
          new BatchGetSecretValueCommand({
            Filters: [{ Key: "name", Values: [prefix] }],
            MaxResults: 2,
            NextToken,
          }),
        );
        found.push(...(page.SecretValues ?? []).map(({ SecretString }) => SecretString));
        NextToken = page.NextToken;
      } while (NextToken !== undefined);

      expect(found.sort()).toEqual(["value 0", "value 1", "value 2", "value 3", "value 4"]);
    });

    it("takes ids or filters, and not both", async () => {
      await expect(
        aws.secrets.send(
          new BatchGetSecretValueCommand({ SecretIdList: ["a"], Filters: [{ Key: "name", Values: ["a"] }] }),
        ),
      ).rejects.toMatchObject({ name: "InvalidParameterException" });
    });

    itUnlessMoto("takes no more than twenty ids", "takes any number", async () => {
      const SecretIdList = Array.from({ length: 21 }, (_, index) => `contract/${index}`);

      await expect(aws.secrets.send(new BatchGetSecretValueCommand({ SecretIdList }))).rejects.toMatchObject({
        name: "ValidationException",
      });
    });

    itUnlessMoto(
      "reports a secret without a value as an error of its own",
      "fails the whole call",
      async () => {
        const one = await create();
        const empty = await createEmpty();

        const answer = await aws.secrets.send(
          new BatchGetSecretValueCommand({ SecretIdList: [empty, one.Name ?? ""] }),
        );

        expect(answer.SecretValues).toMatchObject([{ Name: one.Name }]);
        expect(answer.Errors).toMatchObject([{ SecretId: empty, ErrorCode: "ResourceNotFoundException" }]);
      },
    );
  });

  describe("listing", () => {
    it("shows each secret once over all pages, with labels and no value", async () => {
      const prefix = `contract/${randomUUID()}/`;
      const made = new Map<string, string>();
      for (let index = 0; index < 5; index += 1) {
        const { Name = "", VersionId = "" } = await create({ Name: `${prefix}${index}` });
        made.set(Name, VersionId);
      }
      const Filters = [{ Key: "name" as const, Values: [prefix] }];

      const names = await listAll({ Filters, MaxResults: 2 });
      const { SecretList } = await aws.secrets.send(new ListSecretsCommand({ Filters }));

      expect(names.sort()).toEqual([...made.keys()]);
      for (const entry of SecretList ?? []) {
        expect(entry.SecretVersionsToStages).toEqual({ [made.get(entry.Name ?? "") ?? ""]: ["AWSCURRENT"] });
        expect(Object.keys(entry)).not.toContain("SecretString");
        expect(entry.LastChangedDate).toBeInstanceOf(Date);
      }
    });

    it("filters names by prefix and case", async () => {
      const root = `contract/${randomUUID()}`;
      await create({ Name: `${root}/Prod/db` });
      await create({ Name: `${root}/prod/db` });
      await create({ Name: `${root}/prod/dbx` });

      expect(await listAll({ Filters: [{ Key: "name", Values: [`${root}/prod/db`] }] })).toEqual([
        `${root}/prod/db`,
        `${root}/prod/dbx`,
      ]);
      expect(await listAll({ Filters: [{ Key: "name", Values: ["prod/db"] }] })).toEqual([]);
    });

    it("filters by any of several values, and by all of several filters", async () => {
      const root = `contract/${randomUUID()}`;
      const Tags = [{ Key: `team-${root}`, Value: "payments" }];
      await create({ Name: `${root}/a`, Tags });
      await create({ Name: `${root}/b`, Tags });
      await create({ Name: `${root}/c` });
      const names = { Key: "name" as const, Values: [`${root}/b`, `${root}/c`] };
      const tagged = { Key: "tag-key" as const, Values: [`team-${root}`] };

      expect((await listAll({ Filters: [names] })).sort()).toEqual([`${root}/b`, `${root}/c`]);
      expect(await listAll({ Filters: [names, tagged] })).toEqual([`${root}/b`]);
      expect(await listAll({ Filters: [tagged, { Key: "tag-value", Values: ["pay"] }] })).toHaveLength(2);
    });

    it("leaves out those scheduled for deletion, unless they are asked for", async () => {
      const { Name = "" } = await create();
      await aws.secrets.send(new DeleteSecretCommand({ SecretId: Name }));
      const Filters = [{ Key: "name" as const, Values: [Name] }];

      expect(await listAll({ Filters })).toEqual([]);
      expect(await listAll({ Filters, IncludePlannedDeletion: true })).toEqual([Name]);
    });

    itUnlessMoto("takes no more than a hundred results for a page", "takes any number", async () => {
      await expect(aws.secrets.send(new ListSecretsCommand({ MaxResults: 101 }))).rejects.toMatchObject({
        name: "ValidationException",
      });
    });
  });

  describe("describing", () => {
    it("returns tags, description and labels, and no value", async () => {
      const {
        Name,
        ARN,
        VersionId = "",
      } = await create({
        Description: "the database",
        Tags: [{ Key: "team", Value: "payments" }],
      });

      const described = await aws.secrets.send(new DescribeSecretCommand({ SecretId: Name }));

      expect(described).toMatchObject({
        ARN,
        Name,
        Description: "the database",
        Tags: [{ Key: "team", Value: "payments" }],
        VersionIdsToStages: { [VersionId]: ["AWSCURRENT"] },
      });
      expect(JSON.stringify(described)).not.toContain("first");
    });

    it("follows added and removed tags", async () => {
      const { Name } = await create({ Tags: [{ Key: "team", Value: "payments" }] });

      const Tags = [
        { Key: "team", Value: "orders" },
        { Key: "tier", Value: "1" },
      ];
      await aws.secrets.send(new TagResourceCommand({ SecretId: Name, Tags }));
      await aws.secrets.send(new UntagResourceCommand({ SecretId: Name, TagKeys: ["tier"] }));

      const described = await aws.secrets.send(new DescribeSecretCommand({ SecretId: Name }));
      expect(described.Tags).toEqual([{ Key: "team", Value: "orders" }]);
    });

    it("lists versions with their labels", async () => {
      const { Name, VersionId: v1 } = await create();
      const { VersionId: v2 } = await put(Name, "second");

      const { Versions = [] } = await aws.secrets.send(new ListSecretVersionIdsCommand({ SecretId: Name }));

      const stages = new Map(Versions.map(({ VersionId, VersionStages }) => [VersionId, VersionStages]));
      expect(stages).toEqual(
        new Map([
          [v1, ["AWSPREVIOUS"]],
          [v2, ["AWSCURRENT"]],
        ]),
      );
    });

    itUnlessMoto("lists versions without a label only when asked", "always lists them", async () => {
      const { Name, VersionId: v1 } = await create();
      await put(Name, "second");
      await put(Name, "third");

      const labelled = await aws.secrets.send(new ListSecretVersionIdsCommand({ SecretId: Name }));
      const all = await aws.secrets.send(
        new ListSecretVersionIdsCommand({ SecretId: Name, IncludeDeprecated: true }),
      );

      expect(labelled.Versions?.map(({ VersionId }) => VersionId)).not.toContain(v1);
      expect(all.Versions?.map(({ VersionId }) => VersionId)).toContain(v1);
    });
  });

  describe("identity", () => {
    it("is returned by GetCallerIdentity", async () => {
      const identity = await aws.sts.send(new GetCallerIdentityCommand({}));

      expect(identity.Account).toBe(backend.accountId);
      expect(identity.Arn).toContain(`:${backend.accountId}:`);
    });

    it("becomes a role's with the temporary credentials of AssumeRole", async () => {
      const RoleArn = `arn:aws:iam::${backend.accountId}:role/relay`;
      const assumed = await aws.sts.send(
        new AssumeRoleCommand({ RoleArn, RoleSessionName: "contract", DurationSeconds: 900 }),
      );
      const {
        AccessKeyId = "",
        SecretAccessKey = "",
        SessionToken = "",
        Expiration,
      } = assumed.Credentials ?? {};
      const asRole = awsClients(backend, {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: SessionToken,
      });

      const identity = await asRole.sts.send(new GetCallerIdentityCommand({}));
      asRole.destroy();

      expect(AccessKeyId).toMatch(/^ASIA/);
      const lifeMs = (Expiration?.getTime() ?? 0) - Date.now();
      expect(lifeMs).toBeGreaterThan(800_000);
      expect(lifeMs).toBeLessThan(960_000);
      expect(identity.Arn).toBe(`arn:aws:sts::${backend.accountId}:assumed-role/relay/contract`);
      expect(assumed.AssumedRoleUser?.Arn).toBe(identity.Arn);
    });
  });

  describe("a cluster", () => {
    it("is described with its endpoint and certificate authority", async () => {
      const name = `contract-${randomUUID()}`;
      const { endpoint, certificateAuthorityData } = await addCluster(backend, name);

      const { cluster } = await aws.eks.send(new DescribeClusterCommand({ name }));

      expect(cluster).toMatchObject({
        name,
        endpoint,
        status: "ACTIVE",
        certificateAuthority: { data: certificateAuthorityData },
      });
      expect(cluster?.arn).toBe(`arn:aws:eks:${backend.region}:${backend.accountId}:cluster/${name}`);
    });

    it("is not found, with status 404, if the cluster does not exist", async () => {
      await expect(aws.eks.send(new DescribeClusterCommand({ name: "nowhere" }))).rejects.toMatchObject({
        name: "ResourceNotFoundException",
        $metadata: { httpStatusCode: 404 },
      });
    });
  });
}
