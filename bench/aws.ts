import { DEFAULT_STACK_NAME } from "../cli/live/options.ts";
import { HOPS } from "../cli/verify/hops.ts";
import { prepare } from "../cli/verify/prepare.ts";
import { runVerify, type Verification } from "../cli/verify/run-verify.ts";
import { waitFor } from "../shared/runtime/retry.ts";
import { quietTerminal } from "../test/harness/run-cli.ts";
import { type Bench, machine, quantile, round } from "./bench.ts";

/**
 * `secret-relay verify` on the deployed stack, many times: the AWS credentials, the Region and the kubeconfig are those
 * of the shell, and SECRET_RELAY_STACK names the stack. It writes nothing but the canary.
 *
 * `p50Ms` is from the call that moves AWSCURRENT until the relay wrote the Secret, by the clock of the relay. It
 * includes that call, EventBridge and Lambda. The first rotation may start the functions, so it counts apart
 * (`firstMs`). The relay reads a source twice if it wrote the Secret less than a minute ago, which takes 50 ms more.
 */
export const aws: Bench = {
  summary: "rotations and repairs of the canary on the deployed stack of your AWS account",
  hasBackend: false,
  counts: {
    samples: {
      meaning: "rotations after the first; Secrets Manager keeps 100 versions of a day",
      fallback: 10,
    },
    seconds: { meaning: "how long one rotation, and one repair, may take", fallback: 60 },
  },
  run: async ({ counts: { samples: count = 0, seconds = 0 } }) => {
    const { SECRET_RELAY_STACK: stackName = DEFAULT_STACK_NAME } = process.env;
    const terminal = quietTerminal();
    const readStdin = async () => "";
    const cli = { terminal, env: process.env, cwd: process.cwd(), now: Date.now, wait: waitFor, readStdin };
    const prepared = await prepare(cli, undefined, { stackName });
    const limits = { stackName, timeoutMs: seconds * 1_000, reportProgress: () => {} };
    const verify = async (): Promise<Verification> => {
      const verified = await runVerify(cli, prepared, limits);
      const { fault } = verified;
      if (fault === undefined) return verified;
      throw new Error(`${fault.hop} failed. ${fault.code}: ${fault.says}\n    ${fault.next}`);
    };
    const first = await verify();
    const samples: Verification[] = [];
    while (samples.length < count) samples.push(await verify());
    const hops = Object.keys(HOPS).flatMap((name) => {
      const times = samples.flatMap(({ hops }) => hops.find(({ hop }) => hop === name)?.tookMs ?? []);
      return times.length === 0 ? [] : [[name, spreadOf(times)] as const];
    });
    return {
      backend: "aws",
      region: prepared.aws.region,
      samples: samples.length,
      firstMs: first.rotationMs ?? Number.NaN,
      ...spreadOf(samples.flatMap(({ rotationMs }) => rotationMs ?? [])),
      repair: spreadOf(samples.flatMap(({ repairMs }) => repairMs ?? [])),
      hops: Object.fromEntries(hops),
      machine: machine(),
    };
  },
};

const spreadOf = (times: readonly number[]) => ({
  p50Ms: round(quantile(times, 0.5)),
  p95Ms: round(quantile(times, 0.95)),
});
