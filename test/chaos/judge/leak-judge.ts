import { findTraces } from "../../harness/canary.ts";
import type { Violation } from "./violation.ts";

/** Collects all output and searches it for secret values. Keeps text only until a page is full. */
export class LeakJudge {
  scannedBytes = 0;
  readonly #report: (violation: Violation) => void;
  #page: string[] = [];
  #pageChars = 0;

  constructor(report: (violation: Violation) => void) {
    this.#report = report;
  }

  scan(where: string, text: string): void {
    this.#page.push(`${where}: ${text}`);
    this.#pageChars += text.length;
    if (this.#pageChars > PAGE_CHARS) this.finish();
  }

  finish(): void {
    const page = this.#page;
    this.#page = [];
    this.scannedBytes += this.#pageChars;
    this.#pageChars = 0;
    if (findTraces(page.join("\n")).length === 0) return;
    const leaking = page.filter((line) => findTraces(line).length > 0);
    const places = new Set(leaking.map((line) => line.slice(0, line.indexOf(":"))));
    for (const place of places) this.#report({ rule: "leak", what: `a secret value appears in ${place}` });
  }
}

const PAGE_CHARS = 1_000_000;
