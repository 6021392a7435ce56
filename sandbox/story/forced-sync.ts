import { openDesk } from "./open-desk.ts";
import { expectNoLeak, expectPassword, NAME, NAMESPACE, rotateUnseen, short } from "./shop-database.ts";
import { expectThat } from "./story-problem.ts";
import type { StoryStep } from "./story-step.ts";

/** At 3 a.m. production has a dead password. One command repairs it without waiting for a sweep. */
export const forcedSync: StoryStep = {
  name: "forced-sync",
  title: "an operator forces the sync by hand",
  async run(world) {
    const { narrator } = world;
    const { before, password, versionId } = await rotateUnseen(world);
    world.passTime(2 * 60_000);
    const cli = await openDesk(world, LOCAL);
    try {
      const stale = await cli.run("status", `${NAMESPACE}/${NAME}`);
      expectThat(stale.exitCode === 1, "secret-relay status did not end with 1 for a stale Secret");
      expectThat(/\bSTALE\b/.test(stale.printed), "secret-relay status does not report the Secret as stale");
      narrator.done(
        `the event of a rotation to version ${short(versionId)} is lost; secret-relay status ends with 1:`,
      );
      narrator.quote(stale.printed);

      const synced = await cli.run("sync", `${NAMESPACE}/${NAME}`);
      expectThat(synced.exitCode === 0, `secret-relay sync ended with ${synced.exitCode}`);
      narrator.done("secret-relay sync, with an operator's AWS credentials and kubeconfig:");
      narrator.quote(synced.printed);
      await expectPassword(world, password, "after the forced sync");

      const current = await cli.run("status", `${NAMESPACE}/${NAME}`);
      expectThat(current.exitCode === 0, "secret-relay status does not report the Secret as current");
      narrator.done("the new password is in the Secret, and status ends with 0");
      expectNoLeak([before, password], [stale, synced, current]);
      narrator.result(
        synced.ms,
        "for the command, from Enter until its final check (measured, on this sandbox)",
      );
      narrator.note(
        "that time includes GetCallerIdentity, the login, and all TLS handshakes; npx adds to it",
      );
      return { ms: synced.ms };
    } finally {
      await cli.close();
    }
  },
};

/** Not shown. This step has no stack, so nothing is published. */
const LOCAL = ["-b", "bindings.yaml"];
