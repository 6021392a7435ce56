import pMap from "p-map";
import { assess } from "../../shared/assess/assess.ts";
import { liveTarget } from "../../shared/assess/observation.ts";
import type { Verdict } from "../../shared/assess/verdict.ts";
import type { Binding } from "../../shared/bindings/binding.ts";
import type { LiveSecret } from "../../shared/cluster/live-secret.ts";
import { RelayError, UnexpectedFault } from "../../shared/relay-error.ts";
import { stateOfRead } from "../../shared/source/state-of-read.ts";
import { unknownTarget } from "../../shared/sweep/observe-metadata.ts";
import { renderCurrent } from "../../shared/sync/render-current.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "../live/open-live.ts";
import type { Tell } from "../terminal/progress.ts";
import { type Comparison, compareSecret } from "./compare-secret.ts";

/** One Secret beside the one that its binding makes, and the verdict that every other command shows for it. */
export type Checked = Pick<Verdict, "target" | "finding" | "action" | "code" | "advice"> &
  (
    | ({ readonly is: "same" | "different" } & Comparison)
    | { readonly is: "absent" }
    /** It could not be compared: `code` says why. */
    | { readonly is: "unknown" }
  );

type CheckDependencies = Pick<
  Live,
  "index" | "connect" | "readCurrent" | "catalog" | "now" | "targetsAtOnce"
>;

/** Reads each Secret and its sources, and writes nothing. */
export function checkSecrets(live: CheckDependencies, budget: TimeBudget, tell: Tell): Promise<Checked[]> {
  const { bindings } = live.index;
  let done = 0;
  return pMap(
    bindings,
    async (binding) => {
      const checked = await checkOne(live, binding, budget);
      done += 1;
      tell(`${done} of ${bindings.length} Secrets`);
      return checked;
    },
    { concurrency: live.targetsAtOnce },
  );
}

async function checkOne(deps: CheckDependencies, binding: Binding, budget: TimeBudget): Promise<Checked> {
  const { index, connect, readCurrent, catalog, now } = deps;
  const { target } = binding;
  const live = await connect(target.cluster).readSecret(target, budget).then(liveTarget, unknownTarget);
  const read = await Promise.all(
    binding.sources.map(async (source) => {
      const value = await readCurrent(source, budget).catch(asRelayError);
      return { value, state: await stateOfRead(source, value, () => catalog.describe(source, budget)) };
    }),
  );
  const reads = read.map(({ value }) => value);
  const desired = await renderCurrent(binding, reads, index.marks);
  const observation = { binding, live, sources: read.map(({ state }) => state), ...(desired && { desired }) };
  // Nothing is deleted here, so that the grace period does not matter.
  const verdict = assess(observation, { marks: index.marks, now: now(), deletionGraceMs: 0 });
  const shown = shownOf(verdict);
  if (live.kind === "unknown" || desired === undefined || desired instanceof RelayError) {
    return { ...shown, is: "unknown" };
  }
  if (live.kind === "absent") return { ...shown, is: "absent" };
  const { keys, around } = compareSecret(live.secret as LiveSecret, desired);
  // In a Secret that other managers write too, their keys do not concern the binding.
  const counted = binding.ownership === "keys" ? keys.filter(({ is }) => is !== "extra") : keys;
  const isSame = counted.every(({ is }) => is === "equal") && around.length === 0;
  return { ...shown, is: isSame ? "same" : "different", keys: counted, around };
}

function shownOf({ target, finding, action, code, advice }: Verdict) {
  return {
    target,
    finding,
    action,
    ...(code !== undefined && { code }),
    ...(advice !== undefined && { advice }),
  };
}

const asRelayError = (error: unknown): RelayError =>
  error instanceof RelayError ? error : UnexpectedFault.from(error);
