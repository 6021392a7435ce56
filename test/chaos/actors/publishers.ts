import "@aws-sdk/client-s3"; // the command imports it on first use, and time would stand still meanwhile
import { setTimeout as sleep } from "node:timers/promises";
import type { BindingsBucket, StoredPointer } from "../../../cli/publish/bindings-bucket.ts";
import { type Published, publishBindings, rollBack } from "../../../cli/publish/publish-bindings.ts";
import { withBindingsBucket } from "../../../cli/publish/s3-bucket.ts";
import { UnexpectedFault } from "../../../shared/relay-error.ts";
import { boundedRequests } from "../../../shared/runtime/bounded-requests.ts";
import type { Mutation } from "../mutation.ts";
import type { Random } from "../random.ts";
import { type Pace, SHARES } from "../settings.ts";
import { Environment, outsideEnvironments } from "../transport/environment.ts";
import type { Transport } from "../transport/transport.ts";
import {
  type ChangingTarget,
  type Choices,
  changeChoices,
  drawRule,
  type RelayBindings,
} from "../world/changing.ts";
import type { World } from "../world/world.ts";

type PublishersDependencies = {
  readonly world: World;
  readonly transport: Transport;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly bindings: RelayBindings;
  readonly random: Random;
  readonly now: () => number;
  readonly mutation: Mutation;
  /** Rotates a source a few times within seconds. */
  readonly rotate: (source: string) => void;
};

/**
 * People and pipelines that publish the bindings of one relay, sometimes two at once, sometimes killed between two
 * requests, and sometimes back to an earlier generation.
 */
export class Publishers {
  readonly counts = { published: 0, rolledBack: 0, lostToAnother: 0, killed: 0, failed: 0 };
  readonly #deps: PublishersDependencies;
  #started = 0;
  /** While their stack is deleted, or has nothing published, nobody publishes a change. */
  #isPaused = false;

  constructor(deps: PublishersDependencies) {
    this.#deps = deps;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** The first publication in a bucket, without faults. Two of three changing targets are bound. */
  async first(): Promise<void> {
    const { bindings, random } = this.#deps;
    const bound = bindings.targets.filter(() => random.chance(0.67));
    const choices: Choices = new Map(bound.map((target) => [target, drawRule(random)]));
    await this.#withBucket((bucket) =>
      publishBindings(bucket, bindings.compile(choices), undefined, this.#publisher("the first")),
    );
  }

  async run({ publishEveryMs }: Pace, untilAt: number): Promise<void> {
    const { random, now } = this.#deps;
    const running: Promise<void>[] = [];
    for (;;) {
      await sleep(random.between(0, 2 * publishEveryMs));
      if (now() >= untilAt) break;
      if (this.#isPaused) continue;
      for (let count = random.chance(SHARES.publishersAtOnce) ? 2 : 1; count > 0; count -= 1)
        running.push(this.#publish());
    }
    await Promise.all(running);
  }

  async #publish(): Promise<void> {
    const { bindings, random } = this.#deps;
    this.#started += 1;
    const name = `publisher of ${bindings.relay}#${this.#started}`;
    const environment = new Environment(name, 0, random.below(2 ** 31), "people");
    if (random.chance(SHARES.publishersKilled)) environment.killAfter(random.below(STEPS_MAX));
    const isRollback = random.chance(0.2);
    const thinkMs = random.between(0, 1_000);
    const drawn = random.next();
    const work = async (bucket: BindingsBucket): Promise<Published> => {
      const before = await bucket.readPointer();
      if (before === undefined) throw new Error("Their bucket has been emptied meanwhile");
      const to = isRollback ? await earlierPointer(bucket) : undefined;
      const { choices } = bindings.generationOf(before.pointer);
      const after = changeChoices(choices, bindings.targets, random);
      const changed = bindings.targets.find((target) => choices.get(target) !== after.get(target));
      await sleep(thinkMs); // they read the diff
      await this.#moment(drawn, changed ?? random.pick(bindings.targets));
      if (to !== undefined) return rollBack(bucket, to.pointer, before, this.#publisher(name));
      return publishBindings(bucket, bindings.compile(after), before, this.#publisher(name));
    };
    const ended = environment
      .run(() => this.#withBucket(work))
      .then(
        ({ kind }) => (kind === "superseded" ? "lostToAnother" : isRollback ? "rolledBack" : "published"),
        () => "failed" as const,
      );
    const end = await Promise.race([ended, environment.died.then(() => "killed" as const)]);
    this.counts[end] += 1;
  }

  /** Sometimes at once, sometimes in the middle of the syncs of a Secret whose binding changes, or of a sweep. */
  async #moment(drawn: number, target: ChangingTarget): Promise<void> {
    const { transport, world, rotate } = this.#deps;
    const cluster = world.clusters.find(({ key }) => key === target.cluster);
    const aws = world.hosts.find(({ kind }) => kind === "aws");
    if (cluster === undefined || aws === undefined || drawn < 0.2) return;
    const call =
      drawn < 0.8
        ? transport.requestTo(cluster.host, "read Secret", `/${target.name}`)
        : transport.requestTo(aws, "ListSecrets");
    if (drawn < 0.7) outsideEnvironments(() => rotate(target.source)); // another team does that
    await Promise.race([call, sleep(MOMENT_MS_MAX)]);
  }

  #withBucket<T>(use: (bucket: BindingsBucket) => Promise<T>): Promise<T> {
    const { world, credentials, bindings, mutation } = this.#deps;
    const { region, accountId } = world.aws;
    const session = {
      region,
      client: { ...boundedRequests(), region, credentials: async () => credentials },
      location: { partition: "aws", accountId, region },
      callerArn: "",
      classify: (_what: string, error: unknown) => UnexpectedFault.from(error),
    };
    return withBindingsBucket(session, bucketOf(bindings.relay), (real) =>
      use(mutation.bucket?.(real) ?? real),
    );
  }

  #publisher(callerArn: string) {
    return { callerArn, now: this.#deps.now, reportProgress: () => {} };
  }
}

export const bucketOf = (relay: string): string => `${relay}-bindings`;

/** The fourth version back, or the oldest. */
async function earlierPointer(bucket: BindingsBucket): Promise<StoredPointer | undefined> {
  let versionId: string | undefined;
  let seen = 0;
  for await (const version of bucket.listPointerVersions()) {
    versionId = version.versionId;
    seen += 1;
    if (seen === 4) break;
  }
  return versionId === undefined ? undefined : bucket.readPointer(versionId);
}

const MOMENT_MS_MAX = 5_000;

/** Reading and replacing the pointer, and two or three parts, with their answers. */
const STEPS_MAX = 12;
