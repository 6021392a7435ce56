import { setTimeout as sleep } from "node:timers/promises";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { reconcileDependencies } from "../functions/reconcile/dependencies.ts";
import { reconcile } from "../functions/reconcile/reconcile.ts";
import { rotationDependencies } from "../functions/rotation/dependencies.ts";
import { followRotation } from "../functions/rotation/follow-rotation.ts";
import { labelUpdated } from "../test/contract/relay.ts";
import { runBrownouts, runOutages } from "./actors/outages.ts";
import { Rotator } from "./actors/rotator.ts";
import { Tamperer } from "./actors/tamperer.ts";
import { judgeHistory } from "./judge/judge-history.ts";
import { tokenJudge } from "./judge/token-judge.ts";
import type { Violation } from "./judge/violation.ts";
import { Witness } from "./judge/witness.ts";
import { EventBus } from "./lambda/event-bus.ts";
import { type Handler, Lambda } from "./lambda/lambda.ts";
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
import { openFleet } from "./world/fleet.ts";
import type { World } from "./world/world.ts";

export type ChaosResult = {
  readonly seed: number;
  readonly ok: boolean;
  readonly violations: readonly Violation[];
  readonly counts: Readonly<Record<string, number>>;
  /** Equal for equal runs on the sandbox. */
  readonly digest: string;
};

/** One seed, from an empty world to the verdict. */
export async function simulate(
  settings: ChaosSettings,
  { world, wire, time, pace }: { world: World; wire: Wire; time: WorldTime; pace: Pace },
): Promise<ChaosResult> {
  const draw = (purpose: string) => new Random(settings.seed, purpose);
  const { now } = time;
  const plant = findPlant(settings.plant);
  const faults = new Faults(draw("faults"), SHARES.callsFail);
  const replica = new StaleReplica(draw("stale reads"), now, pace.staleMs);
  wire.open(world.hosts, { now, faults, replica });
  Object.assign(process.env, world.aws.env);

  const secrets = new SecretsManagerClient({ maxAttempts: 1 });
  const fleet = await openFleet(world, settings, draw("fleet"));
  const ledger = new Ledger();
  const witness = new Witness(ledger, fleet, now);
  wire.listeners.push(witness);
  wire.listeners.push(tokenJudge(world.credentialsEndAt, (violation) => witness.violations.push(violation)));
  plant.wire?.(wire);
  const shards = await openShardSource(pace);

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
  const common = { retryDelaysMs: pace.retryDelaysMs, time };
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
      return plant.rotationHandler?.(handler) ?? handler;
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
    moved: (source, move) => bus.send(eventOf(world, rotator, source, move, now())),
  });
  const tamperer = new Tamperer(fleet, draw("tampering"), (name) => rotator.hurry(name));

  for (const name of fleet.sourceNames) await rotator.create(name);
  const listStaleMs = LIST_STALE_MS;
  await sleep(listStaleMs); // a list that is so old must know them all
  world.listsAreStaleFor(listStaleMs);

  const untilAt = now() + settings.minutes * 60_000;
  const [outages] = await Promise.all([
    runOutages(world.clusters, untilAt, { pace, random: draw("outages"), now }),
    runBrownouts(faults, untilAt, { pace, random: draw("brownouts"), now }),
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
  const redriven = await settle({ rotation, sweep, bus, shards, witness, world, pace, listStaleMs });

  const byHand = tamperer.deletions;
  const history = await judgeHistory(world, fleet, { ledger, witness, staleMs: pace.staleMs, byHand });
  witness.leaks.finish();
  const violations = [...witness.violations, ...history];
  const result = {
    seed: settings.seed,
    ok: violations.length === 0,
    violations,
    digest: wire.digest(),
    counts: {
      ...rotator.counts,
      bindings: fleet.targets.length,
      eventsLost: bus.counts.lost,
      eventsTwice: bus.counts.twice,
      eventsLate: bus.counts.late,
      invocations: rotation.attempts + sweep.attempts,
      environments: rotation.environments + sweep.environments,
      killed: rotation.killed + sweep.killed,
      exchanges: wire.counts.served,
      exchangesFailed: wire.counts.failed,
      exchangesDown: wire.counts.down,
      staleReads: replica.served,
      ...outages,
      tamperings: Object.values(tamperer.counts).reduce((sum, count) => sum + count, 0),
      applies: witness.counts.applies,
      conflicts: witness.counts.conflicts,
      deletions: witness.counts.deletions,
      drifts: witness.counts.drifts,
      redriven,
      scannedBytes: witness.leaks.scannedBytes,
    },
  };
  shards.close();
  secrets.destroy();
  fleet.close();
  wire.close();
  return result;
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
