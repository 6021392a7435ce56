import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { spanOf } from "../terminal/format.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { HOPS, type HopRow } from "./hops.ts";
import type { Verification } from "./run-verify.ts";

/** The hops and the verdict on stdout, and the next step on stderr. */
export function printVerify(terminal: Terminal, verification: Verification): void {
  const { hops, canary, fault, note, rotationMs = 0, repairMs = 0, clockShiftMs } = verification;
  const colours = { done: "green", unknown: "yellow", failed: "red", "not-reached": "dim" } as const;
  const cells = hops.map(({ hop, status, tookMs, afterMs }: HopRow) => [
    hop,
    terminal.paint(colours[status], status),
    tookMs === undefined ? "-" : spanOf(tookMs),
    afterMs === undefined ? "-" : spanOf(afterMs),
    HOPS[hop],
  ]);
  terminal.out(table(terminal, ["HOP", "STATE", "TOOK", "AFTER", "WHAT"], cells));
  if (fault === undefined) {
    terminal.out(
      `The installation works: the rotation of ${canary.source} was in ${nameOfTarget(canary)} after ${spanOf(rotationMs)}, and the edit was repaired after ${spanOf(repairMs)}.`,
    );
  } else {
    terminal.out(`The installation does not work: ${fault.hop} failed.`);
    terminal.say(`${fault.code}: ${fault.says}\n    ${fault.next}`);
  }
  if (clockShiftMs !== 0) {
    terminal.say(
      `This machine and AWS disagree about the time by ${spanOf(Math.abs(clockShiftMs))} or more. The times of event, function and secret are corrected by this.`,
    );
  }
  if (note !== undefined) terminal.say(note.says);
}
