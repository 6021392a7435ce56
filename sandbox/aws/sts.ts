import { AwsError } from "./aws-error.ts";
import { type Input, type Operation, requiredText, text } from "./call.ts";
import { type Credentials, type KnownCredentials, roleId } from "./credentials.ts";

const SESSION_SECONDS = { min: 900, max: 43_200, otherwise: 3_600 };

export function stsOperations(
  credentials: Credentials,
  accountId: string,
  sessionTokenChars: number | undefined,
): ReadonlyMap<string, Operation> {
  return new Map<string, Operation>([
    [
      "GetCallerIdentity",
      ({ accessKeyId }) => {
        const caller = credentials.find(accessKeyId) as KnownCredentials; // its signature was checked
        return { UserId: caller.userId, Account: accountId, Arn: caller.arn };
      },
    ],
    [
      "AssumeRole",
      ({ input }) => {
        const roleArn = requiredText(input, "RoleArn");
        const role = /^arn:[\w-]+:iam::\d{12}:role\/(.+)$/.exec(roleArn)?.[1];
        if (role === undefined) throw new AwsError("ValidationError", `${roleArn} is invalid`);
        const issued = credentials.issue({
          roleName: role,
          sessionName: parseSessionName(input),
          lifeMs: parseDuration(input) * 1_000,
          ...(sessionTokenChars !== undefined && { sessionTokenChars }),
        });
        return {
          Credentials: {
            AccessKeyId: issued.accessKeyId,
            SecretAccessKey: issued.secretAccessKey,
            SessionToken: issued.sessionToken,
            Expiration: new Date(issued.expiresAt).toISOString().replace(/\.\d{3}Z$/, "Z"),
          },
          AssumedRoleUser: {
            AssumedRoleId: `${roleId(role.slice(role.lastIndexOf("/") + 1))}:${parseSessionName(input)}`,
            Arn: issued.arn,
          },
        };
      },
    ],
  ]);
}

function parseSessionName(input: Input): string {
  const name = requiredText(input, "RoleSessionName");
  if (/^[\w+=,.@-]{2,64}$/.test(name)) return name;
  throw new AwsError(
    "ValidationError",
    `1 validation error detected: Value '${name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*`,
  );
}

function parseDuration(input: Input): number {
  const duration = Number(text(input, "DurationSeconds") ?? SESSION_SECONDS.otherwise);
  if (duration >= SESSION_SECONDS.min && duration <= SESSION_SECONDS.max) return duration;
  throw new AwsError(
    "ValidationError",
    `1 validation error detected: Value '${duration}' at 'durationSeconds' failed to satisfy constraint: Member must have value between ${SESSION_SECONDS.min} and ${SESSION_SECONDS.max}`,
  );
}
