import { autocompleteMultiselect, isCancel, multiselect, text } from "@clack/prompts";
import { UsageError } from "../errors.ts";
import { type Bind, parseBind, suggestSecretName } from "./init-files.ts";

/** Questions go to stderr, like all messages. */
const output = process.stderr;

export async function askClusters(found: readonly string[]): Promise<string[]> {
  const options = found.map((value) => ({ value, label: value }));
  const [first = ""] = found;
  return answered(
    await multiselect({
      message: "Which EKS clusters?",
      options,
      initialValues: [first],
      required: true,
      output,
    }),
  );
}

export async function askBinds(found: readonly string[]): Promise<Bind[]> {
  const sources = answered(
    await autocompleteMultiselect({
      message: "Which secrets should be in the cluster?",
      options: found.map((value) => ({ value, label: value })),
      maxItems: 10,
      required: true,
      output,
    }),
  );
  const binds: Bind[] = [];
  let namespace = "default";
  for (const source of sources) {
    const suggested = `${namespace}/${suggestSecretName(source)}`;
    const target = answered(
      await text({
        message: `Kubernetes Secret for ${source} (namespace/name):`,
        initialValue: suggested,
        validate: (input = "") =>
          parseBind(`${source}=${input}`) === undefined ? "Enter namespace/name" : undefined,
        output,
      }),
    );
    const bind = parseBind(`${source}=${target}`);
    if (bind === undefined) continue;
    binds.push(bind);
    namespace = bind.namespace;
  }
  return binds;
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new UsageError("Stopped. Nothing was written.");
  return answer as Exclude<T, symbol>;
}
