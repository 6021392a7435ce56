import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesCall } from "../../harness/kubernetes-request.ts";
import { EXTRA } from "../expected-state.ts";
import type { Random } from "../random.ts";
import { type Fleet, keyOfTarget, type Target } from "../world/fleet.ts";

/** Operators and controllers that edit the relay's Secrets by hand. The next rotation or sweep must repair them. */
export class Tamperer {
  readonly counts = {
    edited: 0,
    replaced: 0,
    emptied: 0,
    unlabelled: 0,
    deleted: 0,
    extended: 0,
    coOwned: 0,
  };
  /** Secrets deleted by hand, one entry per deletion: the relay did not make these deletions. */
  readonly deletions = new Map<string, number>();
  readonly #fleet: Fleet;
  readonly #random: Random;
  readonly #rotate: (source: string) => void;

  constructor(fleet: Fleet, random: Random, rotate: (source: string) => void) {
    this.#fleet = fleet;
    this.#random = random;
    this.#rotate = rotate;
  }

  async run(everyMs: number, untilAt: number, now: () => number): Promise<void> {
    while (now() < untilAt) {
      await sleep(this.#random.between(0, 2 * everyMs));
      await this.#touch(this.#random.pick(this.#fleet.targets), this.#random.below(8));
    }
  }

  async #touch(target: Target, how: number): Promise<void> {
    const admin = this.#fleet.admin(target.cluster);
    const path = `/api/v1/namespaces/${target.namespace}/secrets/${target.name}`;
    const text = Buffer.from(`tampered-${this.#random.uuid()}`).toString("base64");
    const [{ source, dataKey }] = target.parts;
    // Half of the time in the middle of a rotation.
    if (how < 3 && this.#random.chance(0.3)) this.#rotate(source);
    switch (how) {
      case 0:
        return this.#count("edited", await edit(admin, path, target, { [dataKey]: text }));
      case 1: {
        const keys = target.isShared ? [dataKey] : ["username", ...target.parts.map((part) => part.dataKey)];
        const data = Object.fromEntries(keys.map((key) => [key, text]));
        return this.#count("replaced", await edit(admin, path, target, data));
      }
      case 2:
        return this.#count("emptied", await patch(admin, path, { data: { [dataKey]: null } }));
      case 3: {
        if (target.isDeletable) return; // never deletes a Secret without the label
        const labels = { [target.ownMetadata.managedLabel]: null };
        return this.#count("unlabelled", await patch(admin, path, { metadata: { labels } }));
      }
      case 4:
        return this.#count("extended", await patch(admin, path, { data: { note: text } }));
      case 5:
        return this.#count("coOwned", await ownToo(admin, path, target));
      default: {
        // Without a response, the write may or may not have happened.
        const status = await statusOf(admin(path, { method: "DELETE" }));
        if (status !== 200 && status !== "no answer") return;
        const key = keyOfTarget(target);
        this.deletions.set(key, (this.deletions.get(key) ?? 0) + 1);
        this.counts.deleted += 1;
        this.#rotate(source); // several invocations recreate it in parallel
      }
    }
  }

  #count(what: keyof Tamperer["counts"], isDone: boolean): void {
    if (isDone) this.counts[what] += 1;
  }
}

/** False when the Secret is absent, or its API server is down. */
async function patch(admin: KubernetesCall, path: string, body: object): Promise<boolean> {
  const contentType = "application/merge-patch+json";
  const asked = admin(`${path}?fieldManager=kubectl-edit`, { method: "PATCH", contentType, body });
  return (await statusOf(asked)) === 200;
}

/**
 * Keys that the relay has applied. A Secret that the other relay has just recreated does not have them yet. A key that
 * another manager writes first belongs to that manager, and the relay refuses it by design.
 */
async function edit(admin: KubernetesCall, path: string, target: Target, data: object): Promise<boolean> {
  if (!target.isShared) return patch(admin, path, { data });
  const live = await admin(path).catch(() => undefined);
  const { uid, annotations = {} } = live?.body?.metadata ?? {};
  if (live?.status !== 200 || !(target.ownMetadata.annotations.keys in annotations)) return false;
  return patch(admin, path, { metadata: { uid }, data });
}

/** Another manager applies a key with its present value: from then on two managers own it. */
async function ownToo(admin: KubernetesCall, path: string, target: Target): Promise<boolean> {
  if (target.isShared) return false;
  const { namespace, name } = target;
  const live = await admin(path).catch(() => undefined);
  const value = (live?.body as { data?: Record<string, string> } | undefined)?.data?.[EXTRA.key];
  if (live?.status !== 200 || value === undefined) return false;
  const metadata = { namespace, name, uid: live.body.metadata.uid };
  const body = { apiVersion: "v1", kind: "Secret", metadata, data: { [EXTRA.key]: value } };
  const contentType = "application/apply-patch+yaml";
  const asked = admin(`${path}?fieldManager=team&force=true`, { method: "PATCH", contentType, body });
  return (await statusOf(asked)) === 200;
}

function statusOf(asked: ReturnType<KubernetesCall>): Promise<number | "no answer"> {
  return asked.then(
    ({ status }) => status,
    () => "no answer",
  );
}
