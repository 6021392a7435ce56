import { toRelayError } from "../errors.ts";

export type CheckResult = {
  /** Scripts rely on this name. */
  readonly check: CheckName;
  /** The object of the check: a cluster, a queue, a Secret. */
  readonly about?: string;
  readonly status: "ok" | "wrong" | "unknown";
  readonly code?: string;
  readonly says: string;
  /** The command or change that fixes it; for an unknown result, the missing permission or resource. */
  readonly fix?: string;
};

export type CheckName =
  | "credentials"
  | "clock"
  | "stack"
  | "bindings"
  | "function"
  | "rule"
  | "queue"
  | "sweeps"
  | "events"
  | "cluster"
  | "access-entry"
  | "namespace"
  | "rbac"
  | "secrets";

type About = { readonly about?: string };

export const ok = (check: CheckName, says: string, about: About = {}): CheckResult => {
  return { check, ...about, status: "ok", says };
};

export const wrong = (
  check: CheckName,
  { code, says, fix, about }: { code: string; says: string; fix: string; about?: string },
): CheckResult => ({ check, ...(about !== undefined && { about }), status: "wrong", code, says, fix });

/** The check could not run. */
export const skipped = (check: CheckName, needs: string, about: About = {}): CheckResult => {
  return { check, ...about, status: "unknown", says: "unknown", fix: needs };
};

export function wrongBy(check: CheckName, error: unknown, about?: string): CheckResult {
  const { code, message } = toRelayError(error);
  return wrong(check, { code, ...splitMessage(message), ...(about !== undefined && { about }) });
}

/** The first sentence of a RelayError is the problem, the others are the fix. */
function splitMessage(message: string): { says: string; fix: string } {
  const [, says = message, fix = ""] = /^(.+?[.)])\s+([A-Z].+)$/s.exec(message) ?? [];
  return { says, fix: fix === "" ? "see docs/runbook.md" : fix };
}
