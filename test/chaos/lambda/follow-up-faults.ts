import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../random.ts";
import { SHARES } from "../settings.ts";

/** What an invocation with a message did. */
export type Handled = "done" | "again" | "killed";

/** A message of the work queue that looks at a rollout. */
type Look = { readonly target: object; readonly startedAt: number; readonly looks: number };

/** The work queue with the misbehaviour that follow-ups must bear: one comes late, out of order, twice, or never. */
export class FollowUpFaults {
  readonly counts = { received: 0, lost: 0, twice: 0, late: 0, reordered: 0, killed: 0 };
  /** By target, the last look that was delivered. */
  readonly #latest = new Map<string, Look>();
  readonly #random: Random;
  readonly #lateMsMax: number;
  #isCalm = false;

  constructor(random: Random, lateMsMax: number) {
    this.#random = random;
    this.#lateMsMax = lateMsMax;
  }

  calm(): void {
    this.#isCalm = true;
  }

  /** `deliver` invokes the function. A message that is lost counts as done. */
  async pass(look: Look, deliver: () => Promise<Handled>): Promise<Handled> {
    const { counts } = this;
    const random = this.#random;
    counts.received += 1;
    const drawn = this.#isCalm ? 1 : random.next();
    if (drawn < SHARES.followUpsLost) {
      counts.lost += 1;
      return "done";
    }
    if (drawn < SHARES.followUpsLost + SHARES.followUpsLate) {
      counts.late += 1;
      await sleep(random.between(1_000, this.#lateMsMax));
    }
    if (!this.#isCalm && random.chance(SHARES.followUpsTwice)) {
      counts.twice += 1;
      const gapMs = random.chance(0.5) ? 0 : random.between(1, 20_000);
      const [first] = await Promise.all([deliver(), sleep(gapMs).then(deliver)]);
      return this.#note(look, first);
    }
    return this.#note(look, await deliver());
  }

  #note(look: Look, handled: Handled): Handled {
    const { counts } = this;
    if (handled === "killed") counts.killed += 1;
    const key = JSON.stringify(look.target);
    const last = this.#latest.get(key);
    const isOlder =
      last !== undefined &&
      (look.startedAt < last.startedAt || (look.startedAt === last.startedAt && look.looks < last.looks));
    if (isOlder) counts.reordered += 1;
    else this.#latest.set(key, look);
    return handled;
  }
}

/** Undefined for a shard. */
export function parseLook(body: string): Look | undefined {
  const message = JSON.parse(body) as Look & { readonly kind?: string };
  return message.kind === "follow-up" ? message : undefined;
}
