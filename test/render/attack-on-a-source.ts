import { evaluateExpression } from "../../shared/bindings/expressions/jmespath.ts";
import { type JsonTreeObject, parseJsonTree } from "../../shared/bindings/expressions/json-tree.ts";
import { renderTemplate } from "../../shared/bindings/expressions/liquid.ts";

// For callWithinMemory: sources are JSON, since what a source is parsed into can't be copied to another thread.

export function renderOver(source: string, template: string) {
  return plain(renderTemplate(template, parse(source)));
}

export function evaluateOver(source: string, expression: string) {
  return plain(evaluateExpression(expression, parse(source)));
}

function parse(source: string): JsonTreeObject {
  return parseJsonTree(source)?.root as JsonTreeObject;
}

function plain<T>(result: T): T {
  return JSON.parse(JSON.stringify(result)) as T;
}
