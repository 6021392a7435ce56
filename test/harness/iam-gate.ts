import { createHash, randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import { DescribeSecretCommand } from "@aws-sdk/client-secrets-manager";
import { AwsError } from "../../sandbox/aws/aws-error.ts";
import { type Answer, type Asked, parseAsked, printError, printResult } from "../../sandbox/aws/protocol.ts";
import type { S3Input } from "../../sandbox/aws/s3/parse-s3.ts";
import { serve } from "../../sandbox/aws/serve.ts";
import type { SignedRequest } from "../../sandbox/aws/sigv4.ts";
import { decide, type PolicyRequest } from "../template/evaluate.ts";
import type { Statement } from "../template/statements.ts";
import { awsClients, credentialsOf } from "./aws-clients.ts";
import type { Backend } from "./backend.ts";

/**
 * Proxies a backend's AWS and forwards only requests that a role's policies allow, as IAM does. moto can't do this: it
 * treats every request as one about the resource `*`, and an Allow with an unmet condition as a Deny.
 *
 * The backend serves Secrets Manager and S3. EKS, STS, SQS and Lambda are served here, so that both backends behave
 * alike.
 */
export type IamGate = {
  /** The endpoint for the SDK. */
  readonly env: Readonly<Record<string, string>>;
  readonly endpoint: string;
  /** From now on callers have these policies. */
  actAs(identity: {
    readonly statements: readonly Statement[];
    readonly context: PolicyRequest["context"];
  }): void;
  /** Requests since then. */
  readonly asked: readonly PolicyRequest[];
  readonly refused: readonly PolicyRequest[];
  stop(): Promise<void>;
};

export async function startIamGate(
  backend: Backend,
  /** The KMS key of a secret, where it has one. */
  keyOf: (secretArn: string) => string | undefined,
): Promise<IamGate> {
  const { secrets, destroy } = awsClients(backend.aws);
  const asked: PolicyRequest[] = [];
  const refused: PolicyRequest[] = [];
  let identity: Parameters<IamGate["actAs"]>[0] = { statements: [], context: {} };

  const isAllowed = (request: PolicyRequest): boolean => {
    const whole = { ...request, context: { ...identity.context, ...request.context } };
    asked.push(whole);
    if (decide(identity.statements, whole) === "allowed") return true;
    refused.push(whole);
    return false;
  };

  const arnOf = async (id: string): Promise<string> => {
    const known = await secrets.send(new DescribeSecretCommand({ SecretId: id })).catch(() => ({ ARN: id }));
    return known.ARN ?? id;
  };

  /** Secrets Manager decrypts with the caller's identity. */
  const mayRead = async (id: string): Promise<boolean> => {
    const arn = await arnOf(id);
    if (!isAllowed({ action: "secretsmanager:GetSecretValue", resource: arn })) return false;
    const key = keyOf(arn);
    const context = {
      "kms:ViaService": `secretsmanager.${backend.aws.region}.amazonaws.com`,
      "kms:EncryptionContext:SecretARN": arn,
    };
    return key === undefined || isAllowed({ action: "kms:Decrypt", resource: key, context });
  };

  const mayAsk = async ({ service, operation, input }: Asked): Promise<boolean> => {
    const versioned = "query" in input && (input as S3Input).query.versionId !== undefined;
    const action = `${service}:${ACTIONS[operation] ?? operation}${versioned ? "Version" : ""}`;
    if (action === "secretsmanager:GetSecretValue") return mayRead(String(input.SecretId));
    return isAllowed({ action, resource: await resourceOf(action, input) });
  };

  const resourceOf = async (action: string, input: Asked["input"]): Promise<string> => {
    const { region, accountId } = backend.aws;
    switch (action) {
      case "secretsmanager:DescribeSecret":
        return arnOf(String(input.SecretId));
      case "eks:DescribeCluster":
        return `arn:aws:eks:${region}:${accountId}:cluster/${input.name}`;
      case "sts:AssumeRole":
        return String(input.RoleArn);
      case "lambda:InvokeFunction":
        return String(input.FunctionName);
      case "sqs:SendMessage":
        return `<${String(input.QueueUrl).split("/").at(-1)}>.Arn`;
      case "s3:ListBucket":
      case "s3:ListBucketVersions":
        return bucketArn(input);
      default:
        if (action.startsWith("s3:")) return `${bucketArn(input)}/${input.Key}`;
        return "*";
    }
  };

  const respond = async (request: SignedRequest): Promise<Answer> => {
    const wanted = parseAsked(request);
    const { service, operation, input } = wanted;
    if (!(await mayAsk(wanted))) {
      return forbidden(wanted);
    }
    if (operation === "BatchGetSecretValue") return withoutForbidden(request, input);
    if (service === "secretsmanager") return forward(backend, request);
    if (service === "s3") {
      const answer = await forward(backend, request);
      const isAbsent = answer.status === 404 && "Key" in input && input.Key !== "";
      // Only a caller who may list the bucket learns that an object is absent.
      const maySay = !isAbsent || isAllowed({ action: "s3:ListBucket", resource: bucketArn(input) });
      return maySay ? answer : forbidden(wanted);
    }
    const result = answerOf(wanted);
    return printResult(wanted, result, randomUUID(), request.headers.accept === "application/json");
  };

  /** A batch is served all the same: each denied secret in it is an error. */
  const withoutForbidden = async (request: SignedRequest, { SecretIdList }: Asked["input"]) => {
    const ids = SecretIdList as string[];
    const forbidden: string[] = [];
    for (const id of ids) if (!(await mayRead(id))) forbidden.push(id);
    if (forbidden.length === 0) return forward(backend, request);
    const Errors = ids.map((SecretId) => ({ SecretId, ErrorCode: "AccessDeniedException", Message: "no" }));
    const asked = { service: "secretsmanager", operation: "BatchGetSecretValue", input: {} } as const;
    return printResult(asked, { SecretValues: [], Errors }, randomUUID(), true);
  };

  const answerOf = ({ operation, input }: Asked): object => {
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = credentialsOf(backend.aws);
    const { endpoint, certificateAuthorityData: data } = backend.kubernetes;
    switch (operation) {
      case "DescribeCluster":
        return { cluster: { name: input.name, endpoint, certificateAuthority: { data }, status: "ACTIVE" } };
      case "AssumeRole":
        // The caller's own credentials: the API server knows no others.
        return { Credentials: { AccessKeyId, SecretAccessKey } };
      case "Invoke":
        return { status: 202, payload: "" };
      case "SendMessageBatch":
        return {
          Successful: (input.Entries as { Id: string; MessageBody: string }[]).map(({ Id, MessageBody }) => ({
            ...{ Id, MessageId: randomUUID() },
            MD5OfMessageBody: createHash("md5").update(MessageBody).digest("hex"),
          })),
        };
      default:
        throw new Error(`the gate has no answer to ${operation}`);
    }
  };

  const { endpoint, stop } = await serve(respond, undefined, Date.now);
  return {
    env: Object.fromEntries(SERVICES.map((service) => [`AWS_ENDPOINT_URL_${service}`, endpoint])),
    endpoint,
    actAs: (next) => {
      identity = next;
      asked.length = 0;
      refused.length = 0;
    },
    asked,
    refused,
    stop: async () => {
      destroy();
      await stop();
    },
  };
}

const SERVICES = ["SECRETS_MANAGER", "STS", "EKS", "SQS", "LAMBDA", "S3"];

function forbidden({ service, operation }: Asked): Answer {
  const message = `User is not authorized to perform: ${service}:${operation}`;
  return printError(service, new AwsError("AccessDeniedException", message), randomUUID());
}

const bucketArn = ({ Bucket }: Asked["input"]): string => `arn:aws:s3:::${Bucket}`;

/** Operations whose action has another name; AWS's service authorization reference has them. */
const ACTIONS: Readonly<Record<string, string>> = {
  HeadObject: "GetObject",
  Invoke: "InvokeFunction",
  ListObjectVersions: "ListBucketVersions",
  ListObjectsV2: "ListBucket",
  SendMessageBatch: "SendMessage",
};

/** With the host that was signed. */
function forward({ aws }: Backend, { method, target, headers, body }: SignedRequest): Promise<Answer> {
  const { hostname, port } = new URL(aws.env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? "");
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ hostname, port, method, path: target, headers }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const { "transfer-encoding": _, connection: __, "content-length": ___, ...kept } = incoming.headers;
        resolve({
          status: incoming.statusCode ?? 500,
          headers: kept as Record<string, string>,
          body: Buffer.concat(chunks),
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
