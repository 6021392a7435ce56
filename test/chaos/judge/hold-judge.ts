import { HOLD_ANNOTATION } from "../../../shared/bindings/relay-identity.ts";
import { SKEW_MS_MAX } from "../settings.ts";
import type { Violation } from "./violation.ts";

/** Checks that valid holds are respected. Shares no code with the relay: the valid holds are known beforehand. */
export class HoldJudge {
  readonly #valid: ReadonlyMap<string, number>;
  readonly #report: (violation: Violation) => void;
  /** Per Secret: from when until when it was held. */
  readonly #spans = new Map<string, { from: number; until: number; text: string }[]>();

  constructor(valid: ReadonlyMap<string, number>, report: (violation: Violation) => void) {
    this.#valid = valid;
    this.#report = report;
  }

  /** The annotations after a write. */
  observe(key: string, annotations: Readonly<Record<string, string>>, at: number): void {
    const text = annotations[HOLD_ANNOTATION] ?? "";
    const until = this.#valid.get(text);
    const spans = this.#spans.get(key) ?? [];
    if (until === undefined || spans.at(-1)?.text === text) return;
    this.#spans.set(key, [...spans, { from: at, until, text }]);
  }

  /** A relay has written or deleted the Secret, which was in that state before. */
  judge(
    key: string,
    by: string,
    before: { readonly annotations: Readonly<Record<string, string>> },
    sentAtByItsClock: number,
  ): void {
    const until = this.#valid.get(before.annotations[HOLD_ANNOTATION] ?? "");
    if (until === undefined || sentAtByItsClock >= until) return;
    const leftMs = until - sentAtByItsClock;
    this.#report({
      rule: "hold",
      what: `${by} writes ${key}, which is held for ${Math.ceil(leftMs / 1_000)} s`,
    });
  }

  /** Whether it was held at any moment of that period, by a clock that may be off. */
  wasHeld(key: string, from: number, until: number): boolean {
    const spans = this.#spans.get(key) ?? [];
    return spans.some((span) => span.from <= until && span.until + SKEW_MS_MAX >= from);
  }
}
