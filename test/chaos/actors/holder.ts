import { setTimeout as sleep } from "node:timers/promises";
import { HOLD_ANNOTATION } from "../../../shared/bindings/relay-identity.ts";
import type { Random } from "../random.ts";
import type { Pace } from "../settings.ts";
import type { Fleet } from "../world/fleet.ts";

/** An operator who puts Secrets on hold for a while, and sometimes writes an invalid hold. */
export class Holder {
  readonly counts = { valid: 0, malformed: 0, tooLong: 0 };
  readonly #fleet: Fleet;
  readonly #random: Random;
  readonly #valid: Map<string, number>;

  /** `valid` receives the valid holds and when they end. */
  constructor(fleet: Fleet, random: Random, valid: Map<string, number>) {
    this.#fleet = fleet;
    this.#random = random;
    this.#valid = valid;
  }

  async run({ holdEveryMs, holdMs }: Pace, untilAt: number, now: () => number): Promise<void> {
    const random = this.#random;
    while (now() < untilAt) {
      await sleep(random.between(0, 2 * holdEveryMs));
      const drawn = random.next();
      if (drawn < 0.15) await this.#hold("malformed", random.pick(MALFORMED));
      else if (drawn < 0.3) await this.#hold("tooLong", print(now() + TOO_LONG_MS));
      else {
        const text = print(now() + random.between(...holdMs));
        this.#valid.set(text, Date.parse(text));
        await this.#hold("valid", text);
      }
    }
  }

  async #hold(kind: keyof Holder["counts"], text: string): Promise<void> {
    const { cluster, namespace, name } = this.#random.pick(this.#fleet.targets);
    const path = `/api/v1/namespaces/${namespace}/secrets/${name}?fieldManager=kubectl-annotate`;
    const body = { metadata: { annotations: { [HOLD_ANNOTATION]: text } } };
    const contentType = "application/merge-patch+json";
    const call = this.#fleet.admin(cluster)(path, { method: "PATCH", contentType, body });
    const isDone = await call.then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isDone) this.counts[kind] += 1;
  }
}

const MALFORMED = ["tomorrow", "", "30m", "2099-13-01T00:00:00Z", "1795500000"];
const TOO_LONG_MS = 26 * 3_600_000;

/** With milliseconds, so that no two holds have the same value. */
const print = (at: number): string => new Date(at).toISOString();
