import { beforeAll, describe, expect, it } from "vitest";
import { FUNCTIONS } from "../../scripts/bundle.ts";
import { metafileOf } from "../harness/build-function.ts";
import { deploy } from "./deploy.ts";
import { actionsOf, DONE_BY_LAMBDA, EVERYTHING, policiesOf, resourcesOf } from "./statements.ts";

// The calls that the built code of each function can make, against its role's permissions: a permission without a
// caller fails here, and a caller without a permission. test/contract/iam-contract shows that each permission is also
// used on each resource.

/** The IAM action of a call, where its name differs from the SDK's (AWS's service authorization reference). */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  "lambda:Invoke": ["lambda:InvokeFunction"],
  // S3 says that an object is absent only to callers that may list the bucket.
  "s3:GetObject": ["s3:GetObject", "s3:ListBucket"],
  "sqs:SendMessageBatch": ["sqs:SendMessage"],
  // Secrets Manager decrypts with the caller's identity.
  "secretsmanager:GetSecretValue": ["secretsmanager:GetSecretValue", "kms:Decrypt"],
};

const CLIENTS: Readonly<Record<string, string>> = { "secrets-manager": "secretsmanager" };

/** Signs its request itself, without a client. */
const OWN_S3_CALL = "shared/bindings/published/read-object.ts";

/** Uses it for an earlier version of the pointer. */
const CALL_FOR_A_VERSION = "shared/bindings/published/read-changes.ts";

const stack = deploy(EVERYTHING);
const idOf = (name: string) => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

describe.each(FUNCTIONS)("the built %s function", (name) => {
  const statements = policiesOf(stack, `${idOf(name)}Role`).filter(({ Effect }) => Effect === "Allow");
  let inputs: string[];

  beforeAll(async () => {
    const { outputs } = await metafileOf(name);
    inputs = Object.values(outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
    );
  });

  it("has a permission for each call, and a call for each permission", () => {
    const calls = inputs.flatMap((file) => {
      if (file.endsWith(OWN_S3_CALL)) return ["s3:GetObject"];
      if (file.endsWith(CALL_FOR_A_VERSION)) return ["s3:GetObjectVersion"];
      const [, client, operation] = /\/client-([a-z-]+)\/.*\/(\w+)Command\.js$/.exec(file) ?? [];
      return client === undefined ? [] : [`${CLIENTS[client] ?? client}:${operation}`];
    });
    expect(calls.length).toBeGreaterThan(1);
    const byLambda: readonly string[] = DONE_BY_LAMBDA;
    const allowed = statements.filter(({ Sid }) => !byLambda.includes(Sid)).flatMap(actionsOf);

    expect([...new Set(allowed)].sort()).toEqual(
      [...new Set(calls.flatMap((call) => ACTIONS[call] ?? [call]))].sort(),
    );
  });

  it("contains no other AWS client: the SDK clients for profiles and single sign-on are excluded", () => {
    const clients = inputs.filter((file) => /Command\.js$/.test(file) && !/\/client-[a-z-]+\//.test(file));
    expect(clients).toEqual([]);
    expect(
      inputs.filter((file) =>
        /nested-clients|token-providers|credential-provider-(ini|sso|login)/.test(file),
      ),
    ).toEqual([]);
  });
});

describe.each(FUNCTIONS)("a permission that Lambda uses for the %s function", (name) => {
  const fn = stack.resources[`${idOf(name)}Function`]?.Properties as {
    LoggingConfig: { LogGroup: string };
    EventInvokeConfig?: { DestinationConfig: { OnFailure: { Destination: string } } };
    Events?: Record<string, { Type: string; Properties: { Queue?: string } }>;
    VpcConfig?: object;
  };
  const resourceOf = (sid: string) =>
    policiesOf(stack, `${idOf(name)}Role`)
      .filter(({ Sid }) => Sid === sid)
      .flatMap(resourcesOf);
  const queues = Object.values(fn.Events ?? {}).flatMap(({ Type, Properties: { Queue = "" } }) =>
    Type === "SQS" ? [Queue] : [],
  );
  const asked: Readonly<Record<(typeof DONE_BY_LAMBDA)[number], readonly string[]>> = {
    WriteOwnLogs: [`${fn.LoggingConfig.LogGroup}.Arn`],
    KeepFailedEvents: fn.EventInvokeConfig
      ? [fn.EventInvokeConfig.DestinationConfig.OnFailure.Destination]
      : [],
    TakeWork: queues,
    AttachToVpc: fn.VpcConfig ? ["*"] : [],
  };

  it.each(DONE_BY_LAMBDA)("%s: is allowed only if the settings of the function need it", (sid) => {
    expect(resourceOf(sid)).toEqual(asked[sid]);
  });
});

it("each of these permissions is used by a function", () => {
  const sids = FUNCTIONS.flatMap((name) => policiesOf(stack, `${idOf(name)}Role`).map(({ Sid }) => Sid));
  expect(sids).toEqual(expect.arrayContaining([...DONE_BY_LAMBDA]));
});
