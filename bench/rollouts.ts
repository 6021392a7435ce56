import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { OWN } from "../cli/tune/known-numbers.ts";
import { startSandbox } from "../sandbox/start-sandbox.ts";
import { openBindingsStore } from "../test/harness/bindings-store.ts";
import { inTurns, must } from "../test/harness/fleet.ts";
import { grantRestarts } from "../test/harness/grant-restarts.ts";
import { installDate } from "../test/harness/install-date.ts";
import {
  labelUpdated,
  startRelay,
  startSweeper,
  type TestRelay,
  type TestSweeper,
} from "../test/harness/relay.ts";
import { openScene, type Scene, type TestSource } from "../test/harness/scene.ts";
import type { SandboxBackend } from "../test/harness/start-sandbox-backend.ts";
import type { Bench } from "./bench.ts";
import { PRICES } from "./prices.ts";
import { takeMessages } from "./take-messages.ts";

/**
 * As many Secrets as workloads are rotated at the same time, and each restarts one StatefulSet, whose controller sets no
 * deadline. The relay follows them by the messages of its queue, with published bindings, until every rollout is complete
 * or stuck after the deadline. Counts the calls of following and prices them.
 *
 * The clock stands still while the relay works, so the counts are those of every machine. Function and servers share a
 * process; no time is measured.
 */
export const rollouts: Bench = {
  summary: "the calls and the cost of following restarted workloads",
  hasBackend: false,
  counts: {
    workloads: { meaning: "restarted workloads, each for its own Secret", fallback: 1_000 },
    seconds: { meaning: "seconds that each rollout takes; over 1800 all are stuck", fallback: 60 },
  },
  run: async ({ counts: { workloads = 0, seconds = 0 } }) => {
    const clock = startClock();
    const backend = await startBackend(clock);
    try {
      const world = await openWorld(backend, clock, workloads);
      await rotateAll(world);
      const restarted = countsOf(backend);
      const { looks, controllers } = await follow(world, seconds);
      const total = countsOf(backend);
      mustBeFollowed(world, seconds);
      world.close();
      const counted = (name: keyof Counts) => total[name] - restarted[name] - controllers[name];
      const s3Reads = counted("s3Reads");
      const { messagesSent } = total; // the first ones by the restarts
      return {
        workloads,
        seconds,
        invocations: looks,
        invocationsEach: looks / workloads,
        messagesSent,
        kubernetesReads: counted("reads"),
        kubernetesPatches: counted("patches"),
        s3Reads,
        secretValuesRead: counted("values"),
        ...costsOf({ looks, messagesSent, s3Reads }),
      };
    } finally {
      clock.restore();
      await backend.stop();
    }
  },
};

type Followed = { readonly looks: number; readonly messagesSent: number; readonly s3Reads: number };

/** In USD. SQS bills the sending, the receiving and the deletion of each message. */
function costsOf({ looks, messagesSent, s3Reads }: Followed): Record<string, number> {
  const usdOfLambda =
    looks * PRICES.lambdaRequest +
    ((looks * BILLED_MS) / 1_000) * OWN.memoryGigabytes * PRICES.lambdaGigabyteSecond;
  const usdOfQueue = (messagesSent + 2 * looks) * PRICES.sqsRequest;
  const usdOfBucket = s3Reads * PRICES.s3Get;
  const usd = usdOfLambda + usdOfQueue + usdOfBucket;
  return Object.fromEntries(
    Object.entries({ usdOfLambda, usdOfQueue, usdOfBucket, usd }).map(([name, value]) => [
      name,
      Number(value.toFixed(4)),
    ]),
  );
}

/** An assumption: some milliseconds of work, and the network for four requests and a TLS handshake. */
const BILLED_MS = 100;
/** RolloutDeadlineSeconds, by default. */
const DEADLINE_MS = 1_800_000;

type Clock = { now(): number; advance(ms: number): Promise<void>; restore(): void };

/** Replaces the Date of the process, because the AWS SDK signs with it. */
function startClock(): Clock {
  let at = Date.now();
  const restore = installDate(() => at);
  return {
    now: () => at,
    advance: async (ms) => {
      at += Math.ceil(ms);
    },
    restore,
  };
}

async function startBackend(clock: Clock): Promise<SandboxBackend> {
  const sandbox = await startSandbox({ now: clock.now, wait: clock.advance });
  const { aws, kubernetes, stop } = sandbox;
  Object.assign(process.env, aws.env);
  return { name: "sandbox", aws, kubernetes, clock, stop, sandbox };
}

type World = {
  readonly clock: Clock;
  readonly backend: SandboxBackend;
  readonly scene: Scene;
  readonly names: readonly string[];
  readonly sources: TestSource[];
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly relay: TestRelay;
  readonly sweeper: TestSweeper;
  close(): void;
};

/** Each Secret was written, and each workload has started with it, minutes ago. */
async function openWorld(backend: SandboxBackend, clock: Clock, size: number): Promise<World> {
  const scene = await openScene(backend, "shop");
  const names = Array.from({ length: size }, (_, index) => `db-${index}`);
  const seeds = names.map((name) => ({ name: `prod/${name}`, value: '{"password":"first"}' }));
  const sources = backend.sandbox.aws
    .seedSecrets(seeds)
    .map(({ name, arn, versionId = "" }) => ({ name, arn, versionId }));
  await scene.grant(names);
  await grantRestarts(scene, backend);
  await inTurns(names, (name) => must(scene.admin, WORKLOADS, { method: "POST", body: workloadOf(name) }));
  await clock.advance(60_000);

  const store = await openBindingsStore(backend);
  await store.publish(
    names.map((name, index) => ({
      source: sources[index]?.name,
      targets: [{ cluster: "main", namespace: "shop", name, restart: { workloads: [{ kind: KIND, name }] } }],
    })),
  );
  const sqs = new SQSClient({});
  const { QueueUrl: queueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: "work" }));
  const options = { bindingsBucket: store.bucket.name, env: { WORK_QUEUE_URL: queueUrl } };
  const relay = await startRelay(backend, options);
  const sweeper = await startSweeper(backend, options);
  const close = (): void => {
    sqs.destroy();
    store.close();
    scene.close();
  };
  for (const source of sources) await relay.invoke(labelUpdated(backend, source, clock.now()));
  await clock.advance(300_000);
  await sweeper.sweep({ sweep: "metadata", plan: true }); // the first invocation reads the bindings
  backend.sandbox.aws.counters.reset();
  backend.sandbox.kubernetes.requests.reset();
  return { clock, backend, scene, names, sources, sqs, queueUrl, relay, sweeper, close };
}

async function rotateAll({ backend, clock, scene, sources, relay }: World): Promise<void> {
  for (const source of sources) {
    const rotated = await scene.rotate(source, '{"password":"second"}');
    const { targets } = await relay.invoke(labelUpdated(backend, rotated, clock.now()));
    if (targets[0]?.outcome !== "written") throw new Error(`The write failed: ${JSON.stringify(targets)}`);
  }
}

/** Returns how many messages were handled, and the calls that stand for the controllers'. */
async function follow(world: World, seconds: number): Promise<{ looks: number; controllers: Counts }> {
  const { backend, clock, sweeper, names, scene } = world;
  const completesAt = clock.now() + seconds * 1_000;
  const endsAt = clock.now() + DEADLINE_MS + 600_000;
  let looks = 0;
  let controllers: Counts | undefined;
  while (clock.now() < endsAt) {
    if (controllers === undefined && clock.now() >= completesAt) {
      const before = countsOf(backend);
      await inTurns(names, (name) => complete(scene, name));
      controllers = differenceOf(countsOf(backend), before);
    }
    looks += await takeMessages(world, async (record) => {
      const { batchItemFailures } = (await sweeper.sweep({ Records: [record] })) as unknown as Answer;
      if (batchItemFailures.length > 0) throw new Error("A message was not handled");
    });
    await clock.advance(1_000);
  }
  return { looks, controllers: controllers ?? NONE };
}

function mustBeFollowed({ sweeper, names }: World, seconds: number): void {
  const expected = seconds * 1_000 < DEADLINE_MS ? "ROTATION_EFFECTIVE" : "ROLLOUT_STUCK";
  for (const code of ["ROTATION_EFFECTIVE", "ROLLOUT_STUCK"]) {
    const found = sweeper.logs.filter((entry) => entry.code === code).length;
    if (found !== (code === expected ? names.length : 0)) throw new Error(`The log has ${found} ${code}`);
  }
}

type Answer = { readonly batchItemFailures: readonly object[] };

const KIND = "StatefulSet";
const WORKLOADS = "/apis/apps/v1/namespaces/shop/statefulsets";

function workloadOf(name: string): object {
  const labels = { app: name };
  const containers = [{ name: "main", image: "example.com/main:1", envFrom: [{ secretRef: { name } }] }];
  return {
    apiVersion: "apps/v1",
    kind: KIND,
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      serviceName: name,
      template: { metadata: { labels }, spec: { containers } },
    },
  };
}

/** As its controller does when the last pod is ready. */
async function complete({ admin }: Scene, name: string): Promise<void> {
  const { metadata } = (await admin(`${WORKLOADS}/${name}`)).body;
  const revisions = { currentRevision: "b", updateRevision: "b" };
  const status = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, ...revisions };
  await must(admin, `${WORKLOADS}/${name}/status`, {
    method: "PATCH",
    contentType: "application/merge-patch+json",
    body: { status: { observedGeneration: metadata.generation, ...status } },
  });
}

type Counts = Readonly<Record<"reads" | "patches" | "messagesSent" | "s3Reads" | "values", number>>;

const NONE: Counts = { reads: 0, patches: 0, messagesSent: 0, s3Reads: 0, values: 0 };

function countsOf({ sandbox: { aws, kubernetes } }: SandboxBackend): Counts {
  const { counters } = aws;
  const { requests } = kubernetes;
  return {
    reads: requests.count("get", "secrets") + requests.count("get", "statefulsets"),
    patches: requests.count("patch", "statefulsets"),
    messagesSent: counters.callsOf("SendMessageBatch"),
    s3Reads: counters.callsOf("GetObject"),
    values: counters.secretValuesServed + requests.secretValuesServed,
  };
}

function differenceOf(after: Counts, before: Counts): Counts {
  const names = Object.keys(after) as (keyof Counts)[];
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as Counts;
}
