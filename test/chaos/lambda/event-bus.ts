import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../random.ts";
import { SHARES } from "../settings.ts";

/** EventBridge with its allowed misbehaviour: an event comes late, out of order, twice, or never. */
export class EventBus {
  readonly counts = { sent: 0, lost: 0, twice: 0, late: 0, reordered: 0, delivered: 0 };
  /** By source, the last event that was delivered. */
  readonly #latest = new Map<string, number>();
  #onItsWay = 0;
  readonly #random: Random;
  readonly #lateMsMax: number;
  readonly #deliver: (event: object) => void;

  constructor(random: Random, lateMsMax: number, deliver: (event: object) => void) {
    this.#random = random;
    this.#lateMsMax = lateMsMax;
    this.#deliver = deliver;
  }

  get isIdle(): boolean {
    return this.#onItsWay === 0;
  }

  send(source: string, event: object): void {
    const random = this.#random;
    this.counts.sent += 1;
    const place = this.counts.sent;
    if (random.chance(SHARES.eventsLost)) {
      this.counts.lost += 1;
      return;
    }
    const isTwice = random.chance(SHARES.eventsTwice);
    if (isTwice) this.counts.twice += 1;
    for (let copy = 0; copy < (isTwice ? 2 : 1); copy += 1) {
      const isLate = random.chance(SHARES.eventsLate);
      if (isLate) this.counts.late += 1;
      const delayMs = isLate ? random.between(1_000, this.#lateMsMax) : random.between(20, 900);
      this.#onItsWay += 1;
      void sleep(delayMs).then(() => {
        this.#onItsWay -= 1;
        this.counts.delivered += 1;
        if (place < (this.#latest.get(source) ?? 0)) this.counts.reordered += 1;
        else this.#latest.set(source, place);
        this.#deliver(structuredClone(event));
      });
    }
  }
}
