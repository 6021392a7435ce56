import type { Cli } from "../cli.ts";
import { type AwsSession, openAwsSession } from "../live/aws-session.ts";
import type { AwsOptions } from "../live/options.ts";
import { type CheckResult, ok, skipped, wrong, wrongBy } from "./check-result.ts";

export type AccountCheck = { readonly results: readonly CheckResult[]; readonly aws?: AwsSession };

/** Checks the credentials, their identity, and the clock that signs requests. */
export async function checkAccount({ now }: Cli, options: AwsOptions): Promise<AccountCheck> {
  try {
    const aws = await openAwsSession(options);
    const { callerArn, location } = aws;
    return {
      aws,
      results: [ok("credentials", `${callerArn}, in ${location.region}`), ...(await checkClock(aws, now))],
    };
  } catch (error) {
    return { results: [wrongBy("credentials", error), skipped("clock", "AWS credentials")] };
  }
}

/** Every response of AWS has a date. The SDK corrects for a wrong clock; an EKS token does not. */
async function checkClock(aws: AwsSession, now: () => number): Promise<readonly CheckResult[]> {
  const { STSClient, GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
  const sts = new STSClient({ ...aws.client, maxAttempts: 2 });
  let awsTime = Number.NaN;
  sts.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      const { headers = {} } = answer.response as { headers?: Record<string, string> };
      awsTime = Date.parse(headers.date ?? "");
      return answer;
    },
    { step: "deserialize", priority: "low", name: "readDateOfAws" },
  );
  try {
    await sts.send(new GetCallerIdentityCommand({}));
  } catch (error) {
    return [wrongBy("clock", aws.classify("Reading the time from AWS", error))];
  } finally {
    sts.destroy();
  }
  const skewMs = now() - awsTime;
  if (!(Math.abs(skewMs) > SKEW_MS_MAX)) return [ok("clock", "agrees with AWS")];
  const by = `${Math.round(Math.abs(skewMs) / 60_000)} minutes ${skewMs > 0 ? "ahead of" : "behind"} AWS`;
  return [
    wrong("clock", {
      code: "CLOCK_SKEWED",
      says: `the clock of this machine is ${by}, so AWS refuses its tokens and signatures`,
      fix: "sudo timedatectl set-ntp true",
    }),
  ];
}

/** AWS accepts signatures that are up to five minutes off. */
const SKEW_MS_MAX = 5 * 60_000;
