import type { LogCode, LogFields } from "../../../shared/runtime/log.ts";
import type { StuckSpan } from "../actors/workload-operator.ts";
import { type ExpectedState, movesOf } from "../expected-state.ts";
import { parseLook } from "../lambda/follow-up-faults.ts";
import type { InvocationListener } from "../lambda/lambda.ts";
import { ROLLOUT_DEADLINE_MS, SKEW_MS_MAX } from "../settings.ts";
import type { Environment } from "../transport/environment.ts";
import { nameOf } from "../transport/message.ts";
import type { Exchange, Listener } from "../transport/transport.ts";
import { type Fleet, keyOfTarget, type Target } from "../world/fleet.ts";
import { keyOfWorkload, pathOfWorkload, type Workload } from "../world/workloads.ts";
import type { SecretRecord, World } from "../world/world.ts";
import type { AcceptedWrites } from "./accepted-writes.ts";
import { findRepeats } from "./restart-order.ts";
import type { Violation } from "./violation.ts";
import {
  isRolledOut,
  type Life,
  type LiveWorkload,
  type Note,
  notedVersion,
  type Restart,
  WorkloadLives,
  type Written,
} from "./workload-lives.ts";

type Case = {
  readonly expected: ExpectedState;
  readonly accepted: AcceptedWrites;
};

/**
 * Judges restarts and what follows them: by the writes that the API servers accepted, the messages that the queue
 * accepted, and the log.
 */
export class RolloutJudge implements Listener {
  readonly violations: Violation[] = [];
  readonly #world: World;
  readonly #fleet: Fleet;
  readonly #stuckSpans: ReadonlyMap<string, readonly StuckSpan[]>;
  readonly #lives = new WorkloadLives();
  readonly #bystanders: ReadonlySet<string>;
  /** Workloads and targets that read each other, by the keys of both. */
  readonly #readers: ReadonlyMap<string, readonly Workload[]>;
  readonly #stuck: { readonly life: Life; readonly restart: Restart | undefined; readonly at: number }[] = [];
  readonly #effective = new Map<string, number[]>();
  /** The notes of an invocation that still runs. */
  readonly #running = new Map<Environment, Note[]>();
  readonly #lostWithTheirInvocation = new Set<Note>();
  readonly #foundBy = { followUp: 0, sweep: 0, rotation: 0 };
  #sent = 0;
  #settledFrom = Number.POSITIVE_INFINITY;

  constructor(world: World, fleet: Fleet, stuckSpans: ReadonlyMap<string, readonly StuckSpan[]>) {
    this.#world = world;
    this.#fleet = fleet;
    this.#stuckSpans = stuckSpans;
    this.#bystanders = new Set(fleet.workloads.bystanders.map(keyOfWorkload));
    this.#readers = new Map(
      fleet.targets.map((target) => [
        keyOfTarget(target),
        fleet.workloads.all.filter((workload) => reads(workload, target)),
      ]),
    );
  }

  get followUpsSent(): number {
    return this.#sent;
  }

  get counts() {
    const lives = this.#lives.all;
    const restarts = lives.flatMap((life) => life.restarts.map((restart) => ({ life, restart })));
    return {
      workloads: this.#fleet.workloads.all.length,
      started: restarts.length,
      finished: lives.reduce((sum, { completed }) => sum + completed.length, 0),
      superseded: restarts.filter(
        ({ life, restart }) => !isFinished(life, restart) && isReplaced(life, restart),
      ).length,
      deletedMeanwhile: restarts.filter(({ life, restart }) => {
        return (
          life.deletedAt < Number.POSITIVE_INFINITY &&
          !isFinished(life, restart) &&
          !isReplaced(life, restart)
        );
      }).length,
      reportedStuck: new Set(this.#stuck.map(({ restart }) => restart)).size,
      effective: [...this.#effective.values()].flat().length,
      foundBy: this.#foundBy,
      lostWithTheirInvocation: this.#lostWithTheirInvocation.size,
    };
  }

  served = (exchange: Exchange): void => {
    if (exchange.host.kind === "aws" && nameOf(exchange.request) === "SendMessageBatch")
      this.#judgeSent(exchange);
    const written = this.#lives.note(exchange);
    if (written !== undefined) this.#judgeWrite(written, exchange.servedAt);
  };

  /** A log line of a function. */
  noteLog(code: LogCode, fields: LogFields, now: number): void {
    const { target = "", workload = "", code: why = "" } = fields;
    if (code === "ROTATION_EFFECTIVE") push(this.#effective, target, now);
    const [cluster = "", namespace = ""] = target.split("/");
    const lives = this.#lives.of(`${cluster}/${namespace}/${workload}`);
    if (code === "ROLLOUT_STUCK") this.#judgeStuck(lives, why, now);
    if (code === "RESTART_REFUSED") this.#judgeRefusal(lives, `${workload} for ${target}`, why, now);
  }

  /** Called for each function. */
  invoked: InvocationListener = ({ input, attempt, environment }) => {
    const notes = this.#running.get(environment) ?? [];
    this.#running.delete(environment);
    for (const note of notes) {
      this.#foundBy[finderOf(input)] += 1;
      if (attempt.kind === "killed") this.#lostWithTheirInvocation.add(note);
    }
  };

  /** The last sweeps begin. */
  settled(now: number): void {
    this.#settledFrom = now;
  }

  async judgeHistory(found: Case): Promise<readonly Violation[]> {
    if (this.#fleet.workloads.all.length === 0) return this.violations;
    for (const { key: cluster, history } of this.#world.clusters) {
      const targets = this.#fleet.targets.filter((target) => target.cluster === cluster);
      const records = await history(targets.filter((target) => this.#readersOf(target).length > 0));
      const byName = Map.groupBy(records, ({ namespace, name }) => `${namespace}/${name}`);
      for (const target of targets) {
        const ofTarget = byName.get(`${target.namespace}/${target.name}`) ?? [];
        const held = holdingsOf(target, ofTarget, found.expected);
        this.#judgeRestarts(target, held, found);
        await this.#judgeEnd(target, held, found);
      }
    }
    return this.violations;
  }

  #readersOf(target: Target): readonly Workload[] {
    return this.#readers.get(keyOfTarget(target)) ?? [];
  }

  #judgeSent({ request, answer, environment, servedAt }: Exchange): void {
    if (environment === undefined || answer.status !== 200) return;
    const { Entries = [] } = JSON.parse(request.body.toString()) as { Entries?: { MessageBody: string }[] };
    for (const { MessageBody } of Entries) {
      const look = parseLook(MessageBody);
      if (look === undefined) continue;
      this.#sent += 1;
      const target = this.#fleet.targets.find((each) => isTarget(each, look.target));
      const restarts = this.#readersOf(target as Target).flatMap((workload) =>
        this.#lives.of(keyOfWorkload(workload)).flatMap((life) => life.restarts),
      );
      const restartedAt = Math.max(...restarts.map(({ at }) => at));
      if (servedAt - restartedAt <= ROLLOUT_DEADLINE_MS + 2 * SKEW_MS_MAX + PAUSE_MS_MAX) continue;
      const minutes = Math.round((servedAt - restartedAt) / 60_000);
      const what = `${environment.name} follows ${keyOfTarget(target as Target)} ${minutes} minutes after the last restart`;
      this.#report("watch", what);
    }
  }

  #judgeWrite({ life, object, by }: Written, at: number): void {
    if (this.#bystanders.has(life.key)) this.#report("bystander", `${by.name} writes ${life.key}`);
    for (const note of life.completed.filter((each) => each.at === at && each.by === by)) {
      this.#running.set(by, [...(this.#running.get(by) ?? []), note]);
      const version = notedVersion(object, note.secret);
      const about = `${by.name} records the rollout of ${life.key} for ${note.secret}`;
      if (version !== note.versionId)
        this.#report("rollout", `${about} and another version than it runs with`);
      // The note itself is a change of a Deployment, which its controller has not observed yet.
      const { generation = 1 } = object.metadata;
      const before = life.kind === "Deployment" ? generation - 1 : generation;
      const asRead = { ...object, metadata: { ...object.metadata, generation: before } };
      if (!isRolledOut(life.kind, asRead)) this.#report("rollout", `${about}, which is not complete`);
    }
  }

  #judgeStuck(lives: readonly Life[], why: string, now: number): void {
    const life = lives.findLast(({ createdAt }) => createdAt <= now);
    if (life === undefined) return;
    const restart = life.restarts.at(-1);
    this.#stuck.push({ life, restart, at: now });
    const spans = this.#stuckSpans.get(life.key) ?? [];
    const isGivenUp = why === "ProgressDeadlineExceeded";
    const wasStuck = spans.some(({ from, until }) => from <= now && now <= until + REPORT_MS_MAX);
    const isLate = now - (restart?.at ?? now) >= ROLLOUT_DEADLINE_MS - 2 * SKEW_MS_MAX;
    if (!(isLate || (isGivenUp && wasStuck)))
      this.#report("rollout", `${life.key} is reported as stuck with ${why}, but it is not`);
  }

  #judgeRefusal(lives: readonly Life[], about: string, why: string, now: number): void {
    const wasMissing = (moment: number) =>
      !lives.some(({ createdAt, deletedAt }) => createdAt <= moment && moment < deletedAt);
    const isMissing = lives.some(({ deletedAt }) => deletedAt <= now && deletedAt >= now - REPORT_MS_MAX);
    if (why === "WORKLOAD_MISSING" && (isMissing || wasMissing(now))) return;
    this.#report("refusal", `the restart of ${about} was refused with ${why}`);
  }

  #judgeRestarts(target: Target, held: readonly Holding[], { expected }: Case): void {
    const [{ source, taken }] = target.parts;
    const moves = movesOf(expected.get(source), taken);
    for (const life of this.#livesOf(target)) {
      const restarts = life.restarts.flatMap(({ at, revision, versions }) => {
        // Without a note it is for the version that the Secret had.
        const noted = versions.size > 0 ? versions.get(target.name) : versionAt(held, revision);
        return noted === undefined ? [] : [{ at, versionId: noted }];
      });
      for (const { versionId } of findRepeats(moves, restarts)) {
        const version = versionId.slice(0, 8);
        this.#report(
          "restart",
          `${life.key} restarts again for version ${version} of ${keyOfTarget(target)}`,
        );
      }
    }
  }

  #livesOf(target: Target): readonly Life[] {
    return this.#readersOf(target).flatMap((workload) => this.#lives.of(keyOfWorkload(workload)));
  }

  /** Every workload runs with the version that its Secret has, and every rollout has ended or is reported. */
  async #judgeEnd(target: Target, held: readonly Holding[], found: Case): Promise<void> {
    const key = keyOfTarget(target);
    const last = held.at(-1);
    if (last?.versionId === undefined) return; // gone, with its source
    const { versionId } = last;
    const run = lastRunOf(held, versionId);
    let isEffective = true;
    const restarts: Restart[] = [];
    const notes: Note[] = [];
    for (const workload of this.#readersOf(target)) {
      const life = this.#lives.of(keyOfWorkload(workload)).at(-1);
      const live = await this.#read(workload);
      if (life === undefined || live === undefined) continue;
      const restart = life.restarts.findLast(({ versions }) => versions.get(target.name) === versionId);
      if (!this.#runsWith(life, { target, held, run, found }))
        this.#report("restart", `${life.key} does not run with the version that ${key} has`);
      if (notedVersion(live, target.name) !== versionId)
        this.#report("restart", `${life.key} has no note of the version of ${key} that it runs with`);
      if (restart === undefined) continue;
      restarts.push(restart);
      const completed = life.completed.find(
        (note) =>
          note.secret === target.name && note.versionId === versionId && note.revision > restart.revision,
      );
      if (completed !== undefined) {
        notes.push(completed);
        continue;
      }
      isEffective = false;
      if (isRolledOut(life.kind, live))
        this.#report("watch", `nobody found the end of the rollout of ${life.key} for ${key}`);
      else if (!this.#stuck.some((report) => report.life === life && report.at >= this.#settledFrom))
        this.#report("watch", `${life.key} is stuck, and the last sweeps do not report it`);
    }
    const restartedAt = Math.max(...restarts.map(({ at }) => at));
    const isMeasured = this.#effective.get(key)?.some((at) => at >= restartedAt) ?? false;
    const isLost = notes.some((note) => this.#lostWithTheirInvocation.has(note));
    // A known limit: the others had ended before, and only the end of a rollout is measured.
    const wasDeleted = this.#livesOf(target).some(
      (life) => life.deletedAt >= restartedAt && life.deletedAt < Number.POSITIVE_INFINITY,
    );
    if (restarts.length > 0 && isEffective && !isMeasured && !isLost && !wasDeleted)
      this.#report("watch", `${key} has no time to effective for its last version`);
  }

  /** Pods read the Secret when the workload is created and when its template changes. */
  #runsWith(life: Life, { target, held, run, found }: Ending): boolean {
    if (run.isFirst) return true;
    const startedAt = Math.max(life.revision, ...life.restarts.map(({ revision }) => revision));
    if (startedAt > run.revision) return true;
    // The Secret has gone to another version and back, and the workload did not start in between.
    if (versionAt(held, startedAt) === held.at(-1)?.versionId) return true;
    // By its own clock the relay takes a workload that is almost as old as the value for a younger one.
    const { earliest } = found.accepted.when(target.cluster, String(run.revision));
    if (life.createdAt >= earliest - 2 * SKEW_MS_MAX - 1_000) return true;
    // A known limit: it knows no earlier version if the Secret is deleted before the first note.
    return (
      run.isRecreated &&
      !life.started.some((note) => note.secret === target.name && note.revision < run.revision)
    );
  }

  async #read(workload: Workload): Promise<LiveWorkload | undefined> {
    const { status, body } = await this.#fleet.admin(workload.cluster)(pathOfWorkload(workload));
    return status === 200 ? (body as LiveWorkload) : undefined;
  }

  #report(rule: Violation["rule"], what: string): void {
    this.violations.push({ rule, what });
  }
}

const reads = (workload: Workload, { cluster, namespace, name }: Target): boolean =>
  workload.cluster === cluster && workload.namespace === namespace && workload.secrets.includes(name);

const isTarget = (target: Target, named: object): boolean => {
  const { cluster, namespace, name } = named as Target;
  return target.cluster === cluster && target.namespace === namespace && target.name === name;
};

const isFinished = (life: Life, { revision, versions }: Restart): boolean =>
  life.completed.some((note) => note.revision > revision && versions.get(note.secret) === note.versionId);

const isReplaced = (life: Life, { revision }: Restart): boolean =>
  life.restarts.some((other) => other.revision > revision);

function finderOf(input: unknown): "followUp" | "sweep" | "rotation" {
  const { Records, sweep } = input as { Records?: readonly { readonly body: string }[]; sweep?: string };
  if (sweep !== undefined) return "sweep";
  if (Records === undefined) return "rotation";
  return Records.some(({ body }) => parseLook(body) !== undefined) ? "followUp" : "sweep";
}

type Holding = {
  /** Undefined if the Secret is gone or was tampered with. */
  readonly versionId: string | undefined;
  readonly revision: number;
  readonly uid: string;
};

function holdingsOf(
  { parts: [{ source, dataKey }] }: Target,
  records: readonly SecretRecord[],
  expected: ExpectedState,
): readonly Holding[] {
  const versions = new Map([...expected.get(source).passwords].map(([version, text]) => [text, version]));
  return records.map(({ type, uid, resourceVersion, data }) => {
    const text = Buffer.from(data[dataKey] ?? "", "base64").toString();
    const versionId = type === "DELETED" ? undefined : versions.get(text);
    return { versionId, revision: Number(resourceVersion), uid };
  });
}

function versionAt(held: readonly Holding[], revision: number): string | undefined {
  return held.findLast((each) => each.revision < revision && each.versionId !== undefined)?.versionId;
}

type Ending = {
  readonly target: Target;
  readonly held: readonly Holding[];
  readonly run: Run;
  readonly found: Case;
};

type Run = {
  /** Since then the Secret has had no other version, though it may have been deleted or tampered with. */
  readonly revision: number;
  /** It never had another version. */
  readonly isFirst: boolean;
  /** It was created with this version, where another Secret had been. */
  readonly isRecreated: boolean;
};

function lastRunOf(held: readonly Holding[], versionId: string): Run {
  const before = held.findLastIndex((each) => each.versionId !== undefined && each.versionId !== versionId);
  const first = held.find((each, index) => index > before && each.versionId === versionId);
  const isRecreated = held[before]?.uid !== first?.uid;
  return { revision: first?.revision ?? 0, isFirst: before === -1, isRecreated };
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}

/** The longest pause between two looks. */
const PAUSE_MS_MAX = 300_000;

/** From a look at a workload to the log line about it: the timeout of the reconcile function. */
const REPORT_MS_MAX = 300_000;
