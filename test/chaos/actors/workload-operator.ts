import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../random.ts";
import type { Pace } from "../settings.ts";
import type { Fleet } from "../world/fleet.ts";
import { keyOfWorkload, manifestOf, pathOfWorkload, type Workload } from "../world/workloads.ts";

/** From when until when no new pod of a workload becomes available; the last period may be open. */
export type StuckSpan = { readonly from: number; until: number };

type Dependencies = {
  readonly fleet: Fleet;
  readonly random: Random;
  readonly now: () => number;
  /** Rotates the source of a target a few times within seconds. */
  readonly rotate: (source: string) => void;
};

/**
 * Teams and their clusters: a rollout takes minutes, gets stuck and is released, is paused, its controller is slow to
 * see the change, or its workload is deleted in the middle, and perhaps created again.
 */
export class WorkloadOperator {
  readonly counts = {
    slow: 0,
    observedLate: 0,
    stuck: 0,
    released: 0,
    paused: 0,
    resumed: 0,
    deleted: 0,
    recreated: 0,
  };
  /** By workload. */
  readonly stuckSpans = new Map<string, StuckSpan[]>();
  readonly #deps: Dependencies;
  readonly #busy = new Set<Workload>();
  readonly #deleted = new Set<Workload>();

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  async run({ rolloutTroubleEveryMs, rolloutTroubleMs }: Pace, untilAt: number): Promise<void> {
    const { fleet, random, now } = this.#deps;
    const { all } = fleet.workloads;
    const running: Promise<void>[] = [];
    while (all.length > 0 && now() < untilAt) {
      await sleep(random.between(0, 2 * rolloutTroubleEveryMs));
      const workload = random.pick(all);
      const trouble = random.below(8);
      const lengthMs = random.between(...rolloutTroubleMs);
      const isHurried = random.chance(0.4);
      if (now() >= untilAt || this.#busy.has(workload)) continue;
      this.#busy.add(workload);
      if (isHurried) this.#rotate(workload);
      const ended = this.#disturb(workload, trouble, lengthMs).finally(() => this.#busy.delete(workload));
      running.push(ended);
    }
    await Promise.all(running);
  }

  /** The troubles end, except for a few rollouts that stay stuck. Some deleted workloads never come back. */
  async finish(): Promise<void> {
    const { fleet } = this.#deps;
    const living = fleet.workloads.all.filter((workload) => !this.#deleted.has(workload));
    for (const workload of living) await this.#calm(workload);
    for (const kind of ["Deployment", "StatefulSet"]) {
      const workload = living.find((each) => each.kind === kind && this.#isRotating(each));
      if (workload === undefined || !(await this.#stick(workload))) continue;
      this.counts.stuck += 1;
      this.#rotate(workload);
    }
  }

  async #disturb(workload: Workload, trouble: number, lengthMs: number): Promise<void> {
    const { random } = this.#deps;
    const isPausable = workload.kind === "Deployment";
    if (trouble < 2) {
      const annotations = { [SECONDS_PER_POD]: String(5 + random.below(56)) };
      return this.#count("slow", this.#annotate(workload, annotations));
    }
    if (trouble === 2) {
      const annotations = { [SECONDS_TO_OBSERVE]: String(1 + random.below(40)) };
      return this.#count("observedLate", this.#annotate(workload, annotations));
    }
    if (trouble === 3 || (trouble === 4 && isPausable)) {
      await this.#count("paused", isPausable && this.#patch(workload, { spec: { paused: true } }));
      await sleep(lengthMs);
      return this.#count("resumed", isPausable && this.#patch(workload, { spec: { paused: false } }));
    }
    if (trouble === 5) return this.#replace(workload, lengthMs / 4);
    await this.#count("stuck", this.#stick(workload));
    await sleep(lengthMs);
    return this.#count("released", this.#release(workload));
  }

  async #replace(workload: Workload, afterMs: number): Promise<void> {
    const { fleet, random } = this.#deps;
    // In the middle of a rollout.
    await this.#annotate(workload, { [SECONDS_PER_POD]: "60" });
    this.#rotate(workload);
    await sleep(random.between(1_000, 40_000));
    const admin = fleet.admin(workload.cluster);
    const path = pathOfWorkload(workload);
    if ((await statusOf(admin(path, { method: "DELETE" }))) !== 200) return;
    this.#deleted.add(workload);
    this.counts.deleted += 1;
    if (random.chance(0.15)) return;
    await sleep(afterMs);
    const body = manifestOf(workload);
    const list = path.slice(0, path.lastIndexOf("/"));
    while ((await statusOf(admin(list, { method: "POST", body }))) !== 201) await sleep(1_000);
    this.#deleted.delete(workload);
    this.counts.recreated += 1;
  }

  async #stick(workload: Workload): Promise<boolean> {
    const { now } = this.#deps;
    const key = keyOfWorkload(workload);
    // Its first new pod, or its second.
    const pod = String(1 + this.#deps.random.below(2));
    const spans = this.stuckSpans.get(key) ?? [];
    spans.push({ from: now(), until: Number.POSITIVE_INFINITY });
    this.stuckSpans.set(key, spans);
    return this.#annotate(workload, { [STUCK_AT_POD]: pod });
  }

  async #release(workload: Workload): Promise<boolean> {
    const isDone = await this.#annotate(workload, { [STUCK_AT_POD]: null });
    const span = this.stuckSpans.get(keyOfWorkload(workload))?.at(-1);
    if (isDone && span !== undefined) span.until = Math.min(span.until, this.#deps.now());
    return isDone;
  }

  async #calm(workload: Workload): Promise<void> {
    await this.#release(workload);
    await this.#annotate(workload, { [SECONDS_PER_POD]: null, [SECONDS_TO_OBSERVE]: null });
    if (workload.kind === "Deployment") await this.#patch(workload, { spec: { paused: false } });
  }

  #annotate(workload: Workload, annotations: Readonly<Record<string, string | null>>): Promise<boolean> {
    return this.#patch(workload, { metadata: { annotations } });
  }

  /** False if the workload is gone or its API server is down. */
  async #patch(workload: Workload, body: object): Promise<boolean> {
    const contentType = "application/merge-patch+json";
    const path = `${pathOfWorkload(workload)}?fieldManager=kubectl-edit`;
    const call = this.#deps.fleet.admin(workload.cluster)(path, { method: "PATCH", contentType, body });
    return (await statusOf(call)) === 200;
  }

  async #count(what: keyof WorkloadOperator["counts"], done: false | Promise<boolean>): Promise<void> {
    if (await done) this.counts[what] += 1;
  }

  #rotate(workload: Workload): void {
    for (const source of this.#sourcesOf(workload).slice(0, 1)) this.#deps.rotate(source);
  }

  /** A source that may be deleted does not rotate in the end. */
  #isRotating(workload: Workload): boolean {
    return /[^59]$/.test(this.#sourcesOf(workload)[0] ?? "9");
  }

  #sourcesOf({ cluster, namespace, secrets }: Workload): readonly string[] {
    return this.#deps.fleet.targets
      .filter((target) => target.cluster === cluster && target.namespace === namespace)
      .filter(({ name }) => secrets.includes(name))
      .map(({ parts: [{ source }] }) => source);
  }
}

const SECONDS_PER_POD = "sandbox/seconds-per-pod";
const STUCK_AT_POD = "sandbox/stuck-at-pod";
const SECONDS_TO_OBSERVE = "sandbox/seconds-to-observe";

function statusOf(asked: Promise<{ readonly status: number }>): Promise<number | "no answer"> {
  return asked.then(
    ({ status }) => status,
    () => "no answer",
  );
}
