import type { Cli } from "../cli.ts";
import { type AwsSession, openAwsSession } from "../live/aws-session.ts";
import type { LiveOptions } from "../live/options.ts";
import { type CheckResult, ok, wrong, wrongBy } from "./check-result.ts";

export type AccountCheck = { readonly results: readonly CheckResult[]; readonly aws?: AwsSession };

/** Are there credentials, whose are they, and is the clock right by which they sign? */
export async function checkAccount({ now }: Cli, options: LiveOptions): Promise<AccountCheck> {
  try {
    const aws = await openAwsSession(options);
    const { callerArn, home } = aws;
    const says = `you are ${callerArn}, in ${home.region}`;
    return { aws, results: [ok("credentials", says), ...(await checkClock(aws, now))] };
  } catch (error) {
    return { results: [wrongBy("credentials", error)] };
  }
}

/** AWS tells its time with every answer. The SDK makes up for a wrong clock, and an EKS token cannot. */
async function checkClock(aws: AwsSession, now: () => number): Promise<readonly CheckResult[]> {
  const { STSClient, GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
  const sts = new STSClient({ ...aws.client, maxAttempts: 2 });
  let toldAt = Number.NaN;
  sts.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      const { headers = {} } = answer.response as { headers?: Record<string, string> };
      toldAt = Date.parse(headers.date ?? "");
      return answer;
    },
    { step: "deserialize", priority: "low", name: "readDateOfAws" },
  );
  try {
    await sts.send(new GetCallerIdentityCommand({}));
  } catch (error) {
    return [wrongBy("clock", aws.classify("Asking AWS for its time", error))];
  } finally {
    sts.destroy();
  }
  const skewMs = now() - toldAt;
  if (!(Math.abs(skewMs) > SKEW_MS_MAX)) return [ok("clock", "agrees with AWS")];
  const by = `${Math.round(Math.abs(skewMs) / 60_000)} minutes ${skewMs > 0 ? "ahead of" : "behind"} AWS`;
  return [
    wrong("clock", {
      code: "CLOCK_SKEWED",
      says: `this machine is ${by}, so its tokens and signatures are refused`,
      fix: "sudo timedatectl set-ntp true",
    }),
  ];
}

/** AWS takes signatures that are up to five minutes off. */
const SKEW_MS_MAX = 5 * 60_000;
