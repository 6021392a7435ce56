import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRotationConfig } from "../../functions/rotation/config.ts";
import { POINTER_KEY } from "../../shared/bindings/published/pointer.ts";
import { deploy as deployTemplate, type Stack, WITH_WEBHOOK } from "./deploy.ts";
import { decide } from "./evaluate.ts";
import { policiesOf, resourcesOf, type Statement, statementsOfPolicy } from "./statements.ts";
import { idsIn, ofType, template } from "./template.ts";

const PUBLISHER = "arn:aws:iam::111122223333:role/ci/publisher";
const deploy = (given: Record<string, string> = {}) => deployTemplate({ ...WITH_WEBHOOK, ...given });
const bucketOf = (stack: Stack) => stack.resources.BindingsBucket?.Properties ?? {};

describe("the bucket of the bindings", () => {
  const bucket = bucketOf(deploy());

  it("is the only one of the stack", () => {
    expect(ofType("AWS::S3::Bucket").map(([id]) => id)).toEqual(["BindingsBucket"]);
  });

  it.each(["BindingsBucket", "BindingsBucketPolicy"])(
    "is kept when the stack is deleted or replaces %s, and not when the creation of the stack fails",
    (id) => {
      const { DeletionPolicy, UpdateReplacePolicy } = (template.Resources[id] ?? {}) as Record<
        string,
        unknown
      >;
      expect({ DeletionPolicy, UpdateReplacePolicy }).toEqual({
        DeletionPolicy: "RetainExceptOnCreate",
        UpdateReplacePolicy: "Retain",
      });
    },
  );

  it("keeps every generation for a year, and the newest hundred after that", () => {
    expect(bucket.VersioningConfiguration).toEqual({ Status: "Enabled" });
    const { Rules } = bucket.LifecycleConfiguration as { Rules: Record<string, unknown>[] };
    expect(Rules.map(({ Id: _, ...rule }) => rule)).toEqual([
      {
        Status: "Enabled",
        NoncurrentVersionExpiration: { NoncurrentDays: 365, NewerNoncurrentVersions: 100 },
      },
      { Status: "Enabled", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
    ]);
  });

  it("is encrypted, owned by the account alone, and never public", () => {
    expect(bucket.BucketEncryption).toEqual({
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
    });
    expect(bucket.OwnershipControls).toEqual({ Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] });
    const blocks = Object.values(bucket.PublicAccessBlockConfiguration as object);
    expect(blocks).toEqual([true, true, true, true]);
  });

  it("notifies EventBridge of each write", () => {
    expect(bucket.NotificationConfiguration).toEqual({
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    });
  });

  it("is named by an output", () => {
    expect(deploy().outputs.BindingsBucketName).toMatchObject({ Value: "<BindingsBucket>" });
  });
});

describe("the policy of the bucket", () => {
  const CHANGES = ["PutObject", "DeleteObject", "DeleteObjectVersion", "ReplicateObject", "ReplicateDelete"];
  const READS = ["GetObject", "GetObjectVersion"];
  const decided = (
    given: Record<string, string>,
    call: { action: string; principal?: string; key?: string; tls?: boolean },
  ) => {
    const { action, principal, key = POINTER_KEY, tls = true } = call;
    return decide(statementsOfPolicy(deploy(given), "BindingsBucketPolicy"), {
      action: `s3:${action}`,
      resource: `<BindingsBucket>.Arn/${key}`,
      context: {
        "aws:SecureTransport": String(tls),
        ...(principal !== undefined && { "aws:PrincipalArn": principal }),
      },
    });
  };
  const REFUSED = "denied by a statement";
  /** Up to the caller's own policy. */
  const OPEN = "not allowed";

  it("allows nothing: the callers' own policies do", () => {
    const statements = statementsOfPolicy(deploy({ PublisherArns: PUBLISHER }), "BindingsBucketPolicy");
    expect(statements.map(({ Effect }) => Effect)).toEqual(["Deny", "Deny"]);
  });

  it.each([...CHANGES, ...READS])("refuses %s without TLS, for any caller", (action) => {
    for (const principal of [PUBLISHER, undefined]) {
      const call = { action, tls: false, ...(principal !== undefined && { principal }) };
      expect(decided({ PublisherArns: PUBLISHER }, call)).toBe(REFUSED);
      expect(decided({}, call)).toBe(REFUSED);
    }
  });

  it("refuses listing the bucket without TLS", () => {
    const listing = {
      action: "s3:ListBucket",
      resource: "<BindingsBucket>.Arn",
      context: { "aws:SecureTransport": "false" },
    };
    expect(decide(statementsOfPolicy(deploy(), "BindingsBucketPolicy"), listing)).toBe(REFUSED);
  });

  const others = [
    { who: "another role", principal: "arn:aws:iam::111122223333:role/admin" },
    { who: "a role whose name begins alike", principal: `${PUBLISHER}-2` },
    { who: "a role of that name under another path", principal: "arn:aws:iam::111122223333:role/publisher" },
    { who: "a role of that name in another account", principal: PUBLISHER.replace("1111", "4444") },
    { who: "the account's root user", principal: "arn:aws:iam::111122223333:root" },
    { who: "a service or an anonymous caller", principal: undefined },
  ];
  describe.each(others)("for $who", ({ principal }) => {
    const as = principal === undefined ? {} : { principal };
    it.each(CHANGES)("refuses %s if publishers are named, and leaves it to IAM if not", (action) => {
      for (const key of [POINTER_KEY, "parts/x.json", "other"]) {
        expect(decided({ PublisherArns: PUBLISHER }, { action, key, ...as })).toBe(REFUSED);
        expect(decided({}, { action, key, ...as })).toBe(OPEN);
      }
    });

    it.each(READS)("does not refuse %s", (action) => {
      expect(decided({ PublisherArns: PUBLISHER }, { action, ...as })).toBe(OPEN);
    });
  });

  it.each([
    {
      who: "the first role",
      PublisherArns: `${PUBLISHER},arn:aws:iam::111122223333:role/b`,
      principal: PUBLISHER,
    },
    {
      who: "the last role",
      PublisherArns: `arn:aws:iam::111122223333:role/b,${PUBLISHER}`,
      principal: PUBLISHER,
    },
    {
      who: "a role of IAM Identity Center, whose name has a random end",
      PublisherArns:
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Publisher_*",
      principal:
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Publisher_0a1b2c",
    },
  ])("lets $who of the list publish", ({ PublisherArns, principal }) => {
    for (const action of CHANGES) expect(decided({ PublisherArns }, { action, principal })).toBe(OPEN);
  });

  it("refuses every role that is not in the list", () => {
    const roleArn = fc
      .stringMatching(/^[A-Za-z0-9/_+=.@-]{1,30}$/)
      .map((name) => `arn:aws:iam::111122223333:role/${name}`);
    fc.assert(
      fc.property(fc.array(roleArn, { minLength: 1, maxLength: 4 }), roleArn, (publishers, principal) => {
        const PublisherArns = publishers.join(",");
        const expected = publishers.includes(principal) ? OPEN : REFUSED;
        expect(decided({ PublisherArns }, { action: "PutObject", principal })).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });
});

describe("with ExistingBindingsBucket", () => {
  const ExistingBindingsBucket = "kept-bindings";
  const stack = deploy({ ExistingBindingsBucket });

  it("makes no bucket and changes no policy", () => {
    const types = Object.values(stack.resources).map(({ Type }) => Type);
    expect(types.filter((type) => type.startsWith("AWS::S3::"))).toEqual([]);
  });

  it("each function may read that bucket, and no other", () => {
    for (const role of ["RotationRole", "ReconcileRole", "WebhookRole"]) {
      const ofS3 = policiesOf(stack, role).filter((one: Statement) => String(one.Action).startsWith("s3:"));
      expect(new Set(ofS3.flatMap(resourcesOf))).toEqual(
        new Set([
          "arn:aws:s3:::kept-bindings/bindings.json",
          "arn:aws:s3:::kept-bindings/parts/*",
          "arn:aws:s3:::kept-bindings",
        ]),
      );
    }
  });

  it("names it in the output, and in the environment of the functions", () => {
    expect(stack.outputs.BindingsBucketName).toMatchObject({ Value: ExistingBindingsBucket });
    const { Variables } = template.Globals.Function.Environment as { Variables: Record<string, unknown> };
    expect(idsIn(Variables.BINDINGS_BUCKET)).toEqual([
      ...["MakesBindingsBucket", "BindingsBucket", "ExistingBindingsBucket"],
    ]);
    const { bindingsBucket } = parseRotationConfig({ BINDINGS_BUCKET: ExistingBindingsBucket });
    expect(bindingsBucket).toBe(ExistingBindingsBucket);
  });
});

it("no function has a local file of bindings, which would replace the published ones", () => {
  expect(JSON.stringify([template.Globals, template.Resources])).not.toContain("BINDINGS_FILE");
});
