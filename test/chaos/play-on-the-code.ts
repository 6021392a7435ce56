import { randomUUID } from "node:crypto";
import type { VersionId } from "../../shared/source/secret-id.ts";
import { SecretValue } from "../../shared/source/secret-value.ts";
import type { SyncCluster } from "../../shared/sync/sync-source.ts";
import type { Backend } from "../harness/backend.ts";
import { labelUpdated, startRelay } from "../harness/relay.ts";
import type { Scene } from "../harness/scene.ts";
import { FOREIGN } from "./model/invariants.ts";
import type { Invocation, Protocol, Scope, State, Step } from "./model/state.ts";
import { initialState, type Transition, transitionsFrom } from "./model/transitions.ts";
import type { Random } from "./random.ts";

/** The step that the code waits for, or how it ended. */
type Standing = "read-live" | "read-source" | "apply" | "done" | "refused" | "failed";

/** One attempt of an invocation of the real function, paused before each of its steps. */
type Attempt = {
  standing: Standing;
  /** Lets the pending step run. */
  go: (version: string) => Promise<void>;
  /** Runs its apply twice, as a connection does that received no response to the first. */
  goTwice: () => Promise<void>;
  /** Resolves when the code is paused before the next step, or has ended. */
  settled: Promise<void>;
};

export type Stage = { readonly backend: Backend; readonly scene: Scene; readonly secretName: string };

/**
 * Replays one schedule, drawn from the model, on the real function and the sandbox's API server. Throws when the code
 * is at another step than the model, or the Secret holds another version. Returns the steps taken.
 */
export async function playOnTheCode(
  { scope, protocol = "as it is" }: { scope: Scope; protocol?: Protocol },
  random: Random,
  stage: Stage,
): Promise<string[]> {
  const { backend, scene, secretName } = stage;
  const clock = clockOf(scope);
  const source = { name: `model/${randomUUID()}`, arn: "" };
  const arn = `arn:aws:secretsmanager:${backend.aws.region}:${backend.aws.accountId}:secret:${source.name}-AbCdEf`;
  const versionIds = new Map([...new Set(scope.versions)].map((letter) => [letter, randomUUID()]));
  const idOf = (letter: string): string => versionIds.get(letter) ?? "";
  const currentOf = (letter: string) => ({
    arn,
    versionId: idOf(letter) as VersionId,
    value: SecretValue.fromText(JSON.stringify({ password: `canary-7f3a9c1e-${letter}` })),
  });
  const bindings = [{ source: source.name, targets: [{ namespace: scene.namespace, name: secretName }] }];

  await scene.deleteSecret(secretName).catch(() => {}); // of an earlier schedule
  if (scope.isBoundBefore) {
    const readCurrent = async () => currentOf(scope.versions[0] ?? "");
    const override = () => ({ readCurrent });
    const before = await startRelay(backend, { bindings, override, now: () => clock.startsAt - 180_000 });
    await before.invoke({ secretId: source.name });
  }

  const start = async (index: number): Promise<Attempt> => {
    let tell = () => {};
    const attempt: Attempt = {
      standing: "failed",
      go: async () => {},
      goTwice: async () => {},
      settled: Promise.resolve(),
    };
    const waitForNext = () => {
      attempt.settled = new Promise((resolve) => {
        tell = resolve;
      });
    };
    const stand = <T>(standing: Standing, step: (version: string) => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        attempt.standing = standing;
        const take = async (version: string, times: number): Promise<void> => {
          waitForNext();
          let taken = step(version);
          for (let time = 1; time < times; time += 1) taken = taken.then(() => step(version));
          await taken.then(resolve, reject);
        };
        attempt.go = (version) => take(version, 1);
        attempt.goTwice = () => take("", 2);
        tell();
      });
    const relay = await startRelay(backend, {
      bindings,
      now: clock.now,
      override: (real) => ({
        wait: async () => {},
        readCurrent: () => stand("read-source", async (version) => currentOf(version)),
        connect: (clusterKey): SyncCluster => {
          const cluster = real.connect(clusterKey);
          return {
            ...cluster,
            readSecret: (secret, budget) => stand("read-live", () => cluster.readSecret(secret, budget)),
            applySecret: (body, force, budget) =>
              stand("apply", () => cluster.applySecret(body, force, budget)),
          };
        },
      }),
    });
    const { for: move = 0, isTold = false } = scope.invocations[index] ?? {};
    const versionId = idOf(scope.versions[move] ?? "");
    const event = isTold
      ? labelUpdated(backend, { ...source, arn, versionId }, clock.movedAt(move))
      : { secretId: source.name };
    waitForNext();
    relay.invoke(event).then(
      ({ targets }) => end(targets[0]?.outcome === "refused" ? "refused" : "done"),
      () => end("failed"),
    );
    const end = (standing: Standing): void => {
      attempt.standing = standing;
      tell();
    };
    return attempt;
  };

  const attempts: (Attempt | undefined)[] = [];
  const orphans: (Attempt | undefined)[] = [];
  const trace: string[] = [];
  let state = initialState(scope);
  for (;;) {
    const possible = transitionsFrom(scope, protocol, state);
    if (possible.length === 0) return trace;
    const chosen = random.pick(possible);
    trace.push(`${chosen.actor} ${chosen.action}`);
    await take(chosen);
    state = chosen.next;
    await expectAgreement(state);
  }

  async function take({ actor, action, next }: Transition): Promise<void> {
    const index = "ABC".indexOf(actor);
    if (index < 0) return happen(action, next);
    const attempt = attempts[index];
    if (action.includes("orphaned apply arrives")) {
      const orphan = orphans[index];
      orphans[index] = undefined;
      return orphan?.go("");
    }
    if (action.startsWith("is ")) {
      if (action.includes("on the way")) orphans[index] = attempt;
      const started = await start(index);
      attempts[index] = started;
      return started.settled;
    }
    const read = /stale: (\w+)/.exec(action)?.[1] ?? scope.versions[state.current] ?? "";
    await (action.includes("gets no response") ? attempt?.goTwice() : attempt?.go(read));
    await attempt?.settled;
  }

  async function happen(action: string, { current }: State): Promise<void> {
    if (action === "AWSCURRENT moves") clock.move(current);
    if (action === "a minute passes") clock.passMinute();
    if (action === "an operator deletes the Secret") await scene.deleteSecret(secretName);
    if (action === "an operator creates a Secret with that name") {
      await scene.createSecret(secretName, { password: FOREIGN });
    }
  }

  async function expectAgreement({ live, invocations }: State): Promise<void> {
    const data = await scene.readData(secretName);
    const held = data?.password?.replace("canary-7f3a9c1e-", "") ?? null;
    const wanted = live?.version ?? null;
    if (held !== wanted) {
      throw new Error(`The Secret holds ${held}, but the model has ${wanted}, after:\n${trace.join("\n")}`);
    }
    for (const [index, invocation] of invocations.entries()) {
      const stands = attempts[index]?.standing ?? "wait";
      const shouldStand = standingOf(invocation);
      if (stands !== shouldStand) {
        const who = "ABC"[index];
        throw new Error(
          `${who} is before ${stands}, but in the model before ${shouldStand}, after:\n${trace.join("\n")}`,
        );
      }
    }
  }
}

/** Reading the source and checking it again are the same call. */
function standingOf({ step }: Invocation): Exclude<Step, "check"> {
  return step === "check" ? "read-source" : step;
}

/** A clock that gives each move its own second, so that before and after a move differ. */
function clockOf({ versions }: Scope) {
  const startsAt = Math.floor(Date.now() / 1_000) * 1_000;
  let at = startsAt;
  const movedAt = new Map([...versions].map((_version, move) => [move, startsAt]));
  return {
    startsAt,
    now: () => at + 500,
    movedAt: (move: number) => movedAt.get(move) ?? startsAt,
    move: (to: number) => {
      at += 1_000;
      movedAt.set(to, at);
    },
    passMinute: () => {
      at += 61_000;
    },
  };
}
