import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesCall } from "../../test/contract/kubernetes-request.ts";
import type { Random } from "../random.ts";
import { type Fleet, keyOfTarget, type Target } from "../world/fleet.ts";

/** People and controllers who touch the relay's Secrets by hand. The next sweep has to put it right. */
export class Tamperer {
  readonly counts = { edited: 0, emptied: 0, unlabelled: 0, deleted: 0, extended: 0 };
  /** Secrets that were deleted by hand, each time: those deletions are nobody's fault. */
  readonly deletions = new Map<string, number>();
  readonly #fleet: Fleet;
  readonly #random: Random;
  readonly #rotate: (source: string) => void;

  /** `rotate` rotates a source at once. */
  constructor(fleet: Fleet, random: Random, rotate: (source: string) => void) {
    this.#fleet = fleet;
    this.#random = random;
    this.#rotate = rotate;
  }

  async run(everyMs: number, untilAt: number, now: () => number): Promise<void> {
    while (now() < untilAt) {
      await sleep(this.#random.between(0, 2 * everyMs));
      await this.#touch(this.#random.pick(this.#fleet.targets), this.#random.below(6));
    }
  }

  async #touch(target: Target, how: number): Promise<void> {
    const admin = this.#fleet.admin(target.cluster);
    const path = `/api/v1/namespaces/${target.namespace}/secrets/${target.name}`;
    const password = Buffer.from(`tampered-${this.#random.uuid()}`).toString("base64");
    switch (how) {
      case 0:
        if (!target.isAdopting) return; // refused by design, until a person decides
        return this.#count("edited", await patch(admin, path, { data: { password } }));
      case 1:
        return this.#count("emptied", await patch(admin, path, { data: { password: null } }));
      case 2: {
        if (target.isDeletable) return; // by design nothing is deleted that does not carry the label
        const labels = { "secret-relay/managed": null };
        return this.#count("unlabelled", await patch(admin, path, { metadata: { labels } }));
      }
      case 3:
        // A key of their own is theirs to keep.
        return this.#count("extended", await patch(admin, path, { data: { note: password } }));
      default: {
        // Where no answer comes, nobody knows whether it was done.
        const status = await statusOf(admin(path, { method: "DELETE" }));
        if (status !== 200 && status !== "no answer") return;
        const key = keyOfTarget(target);
        this.deletions.set(key, (this.deletions.get(key) ?? 0) + 1);
        this.counts.deleted += 1;
        this.#rotate(target.parts[0].source); // several create it anew, side by side
      }
    }
  }

  #count(what: keyof Tamperer["counts"], isDone: boolean): void {
    if (isDone) this.counts[what] += 1;
  }
}

/** False when the Secret is not there, or its API server is not. */
async function patch(admin: KubernetesCall, path: string, body: object): Promise<boolean> {
  const contentType = "application/merge-patch+json";
  const asked = admin(`${path}?fieldManager=kubectl-edit`, { method: "PATCH", contentType, body });
  return (await statusOf(asked)) === 200;
}

function statusOf(asked: ReturnType<KubernetesCall>): Promise<number | "no answer"> {
  return asked.then(
    ({ status }) => status,
    () => "no answer",
  );
}
