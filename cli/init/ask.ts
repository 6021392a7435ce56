import { autocompleteMultiselect, confirm, isCancel, multiselect, text } from "@clack/prompts";
import { UsageError } from "../errors.ts";

/** The questions of `init`. Tests answer them themselves. */
export type Questions = {
  selectClusters(found: readonly string[]): Promise<readonly string[]>;
  selectSources(found: readonly string[]): Promise<readonly string[]>;
  /** Asks again until `findProblem` finds none. */
  nameTarget(
    source: string,
    suggested: string,
    findProblem: (answer: string) => string | undefined,
  ): Promise<string>;
  /** Whether a canary is wanted as well. */
  addCanary(): Promise<boolean>;
  confirm(question: string): Promise<boolean>;
};

/** Questions go to stderr, like all messages. */
const output = process.stderr;

export const promptQuestions: Questions = {
  selectClusters: async (found) =>
    answered(
      await multiselect({
        message: "Which EKS clusters?",
        options: found.map((value) => ({ value, label: value })),
        initialValues: found.slice(0, 1),
        required: true,
        output,
      }),
    ),
  selectSources: async (found) =>
    answered(
      await autocompleteMultiselect({
        message: "Which secrets should be in the cluster?",
        options: found.map((value) => ({ value, label: value })),
        maxItems: 10,
        required: true,
        output,
      }),
    ),
  nameTarget: async (source, suggested, findProblem) =>
    answered(
      await text({
        message: `Kubernetes Secret for ${source} (namespace/name):`,
        initialValue: suggested,
        validate: (input = "") => findProblem(input),
        output,
      }),
    ).trim(),
  addCanary: () => agrees("Add a canary, with which secret-relay verify proves the installation?"),
  confirm: (message) => agrees(message),
};

const agrees = async (message: string): Promise<boolean> =>
  answered(await confirm({ message, initialValue: false, output }));

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new UsageError("Stopped. Nothing was written.");
  return answer as Exclude<T, symbol>;
}
