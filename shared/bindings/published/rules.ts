import type { TimeBudget } from "../../runtime/time-budget.ts";
import type { AwsLocation, SecretReference } from "../../source/secret-id.ts";
import type { CompiledBindings } from "../binding.ts";
import { type BindingIndex, indexPerLocation } from "../binding-index.ts";
import type { RulesStore } from "./rules-store.ts";

/** The bindings of one generation. */
export type Rules = Pick<CompiledBindings, "relay" | "clusters"> & {
  /** Absent for a local file, 0 before the first publication. */
  readonly generation?: number;
  /** The bindings that a source or a webhook id may concern, for a caller in that account and Region. */
  find(self: AwsLocation, subject: Subject, budget: TimeBudget): Promise<BindingIndex>;
  /** All bindings. */
  all(self: AwsLocation, budget: TimeBudget): Promise<BindingIndex>;
  /** Where they are published; absent for a local file, and before the first publication. */
  readonly store?: RulesStore;
  /** Part of the fence: whether these rules are in force now, after the live Secret was read. */
  check(budget: TimeBudget): Promise<RulesCheck>;
};

export type Subject = { readonly source: SecretReference } | { readonly webhookId: string };

/** `unknown`: the store did not answer. */
export type RulesCheck = "in-force" | "superseded" | "unknown";

/** Where a relay gets its rules. Both throw if no rules are known. */
export type RulesSource = {
  /** The rules of the last read. The fence finds out whether they are still in force. */
  known(budget: TimeBudget): Promise<Rules>;
  /** The rules in force, or the last known ones if the store does not answer. Throws if the pointer was deleted. */
  latest(budget: TimeBudget): Promise<Rules>;
};

/** The rules of a local file: always in force, since no newer ones can exist. */
export function rulesOfFile(compiled: CompiledBindings): RulesSource & { readonly rules: Rules } {
  const indexFor = indexPerLocation(compiled);
  const { relay, clusters } = compiled;
  const index = async (self: AwsLocation) => indexFor(self);
  const rules: Rules = { relay, clusters, find: index, all: index, check: async () => "in-force" };
  return { rules, known: async () => rules, latest: async () => rules };
}
