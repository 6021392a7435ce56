import type { Expression, Node } from "../../cli/import-eso/go/parse-template.ts";

/** The names of the functions that a parsed template calls. */
export function functionsIn(nodes: readonly Node[]): string[] {
  return nodes.flatMap((node) => {
    if (node.kind === "text") return [];
    if (node.kind === "output") return callsIn(node.value);
    const inBranches = node.branches.flatMap(({ condition, body }) => [
      ...callsIn(condition),
      ...functionsIn(body),
    ]);
    return [...inBranches, ...functionsIn(node.otherwise)];
  });
}

function callsIn(expression: Expression): string[] {
  if (expression.kind === "call") return [expression.name, ...expression.args.flatMap(callsIn)];
  return expression.kind === "member" ? callsIn(expression.of) : [];
}
