import { setTimeout as sleep } from "node:timers/promises";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { reconcileDependencies } from "../functions/reconcile/dependencies.ts";
import { reconcile } from "../functions/reconcile/reconcile.ts";
import { rotationDependencies } from "../functions/rotation/dependencies.ts";
import { followRotation } from "../functions/rotation/follow-rotation.ts";
import { labelUpdated } from "../test/contract/relay.ts";
import { endSessions, killApiServer, runBrownouts, runOutage } from "./actors/outages.ts";
import { Rotator } from "./actors/rotator.ts";
import { Tamperer } from "./actors/tamperer.ts";
import type { Counts } from "./counts.ts";
import { judgeHistory } from "./judge/judge-history.ts";
import { listenToOutput } from "./judge/listen-to-output.ts";
import { SessionWatch } from "./judge/session-watch.ts";
import { tokenJudge } from "./judge/token-judge.ts";
import type { Violation } from "./judge/violation.ts";
import { Witness } from "./judge/witness.ts";
import { EventBus } from "./lambda/event-bus.ts";
import type { Handler } from "./lambda/invocation.ts";
import { Lambda } from "./lambda/lambda.ts";
import { openShardSource, type ShardSource } from "./lambda/shard-source.ts";
import { Ledger, type Move, type Source } from "./ledger.ts";
import { findPlant } from "./planted.ts";
import { Random } from "./random.ts";
import {
  type ChaosSettings,
  type Pace,
  ROTATION_TIMEOUT_MS,
  SHARD_BINDINGS_MAX,
  SHARES,
  SWEEP_TIMEOUT_MS,
} from "./settings.ts";
import { settle } from "./settle.ts";
import type { WorldTime } from "./time/world-time.ts";
import { Faults } from "./wire/faults.ts";
import { StaleReplica } from "./wire/stale-replica.ts";
import type { Wire } from "./wire/wire.ts";
import { type Fleet, openFleet } from "./world/fleet.ts";
import type { World } from "./world/world.ts";

export type ChaosResult = {
  readonly seed: number;
  readonly ok: boolean;
  readonly violations: readonly Violation[];
  /** What was done, by kind. */
  readonly counts: Counts;
  /** Equal for equal runs on the sandbox. */
  readonly digest: string;
};

type Means = { readonly world: World; readonly wire: Wire; readonly time: WorldTime; readonly pace: Pace };

/** One seed, from an empty world to the verdict. Afterwards the process is as it was before. */
export async function simulate(settings: ChaosSettings, means: Means): Promise<ChaosResult> {
  const ends: (() => void)[] = [];
  try {
    return await runSeed(settings, means, (end) => void ends.push(end));
  } finally {
    for (const end of ends.reverse()) end();
  }
}

async function runSeed(
  settings: ChaosSettings,
  { world, wire, time, pace }: Means,
  atEnd: (end: () => void) => void,
): Promise<ChaosResult> {
  const draw = (purpose: string) => new Random(settings.seed, purpose);
  const { now } = time;
  const plant = findPlant(settings.plant);
  const faults = new Faults(draw("faults"), SHARES.callsFail);
  const replica = new StaleReplica(draw("stale reads"), now, pace.staleMs);
  wire.open(world.hosts, { now, faults, replica });
  atEnd(() => wire.close());
  atEnd(keepProcessEnv());
  atEnd(shortenStackTraces());
  const credentials = ownCredentials(world);

  const secrets = new SecretsManagerClient({ maxAttempts: 1, credentials });
  atEnd(() => secrets.destroy());
  const fleet = await openFleet(world, settings, draw("fleet"));
  atEnd(() => fleet.close());
  const ledger = new Ledger();
  const witness = new Witness(ledger, fleet, { now, replica });
  const watch = new SessionWatch();
  const judge = tokenJudge(world, (violation) => witness.violations.push(violation));
  wire.listeners.push(witness, watch, judge);
  plant.wire?.(wire);
  atEnd(listenToOutput((text) => witness.leaks.see("the output of the process", text)));
  const shards = await openShardSource(pace, credentials);
  atEnd(() => shards.close());

  const env = {
    ...process.env,
    BINDINGS_FILE: fleet.bindingsFile,
    SHARD_QUEUE_URL: shards.queueUrl,
    SHARD_BINDINGS_MAX: String(SHARD_BINDINGS_MAX),
    DELETIONS_SHARE_MAX_PERCENT: "100", // what holds deletions back is tested elsewhere; here each must be right
  };
  const surroundings = { log: witness.log, measure: witness.measure };
  const arnOf = (name: string) =>
    `arn:aws:lambda:${world.aws.region}:${world.aws.accountId}:function:${name}`;
  const { redriven } = plant;
  const plantInto = plant.rotationHandler?.();
  const common = { retryDelaysMs: pace.retryDelaysMs, time, ...(redriven && { redriven }) };
  const rotation = new Lambda({
    ...common,
    name: "rotation",
    arn: arnOf("rotation"),
    timeoutMs: ROTATION_TIMEOUT_MS,
    concurrencyMax: 20,
    random: draw("rotation function"),
    start: async () => {
      const real = await rotationDependencies(env, surroundings);
      const handler: Handler = followRotation({ ...real, ...plant.rotation?.(real) });
      return plantInto?.(handler) ?? handler;
    },
  });
  const sweep = new Lambda({
    ...common,
    name: "reconcile",
    arn: arnOf("reconcile"),
    timeoutMs: SWEEP_TIMEOUT_MS,
    concurrencyMax: 5,
    random: draw("reconcile function"),
    start: async () => {
      const real = await reconcileDependencies(env, surroundings);
      return reconcile({ ...real, ...plant.reconcile?.(real) });
    },
  });
  rotation.listeners.push(witness.rotated);
  sweep.listeners.push(witness.reconciled);

  const bus = new EventBus(draw("events"), pace.lateEventMsMax, (event) => {
    rotation.invokeLater(event);
  });
  const rotator = new Rotator({
    secrets,
    ledger,
    replica,
    random: draw("rotations"),
    now,
    moved: (source, move) => bus.send(source.name, eventOf(world, rotator, source, move, now())),
  });
  const tamperer = new Tamperer(fleet, draw("tampering"), (name) => rotator.hurry(name));

  const withPrevious = new Set(fleet.sourcesWithPrevious);
  for (const name of fleet.sourceNames)
    await rotator.create(name, fleet.firstVersionOf(name), withPrevious.has(name));
  const listStaleMs = LIST_STALE_MS;
  await sleep(listStaleMs); // a list that is so old must know them all
  world.listsAreStaleFor(listStaleMs);

  const untilAt = now() + settings.minutes * 60_000;
  const means = (purpose: string) => ({ pace, random: draw(purpose), now });
  const [first] = world.clusters;
  if (first === undefined) throw new TypeError("A world without clusters");
  const [outages, brownouts, kills] = await Promise.all([
    runOutage(first, untilAt, means("outage")),
    runBrownouts(faults, untilAt, means("brownouts")),
    Promise.all(
      world.clusters.map((cluster) =>
        killApiServer(cluster, wire, untilAt, means(`kills of ${cluster.key}`)),
      ),
    ),
    endSessions(world.sessions, untilAt, means("ends of sessions")),
    rotator.run(fleet.sourceNames, settings.rotations, untilAt - now()),
    tamperer.run(pace.tamperEveryMs, untilAt, now),
    sleep(0.6 * (untilAt - now())).then(() => deleteSome(rotator, fleet.sourceNames)),
    sweepRegularly(sweep, pace, untilAt, now),
    pollRegularly(shards, sweep, untilAt, now),
  ]);

  faults.calm();
  replica.calm();
  rotation.calm();
  sweep.calm();
  for (const { host } of world.clusters) host.downUntil = 0;
  await settle({ rotation, sweep, bus, shards, witness, world, pace, listStaleMs });

  const byHand = tamperer.deletions;
  const history = await judgeHistory(world, fleet, { ledger, witness, byHand });
  witness.leaks.finish();
  const violations = [...witness.violations, ...history];
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  return {
    seed: settings.seed,
    ok: violations.length === 0,
    violations,
    digest: wire.digest(),
    counts: {
      rotations: rotator.counts.rotations,
      rollbacks: rotator.counts.rollbacks,
      sourcesDeleted: rotator.counts.deleted,
      bindings: countTargets(fleet),
      bystanders: fleet.bystanders.length,
      events: bus.counts,
      invocations: { rotation: rotation.attempts, reconcile: sweep.attempts },
      environments: rotation.environments + sweep.environments,
      clocks: {
        skewedInvocations: rotation.skews.attempts + sweep.skews.attempts,
        largestSkewMs: Math.max(rotation.skews.largestMs, sweep.skews.largestMs),
      },
      kills: { rotation: rotation.killedBetween.toJSON(), reconcile: sweep.killedBetween.toJSON() },
      outOfTime: rotation.outOfTime + sweep.outOfTime,
      exchanges: { served: wire.counts.served, failed: wire.counts.failed.toJSON() },
      staleReads: replica.served.toJSON(),
      apiServers: {
        killed: sum(kills),
        requestsCutBeforeServed: wire.counts.cut.beforeServed,
        requestsCutAfterServed: wire.counts.cut.afterServed,
        requestsCutPerhapsServed: wire.counts.cut.maybeServed,
        writesNobodyWasAnsweredFor: witness.counts.unanswered,
        connectionsRefused: wire.counts.refused,
        outages,
        requestsInOutage: wire.counts.unreachable,
      },
      awsBrownouts: brownouts,
      credentials: { ...world.sessions.counts, ...watch.counts },
      tampering: tamperer.counts,
      sweeps: witness.sweeps.toJSON(),
      findings: witness.findings.toJSON(),
      refusals: witness.refusals.toJSON(),
      applies: witness.counts.applies,
      fenceConflicts: witness.counts.conflicts,
      deletions: witness.counts.deletions,
      redriven: { rotation: rotation.redriven, reconcile: sweep.redriven, shards: shards.counts.redriven },
      shards: { sent: witness.shardsSent.size, done: shards.counts.delivered },
      scannedBytes: witness.leaks.scannedBytes,
    },
  };
}

/**
 * The functions find where AWS is in their environment, and their credentials where a container fetches them: those end.
 * The team that rotates has its own, which do not.
 */
function ownCredentials({ aws: { env } }: World): { accessKeyId: string; secretAccessKey: string } {
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "", ...rest } = env;
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
    delete process.env[name];
  Object.assign(process.env, rest);
  return { accessKeyId, secretAccessKey };
}

/** Every fourth exchange makes an error, which is dear with the 100 frames that a test runner asks for. */
function shortenStackTraces(): () => void {
  const kept = Error.stackTraceLimit;
  Error.stackTraceLimit = Math.min(kept, 10);
  return () => {
    Error.stackTraceLimit = kept;
  };
}

/** Answers what puts the variables of this process back. */
function keepProcessEnv(): () => void {
  const kept = { ...process.env };
  return () => {
    for (const name of Object.keys(process.env)) if (!(name in kept)) delete process.env[name];
    Object.assign(process.env, kept);
  };
}

/** By what they take of their sources. */
function countTargets({ targets }: Fleet): Counts {
  const kinds = Map.groupBy(targets, ({ parts }) => parts.map(({ taken }) => taken).join(" and "));
  return Object.fromEntries([...kinds].map(([kind, of]) => [kind, of.length]));
}

/** AWS says that ListSecrets may be five minutes behind. */
const LIST_STALE_MS = 2_000;

/** Mostly the native event; now and then a call that names no version, as a person or a pipeline makes it. */
function eventOf(world: World, rotator: Rotator, { name }: Source, { versionId }: Move, at: number): object {
  const [cluster] = world.clusters;
  if (cluster === undefined) throw new TypeError("A world without clusters");
  if (versionId.charCodeAt(0) % 4 === 0) return { secretId: name };
  const backend = { name: "sandbox", aws: world.aws, kubernetes: cluster.backend, stop: world.stop } as const;
  return labelUpdated(backend, { name, arn: rotator.arnOf(name), versionId }, at);
}

/** One that is deleted with its Secrets, and one whose Secrets are kept. */
async function deleteSome(rotator: Rotator, names: readonly string[]): Promise<void> {
  const deletable = names.filter((_name, index) => index % 10 === 9);
  const kept = names.filter((_name, index) => index % 10 === 5);
  for (const name of [...deletable.slice(0, 2), ...kept.slice(0, 1)]) await rotator.delete(name);
}

async function sweepRegularly(sweep: Lambda, pace: Pace, untilAt: number, now: () => number): Promise<void> {
  const every = async (ms: number, mode: "metadata" | "values") => {
    for (;;) {
      await sleep(ms);
      if (now() >= untilAt) return;
      sweep.invokeLater({ sweep: mode });
    }
  };
  await Promise.all([every(pace.metadataSweepEveryMs, "metadata"), every(pace.valuesSweepEveryMs, "values")]);
}

async function pollRegularly(
  shards: ShardSource,
  sweep: Lambda,
  untilAt: number,
  now: () => number,
): Promise<void> {
  while (now() < untilAt) {
    void shards.poll(sweep);
    await sleep(1_000);
  }
}
