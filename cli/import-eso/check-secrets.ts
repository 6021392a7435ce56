import pMap from "p-map";
import type { Binding, TargetRef } from "../../shared/bindings/binding.ts";
import { RelayError, UnexpectedFault } from "../../shared/relay-error.ts";
import { loadRenderers } from "../../shared/render/load-renderers.ts";
import { renderSecret } from "../../shared/render/render-secret.ts";
import type { TimeBudget } from "../../shared/time-budget/time-budget.ts";
import type { Live } from "../live/open-live.ts";
import type { Tell } from "../terminal/progress.ts";
import { type Comparison, compareSecret } from "./compare-secret.ts";

/** One Secret that is there, beside the one that its binding would make. */
export type Checked = { readonly target: TargetRef } & (
  | ({ readonly is: "same" | "different" } & Comparison)
  | { readonly is: "absent" }
  /** It could not be compared, which says nothing about it. */
  | { readonly is: "unchecked"; readonly code: string; readonly advice: string }
);

/** Reads each Secret and its sources, and writes nothing. */
export function checkSecrets(
  live: Pick<Live, "bindings" | "connect" | "readCurrent" | "targetsAtOnce">,
  budget: TimeBudget,
  tell: Tell,
): Promise<Checked[]> {
  const { bindings } = live.bindings;
  let done = 0;
  return pMap(
    bindings,
    async (binding) => {
      const checked = await checkOne(live, binding, budget).catch((error: unknown): Checked => {
        const { code, message } = error instanceof RelayError ? error : UnexpectedFault.from(error);
        return { target: binding.target, is: "unchecked", code, advice: message };
      });
      done += 1;
      tell(`${done} of ${bindings.length} Secrets`);
      return checked;
    },
    { concurrency: live.targetsAtOnce },
  );
}

async function checkOne(
  { connect, readCurrent }: Pick<Live, "connect" | "readCurrent">,
  binding: Binding,
  budget: TimeBudget,
): Promise<Checked> {
  const { target } = binding;
  const secret = await connect(target.cluster).readSecret(target, budget);
  if (secret === undefined) return { target, is: "absent" };
  const [renderers, ...reads] = await Promise.all([
    loadRenderers(binding),
    ...binding.sources.map((source) => readCurrent(source, budget)),
  ]);
  const { keys, around } = compareSecret(secret, renderSecret(binding, reads, renderers));
  // In a Secret that others write too, their keys are no business of the binding.
  const counted = binding.ownership === "keys" ? keys.filter(({ is }) => is !== "extra") : keys;
  const isSame = counted.every(({ is }) => is === "equal") && around.length === 0;
  return { target, is: isSame ? "same" : "different", keys: counted, around };
}
