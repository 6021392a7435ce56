import { DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SweepReport } from "../../shared/sweep/report.ts";
import type { IssuedCredentials } from "../aws/start-aws-sandbox.ts";
import { anyPassword, expectNoLeak, putPassword } from "./shop-database.ts";
import { expectThat } from "./story-problem.ts";
import type { StoryStep } from "./story-step.ts";

/** The usual failure of a polling loop: its credentials end before the loop does. */
export const expiredCredentials: StoryStep = {
  name: "expired-credentials",
  title: "temporary credentials end in the middle of a sweep",
  async run(world) {
    const { role, sandbox, narrator } = world;
    await world.admin.grant(NAMESPACE, NAMES, sandbox.kubernetes.relayGroup);
    const passwords = NAMES.map(anyPassword);
    const seeds = NAMES.map((name, at) => ({ name: sourceOf(name), value: json(passwords[at]) }));
    sandbox.aws.seedSecrets(seeds);
    const filled = await (await world.deploySweep(BINDINGS)).sweep({ sweep: "metadata" });
    expectRepaired(filled.report, "MISSING", NAMES.length);
    narrator.done(`${NAMES.length} new bindings: a first sweep creates their Secrets`, filled.ms);

    for (const name of ROTATED) {
      passwords.push(anyPassword());
      await putPassword(world, sourceOf(name), passwords.at(-1) ?? "");
    }
    role.shortenNext(LIFE_LEFT_MS);
    const reconcile = await world.deploySweep(BINDINGS);
    const issuedBefore = role.issued.length;
    const endSlowness = sandbox.kubernetes.faults.before(() => world.passTime(REQUEST_MS));
    const { report, ms, requests } = await reconcile.sweep({ sweep: "metadata" }).finally(endSlowness);

    const [first] = role.issued.slice(issuedBefore);
    expectThat(first !== undefined && first.expiresAt <= world.now(), "The credentials outlived the sweep");
    const refusal = await tryWith(first, world.now() - Date.now());
    expectThat(refusal === "ExpiredTokenException", `Expired credentials were answered with ${refusal}`);
    narrator.done(
      "the next sweep begins with credentials that last 6 minutes, and each request to the cluster takes 15 s (on the sandbox's clock)",
    );
    narrator.done(`they expire during the sweep: a call signed with them now gets ${refusal}`);

    expectRepaired(report, "STALE", ROTATED.length);
    const fetched = role.issued.length - issuedBefore;
    narrator.done(
      `the sweep continues with new ones, which it fetched when it needed them (${fetched} times in all)`,
    );
    narrator.done(
      `bindings checked: ${report.checked} of ${NAMES.length}, skipped: ${unknownIn(report).length}; stale and repaired: ${ROTATED.length}; values read: ${requests.sourceValues} at Secrets Manager`,
    );
    expectNoLeak(passwords, [reconcile.log, report]);
    narrator.result(
      ms,
      "for that sweep (measured, on this sandbox, where the slow cluster costs no real time)",
    );
    narrator.note(
      "a polling operator would log the error here, and its remaining bindings would wait for a retry or the next loop",
    );
    return { ms };
  },
};

const NAMESPACE = "fleet";
const NAMES = Array.from({ length: 36 }, (_, at) => `app-${String(at + 1).padStart(2, "0")}`);
/** Every sixth, so that some are found before the credentials end and some after. */
const ROTATED = NAMES.filter((_, at) => at % 6 === 5);
/** The relay renews credentials with less than five minutes left before it begins. */
const LIFE_LEFT_MS = 6 * 60_000;
const REQUEST_MS = 15_000;

const sourceOf = (name: string): string => `fleet/${name}`;
const json = (password = ""): string => JSON.stringify({ password });

const BINDINGS = `
version: 1
clusters:
  prod: { name: sandbox, region: eu-west-1 }
defaults: { namespace: ${NAMESPACE} }
bindings:
${NAMES.map((name) => `  - { source: ${sourceOf(name)}, targets: [{ name: ${name} }] }`).join("\n")}
`;

/** The name of the error that Secrets Manager returns for a call with these credentials, by the sandbox's clock. */
async function tryWith(credentials: IssuedCredentials, systemClockOffset: number): Promise<string> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const client = new SecretsManagerClient({
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    systemClockOffset,
    maxAttempts: 1,
  });
  try {
    await client.send(new DescribeSecretCommand({ SecretId: sourceOf(NAMES[0] ?? "") }));
    return "no error";
  } catch (error) {
    return error instanceof Error ? error.name : "a value that is not an error";
  } finally {
    client.destroy();
  }
}

const unknownIn = ({ targets }: SweepReport) => targets.filter(({ action }) => action === "unknown");

function expectRepaired(report: SweepReport, code: string, count: number): void {
  const unknown = unknownIn(report);
  expectThat(unknown.length === 0, `${unknown.length} bindings were skipped: ${unknown[0]?.code}`);
  const repaired = report.targets.filter(({ finding, outcome }) => finding === code && outcome === "written");
  expectThat(
    repaired.length === count && report.targets.length === count,
    `${repaired.length} of ${count} were found ${code} and repaired`,
  );
}
