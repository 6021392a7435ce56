import type { Expression, Node } from "./parse-template.ts";

export type Call = Extract<Expression, { kind: "call" }>;

/** All calls of functions in a parsed template. */
export function callsIn(nodes: readonly Node[]): Call[] {
  return nodes.flatMap((node) => {
    if (node.kind === "text") return [];
    if (node.kind === "output") return callsOf(node.value);
    const inBranches = node.branches.flatMap(({ condition, body }) => [
      ...callsOf(condition),
      ...callsIn(body),
    ]);
    return [...inBranches, ...callsIn(node.otherwise)];
  });
}

function callsOf(expression: Expression): Call[] {
  if (expression.kind === "call") return [expression, ...expression.args.flatMap(callsOf)];
  return expression.kind === "member" ? callsOf(expression.of) : [];
}
