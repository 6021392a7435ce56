import { setTimeout as sleep } from "node:timers/promises";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { openReconcile } from "../../functions/reconcile/dependencies.ts";
import { reconcile } from "../../functions/reconcile/reconcile.ts";
import { openRotation } from "../../functions/rotation/dependencies.ts";
import { followRotation } from "../../functions/rotation/follow-rotation.ts";
import { overrideDependencies } from "../harness/override-dependencies.ts";
import { labelUpdated } from "../harness/relay.ts";
import { deleteOtherTypes } from "./actors/delete-other-types.ts";
import { Holder } from "./actors/holder.ts";
import { endSessions, killApiServer, runBrownouts, runOutage } from "./actors/outages.ts";
import { bucketOf, Publishers } from "./actors/publishers.ts";
import { Rotator } from "./actors/rotator.ts";
import { runSilences } from "./actors/silence.ts";
import { remakeStack } from "./actors/stacks.ts";
import { Tamperer } from "./actors/tamperer.ts";
import { WorkloadOperator } from "./actors/workload-operator.ts";
import { addCounts, type Counts } from "./counts.ts";
import { ExpectedState, type Move, type Source } from "./expected-state.ts";
import { judgeHistory } from "./judge/judge-history.ts";
import { listenToOutput } from "./judge/listen-to-output.ts";
import { Recorder } from "./judge/recorder.ts";
import { RolloutJudge } from "./judge/rollout-judge.ts";
import { RulesJudge } from "./judge/rules-judge.ts";
import { SessionWatch } from "./judge/session-watch.ts";
import { StoreWaitJudge } from "./judge/store-wait-judge.ts";
import { tokenJudge } from "./judge/token-judge.ts";
import type { Violation } from "./judge/violation.ts";
import { EventBus } from "./lambda/event-bus.ts";
import { FollowUpFaults } from "./lambda/follow-up-faults.ts";
import type { Handler } from "./lambda/invocation.ts";
import { Lambda } from "./lambda/lambda.ts";
import { openShardSource, type ShardSource } from "./lambda/shard-source.ts";
import { findMutation } from "./mutations.ts";
import { Random } from "./random.ts";
import {
  type ChaosSettings,
  DELETION_GRACE_MS,
  type Pace,
  ROLLOUT_DEADLINE_MS,
  ROTATION_TIMEOUT_MS,
  SHARD_BINDINGS_MAX,
  SHARES,
  SWEEP_TIMEOUT_MS,
} from "./settings.ts";
import { type Installation, settle } from "./settle.ts";
import type { WorldTime } from "./time/world-time.ts";
import { Faults } from "./transport/faults.ts";
import { StaleReplica } from "./transport/stale-replica.ts";
import type { Transport } from "./transport/transport.ts";
import { type Fleet, openFleet, RELAYS } from "./world/fleet.ts";
import { createWorkloads } from "./world/workloads.ts";
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

type SimulationParts = {
  readonly world: World;
  readonly transport: Transport;
  readonly time: WorldTime;
  readonly pace: Pace;
};

/** Runs one seed, from an empty world to the result. Afterwards the process is as it was before. */
export async function simulate(settings: ChaosSettings, means: SimulationParts): Promise<ChaosResult> {
  const ends: (() => void)[] = [];
  try {
    return await runSeed(settings, means, (end) => void ends.push(end));
  } finally {
    for (const end of ends.reverse()) end();
  }
}

async function runSeed(
  settings: ChaosSettings,
  { world, transport, time, pace }: SimulationParts,
  atEnd: (end: () => void) => void,
): Promise<ChaosResult> {
  const draw = (purpose: string) => new Random(settings.seed, purpose);
  const { now } = time;
  const mutation = findMutation(settings.mutation);
  const faults = new Faults(draw("faults"), SHARES.callsFail);
  const replica = new StaleReplica(draw("stale reads"), now, pace.staleMs);
  transport.open(world.hosts, { now, faults, replica });
  atEnd(() => transport.close());
  atEnd(keepProcessEnv());
  atEnd(shortenStackTraces());
  const credentials = ownCredentials(world);

  const secrets = new SecretsManagerClient({ maxAttempts: 1, credentials });
  atEnd(() => secrets.destroy());
  const fleet = await openFleet(world, settings, draw("fleet"));
  atEnd(() => fleet.close());
  const expected = new ExpectedState();
  const validHolds = new Map<string, number>();
  const recorder = new Recorder(expected, fleet, {
    ...{ now, replica, validHolds },
    wasUnpublished: (...when) => rulesJudge.wasUnpublished(...when),
  });
  const watch = new SessionWatch();
  const judge = tokenJudge(world, (violation) => recorder.violations.push(violation));
  const publicationBuses = new Map<string, EventBus>();
  const rulesJudge = new RulesJudge(world, fleet, (relay, publication) =>
    publicationBuses.get(relay)?.send("bindings", { publication }),
  );
  const workloadOperator = new WorkloadOperator({
    ...{ fleet, now },
    random: draw("workloads in trouble"),
    rotate: (source) => rotator.hurry(source),
  });
  const rolloutJudge = new RolloutJudge(world, fleet, workloadOperator.stuckSpans);
  const waitJudge = new StoreWaitJudge(now, LATE_MS_MAX[time.kind]);
  transport.listeners.push(recorder, watch, judge, rulesJudge, waitJudge, rolloutJudge);
  await createWorkloads(world, fleet);
  mutation.transport?.(transport);
  atEnd(listenToOutput((text) => recorder.leaks.scan("the output of the process", text)));
  const followUps = new FollowUpFaults(draw("follow-ups"), pace.lateEventMsMax);
  const shards = await openShardSource(pace, credentials, followUps);
  atEnd(() => shards.close());

  const arnOf = (name: string) =>
    `arn:aws:lambda:${world.aws.region}:${world.aws.accountId}:function:${name}`;
  const { redriven } = mutation;
  const mutateHandler = mutation.rotationHandler?.();
  const common = { retryDelaysMs: pace.retryDelaysMs, time, ...(redriven && { redriven }) };
  const install = (relay: string): Installation => {
    const log: typeof recorder.log = (code, fields = {}) => {
      recorder.log(code, fields);
      rulesJudge.noteLog(relay, code, fields, now());
      rolloutJudge.noteLog(code, fields, now());
    };
    const runtimeOptions = { log, measure: recorder.measure };
    const env = {
      ...process.env,
      RELAY_NAME: relay,
      BINDINGS_BUCKET: bucketOf(relay),
      // The second relay is small and has no queue.
      ...(relay === RELAYS[0] && { WORK_QUEUE_URL: shards.queueUrl }),
      SHARD_BINDINGS_MAX: String(SHARD_BINDINGS_MAX),
      DELETION_GRACE_MINUTES: String(DELETION_GRACE_MS / 60_000),
      ROLLOUT_DEADLINE_SECONDS: String(ROLLOUT_DEADLINE_MS / 1_000),
      DELETIONS_SHARE_MAX_PERCENT: "100", // other tests cover the deletion limits; here each deletion must be right
      ...mutation.env,
    };
    const rotation = new Lambda({
      ...common,
      name: `${relay}/rotation`,
      arn: arnOf(`${relay}-rotation`),
      timeoutMs: ROTATION_TIMEOUT_MS,
      concurrencyMax: 20,
      random: draw(`rotation function of ${relay}`),
      start: async () => {
        const rotation = await openRotation(env, runtimeOptions);
        const open = overrideDependencies(rotation.open, mutation.rotation);
        const handler: Handler = followRotation({ open, now: rotation.now });
        return mutateHandler?.(handler) ?? handler;
      },
    });
    const sweep = new Lambda({
      ...common,
      name: `${relay}/reconcile`,
      arn: arnOf(`${relay}-reconcile`),
      timeoutMs: SWEEP_TIMEOUT_MS,
      concurrencyMax: 5,
      random: draw(`reconcile function of ${relay}`),
      start: async () => {
        return reconcile(overrideDependencies(await openReconcile(env, runtimeOptions), mutation.reconcile));
      },
    });
    const ofRotations = [rulesJudge.rotatedBy(relay), waitJudge.rotated, rolloutJudge.invoked];
    rotation.listeners.push(recorder.rotatedBy(relay), ...ofRotations);
    sweep.listeners.push(recorder.reconciled, rolloutJudge.invoked);
    const bus = new EventBus(draw(`events of ${relay}`), pace.lateEventMsMax, (event) => {
      rotation.invokeLater(event);
    });
    const publications = new EventBus(draw(`publications of ${relay}`), pace.lateEventMsMax, (event) => {
      sweep.invokeLater({ sweep: "metadata", ...event });
    });
    publicationBuses.set(relay, publications);
    return { name: relay, rotation, sweep, bus, publications };
  };
  for (const relay of RELAYS) await world.addBucket(bucketOf(relay));
  const relays = [install(RELAYS[0]), install(RELAYS[1])] as const;
  const [{ sweep: sweepWithQueue }] = relays;

  const rotator = new Rotator({
    secrets,
    expected,
    replica,
    random: draw("rotations"),
    now,
    // Each relay has its own rule.
    moved: (source, move) => {
      const event = eventOf(world, rotator, source, move, now());
      for (const { bus } of relays) bus.send(source.name, event);
    },
  });
  const holder = new Holder(fleet, draw("holds"), validHolds);
  const tamperer = new Tamperer(fleet, draw("tampering"), (name) => rotator.hurry(name));

  const publishers = fleet.bindings.map(
    (bindings) =>
      new Publishers({
        ...{ world, transport, credentials, bindings, now, mutation },
        rotate: (source) => rotator.hurry(source),
        random: draw(`publications of ${bindings.relay}`),
      }),
  );
  for (const each of publishers) await each.first();
  const emptied = draw("which stack gets an empty bucket").below(relays.length);
  const stacks = relays.map((relay, index) => {
    const ofRelay = publishers[index];
    if (ofRelay === undefined) throw new TypeError("A relay without publishers");
    return { world, relay, publishers: ofRelay, judge: rulesJudge, isEmpty: index === emptied };
  });
  const withPrevious = new Set(fleet.sourcesWithPrevious);
  for (const name of fleet.sourceNames)
    await rotator.create(name, fleet.firstVersionOf(name), withPrevious.has(name));
  const listStaleMs = LIST_STALE_MS;
  await sleep(listStaleMs); // a list that is this old must contain them all
  world.listsAreStaleFor(listStaleMs);

  const untilAt = now() + settings.minutes * 60_000;
  const means = (purpose: string) => ({ pace, random: draw(purpose), now });
  const [first] = world.clusters;
  if (first === undefined) throw new TypeError("A world without clusters");
  const [outages, brownouts, kills, silences] = await Promise.all([
    runOutage({ host: first.host, lengthMs: pace.outageMs }, untilAt, means("outage")),
    runBrownouts(faults, { host: "aws", times: 3 }, untilAt, means("brownouts")),
    Promise.all(
      world.clusters.map((cluster) =>
        killApiServer(cluster, transport, untilAt, means(`kills of ${cluster.key}`)),
      ),
    ),
    runSilences(world.store, pace.storeSilenceMs, untilAt, means("silences of S3")),
    runOutage({ host: world.store, lengthMs: pace.storeOutageMs }, untilAt, means("outage of S3")),
    runBrownouts(faults, { host: "s3", times: 3 }, untilAt, means("brownouts of S3")),
    endSessions(world.sessions, untilAt, means("ends of sessions")),
    rotator.run(fleet.sourceNames, settings.rotations, untilAt - now()),
    tamperer.run(pace.tamperEveryMs, untilAt, now),
    holder.run(pace, untilAt, now),
    workloadOperator.run(pace, untilAt),
    ...publishers.map((each) => each.run(pace, untilAt)),
    deleteOtherTypes(fleet, rulesJudge, untilAt, means("operators of other types")),
    deleteSome(rotator, fleet.sourceNames, untilAt, means("deletions of sources")),
    ...relays.map(({ sweep }) => sweepRegularly(sweep, pace, untilAt, now)),
    ...stacks.map((stack) => remakeStack(stack, untilAt, means(`the stack of ${stack.relay.name}`))),
    pollRegularly(shards, sweepWithQueue, untilAt, now),
  ]);

  faults.calm();
  replica.calm();
  for (const { rotation, sweep } of relays) {
    rotation.calm();
    sweep.calm();
  }
  for (const { host } of world.clusters) host.downUntil = 0;
  world.store.downUntil = 0;
  world.store.silentUntil = 0;
  followUps.calm();
  await workloadOperator.finish();
  const operate = async (): Promise<void> => {
    await deleteOtherTypes(fleet, rulesJudge, now(), means("operators of other types, at the end"));
    rolloutJudge.settled(now());
  };
  await settle({ relays, shards, recorder, world, pace, operate, now, listStaleMs });

  const byHand = tamperer.deletions;
  const history = await judgeHistory(world, fleet, { expected, recorder, byHand });
  recorder.leaks.finish();
  const ofRules = await rulesJudge.judgeHistory(expected);
  const { accepted } = recorder;
  const ofRollouts = await rolloutJudge.judgeHistory({ expected, accepted });
  const violations = [...recorder.violations, ...history, ...ofRules, ...waitJudge.violations, ...ofRollouts];
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const rotations = relays.map(({ rotation }) => rotation);
  const sweeps = relays.map(({ sweep }) => sweep);
  const functions = [...rotations, ...sweeps];
  const all = (tallies: readonly Counts[]): Counts => tallies.reduce(addCounts, {});
  return {
    seed: settings.seed,
    ok: violations.length === 0,
    violations,
    digest: transport.digest(),
    counts: {
      rotations: rotator.counts.rotations,
      publications: all(publishers.map(({ counts }) => counts)),
      changing: { ...rulesJudge.counts, events: all(relays.map(({ publications }) => publications.counts)) },
      rollbacks: rotator.counts.rollbacks,
      sourcesDeleted: rotator.counts.deleted,
      sourcesRecreated: {
        withValue: rotator.counts.recreatedWithValue,
        withoutValue: rotator.counts.recreatedWithoutValue,
      },
      ofSecondRelay: fleet.targets.filter(({ ownMetadata }) => ownMetadata.self.name === RELAYS[1]).length,
      shared: fleet.targets.filter(({ isShared }) => isShared).length / 2,
      bindings: countTargets(fleet),
      bystanders: fleet.bystanders.length,
      events: all(relays.map(({ bus }) => bus.counts)),
      invocations: {
        rotation: sum(rotations.map(({ attempts }) => attempts)),
        reconcile: sum(sweeps.map(({ attempts }) => attempts)),
      },
      environments: sum(functions.map(({ environments }) => environments)),
      clocks: {
        skewedInvocations: sum(functions.map(({ skews }) => skews.attempts)),
        largestSkewMs: Math.max(...functions.map(({ skews }) => skews.largestMs)),
      },
      kills: {
        rotation: all(rotations.map(({ killedBetween }) => killedBetween.toJSON())),
        reconcile: all(sweeps.map(({ killedBetween }) => killedBetween.toJSON())),
      },
      outOfTime: sum(functions.map(({ outOfTime }) => outOfTime)),
      exchanges: { served: transport.counts.served, failed: transport.counts.failed.toJSON() },
      staleReads: replica.served.toJSON(),
      apiServers: {
        killed: sum(kills),
        requestsCutBeforeServed: transport.counts.cut.beforeServed,
        requestsCutAfterServed: transport.counts.cut.afterServed,
        requestsCutPerhapsServed: transport.counts.cut.maybeServed,
        writesWithoutResponse: recorder.counts.unanswered,
        connectionsRefused: transport.counts.refused,
        outages,
        requestsInOutage: transport.counts.unreachable,
      },
      awsBrownouts: brownouts,
      store: {
        silences,
        requestsInSilence: transport.counts.unanswered,
        largestWaitMs: waitJudge.counts.largestMs,
      },
      stacks: {
        madeAgain: stacks.length,
        overAnEmptyBucket: stacks.filter(({ isEmpty }) => isEmpty).length,
        eventsGone: sum(functions.map(({ gone }) => gone)),
      },
      credentials: { ...world.sessions.counts, ...watch.counts },
      tampering: tamperer.counts,
      holds: holder.counts,
      rollouts: { ...rolloutJudge.counts, troubles: workloadOperator.counts },
      followUps: { sent: rolloutJudge.followUpsSent, ...followUps.counts },
      sweeps: recorder.sweeps.toJSON(),
      findings: recorder.findings.toJSON(),
      refusals: recorder.refusals.toJSON(),
      applies: recorder.counts.applies,
      fenceConflicts: recorder.counts.conflicts,
      deletions: recorder.counts.deletions,
      redriven: {
        rotation: sum(rotations.map(({ redriven }) => redriven)),
        reconcile: sum(sweeps.map(({ redriven }) => redriven)),
        shards: shards.counts.redriven,
      },
      shards: {
        sent: recorder.shardsSent.size - rolloutJudge.followUpsSent,
        done: shards.counts.delivered,
      },
      scannedBytes: recorder.leaks.scannedBytes,
    },
  };
}

/**
 * The functions get the endpoints of AWS from their environment, and their credentials from a container endpoint:
 * those expire. The team that rotates has separate credentials, which do not.
 */
function ownCredentials({ aws: { env } }: World): { accessKeyId: string; secretAccessKey: string } {
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "", ...rest } = env;
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
    delete process.env[name];
  Object.assign(process.env, rest);
  return { accessKeyId, secretAccessKey };
}

/** Every fourth exchange creates an error, which is slow with the 100 frames that a test runner asks for. */
function shortenStackTraces(): () => void {
  const kept = Error.stackTraceLimit;
  Error.stackTraceLimit = Math.min(kept, 10);
  return () => {
    Error.stackTraceLimit = kept;
  };
}

/** Returns a function that restores the variables of this process. */
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

/** How much later than its timeout a wait may end: on real servers, the machine decides. */
const LATE_MS_MAX = { virtual: 10, real: 3_000 } as const;

/** AWS documents that ListSecrets may be five minutes behind. */
const LIST_STALE_MS = 2_000;

/** Mostly the native event; sometimes a direct call that names no version, as an operator or a pipeline makes it. */
function eventOf(world: World, rotator: Rotator, { name }: Source, { versionId }: Move, at: number): object {
  const [cluster] = world.clusters;
  if (cluster === undefined) throw new TypeError("A world without clusters");
  if (versionId.charCodeAt(0) % 4 === 0) return { secretId: name };
  const backend = { name: "sandbox", aws: world.aws, kubernetes: cluster.backend, stop: world.stop } as const;
  return labelUpdated(backend, { name, arn: rotator.arnOf(name), versionId }, at);
}

/**
 * Sources that are deleted: permanently, or until they are recreated with or without a value. Sources ending in 9 are
 * deleted with their Secrets; sources ending in 5 leave them.
 */
async function deleteSome(
  rotator: Rotator,
  names: readonly string[],
  untilAt: number,
  { pace, random, now }: { readonly pace: Pace; readonly random: Random; readonly now: () => number },
): Promise<void> {
  const some = [
    ...names.filter((name) => name.endsWith("9")).slice(0, 6),
    ...names.filter((name) => name.endsWith("5")).slice(0, 3),
  ];
  const first = random.below(FATES.length);
  await Promise.all(
    some.map(async (name, index) => {
      const fate = FATES[(first + index) % FATES.length];
      await sleep(random.between(0.2, 0.6) * (untilAt - now()));
      await rotator.delete(name);
      if (fate === "gone for good") return;
      const laterMs = random.between(...pace.recreateMs);
      await sleep(Math.min(laterMs, 0.5 * (untilAt - now())));
      await rotator.recreate(name, fate === "recreated with a value");
      if (fate !== "recreated without a value, filled later") return;
      await sleep(Math.min(random.between(...pace.recreateMs), 0.5 * (untilAt - now())));
      await rotator.fill(name);
    }),
  );
}

const FATES = [
  "gone for good",
  "recreated with a value",
  "recreated without a value, filled later",
  "recreated without a value",
] as const;

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
    if (!sweep.isGone) void shards.poll(sweep);
    await sleep(1_000);
  }
}
