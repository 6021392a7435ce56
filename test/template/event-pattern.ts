/** Whether an EventBridge pattern matches an event: only the operators that template.yaml uses. */
export function matches(pattern: unknown, event: unknown): boolean {
  return Object.entries(pattern as object).every(([key, wanted]) => {
    if (key === "$or") return (wanted as unknown[]).some((branch) => matches(branch, event));
    const found = (event as Record<string, unknown> | undefined)?.[key];
    if (Array.isArray(wanted)) return wanted.some((one) => matchesOne(one, found));
    return matches(wanted, found);
  });
}

function matchesOne(wanted: unknown, found: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return wanted === found;
  const [[operator, operand] = []] = Object.entries(wanted);
  if (operator === "exists") return (found !== undefined) === operand;
  if (operator === "anything-but") return found !== undefined && found !== operand;
  if (operator === "prefix") return typeof found === "string" && found.startsWith(String(operand));
  throw new Error(`this matcher does not know the operator ${operator}`);
}
