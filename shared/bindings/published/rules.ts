import type { TimeBudget } from "../../runtime/time-budget.ts";
import type { AwsLocation, SecretReference } from "../../source/secret-id.ts";
import type { CompiledBindings } from "../binding.ts";
import { type BindingIndex, indexPerLocation } from "../binding-index.ts";

/** The bindings of one generation. */
export type Rules = Pick<CompiledBindings, "relay" | "clusters"> & {
  /** Absent for a local file, 0 before the first publication. */
  readonly generation?: number;
  /** The bindings that a source or a webhook id may concern, for a caller in that account and Region. */
  find(self: AwsLocation, subject: Subject, budget: TimeBudget): Promise<BindingIndex>;
  /** All bindings. */
  all(self: AwsLocation, budget: TimeBudget): Promise<BindingIndex>;
  /** Part of the fence: whether these rules are in force now, after the live Secret was read. */
  check(budget: TimeBudget): Promise<RulesCheck>;
};

export type Subject = { readonly source: SecretReference } | { readonly webhookId: string };

/** `unknown`: the store did not answer. */
export type RulesCheck = "in-force" | "superseded" | "unknown";

/** The rules in force. Throws a retryable error if they are unknown. */
export type ReadRules = (budget: TimeBudget) => Promise<Rules>;

/** The rules of a local file: always in force, since no newer ones can exist. */
export function rulesOfFile(compiled: CompiledBindings): Rules {
  const indexFor = indexPerLocation(compiled);
  const { relay, clusters } = compiled;
  const index = async (self: AwsLocation) => indexFor(self);
  return { relay, clusters, find: index, all: index, check: async () => "in-force" };
}
