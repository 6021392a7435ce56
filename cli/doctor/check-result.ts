import { RelayError, UnexpectedFault } from "../../shared/relay-error.ts";

/** What one check came to. */
export type CheckResult = {
  /** What was looked at; scripts rely on it. */
  readonly check: CheckName;
  /** Which of them, where there are several: a cluster, a queue, a Secret. */
  readonly about?: string;
  readonly status: "ok" | "wrong" | "unknown";
  readonly code?: string;
  readonly says: string;
  /** The command, or the change, that puts it right; of an unknown one, what it needs. */
  readonly fix?: string;
};

export type CheckName =
  | "credentials"
  | "clock"
  | "stack"
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

/** It could not be looked at, so it is not known to be in order. */
export const skipped = (check: CheckName, needs: string, about: About = {}): CheckResult => {
  return { check, ...about, status: "unknown", says: "unknown", fix: needs };
};

export function wrongBy(check: CheckName, error: unknown, about?: string): CheckResult {
  const { code, message } = error instanceof RelayError ? error : UnexpectedFault.from(error);
  return wrong(check, { code, ...halves(message), ...(about !== undefined && { about }) });
}

/** Our errors say what is wrong in their first sentence, and what to do in the others. */
export function halves(message: string): { says: string; fix: string } {
  const [, says = message, fix = ""] = /^(.+?[.)])\s+([A-Z].+)$/s.exec(message) ?? [];
  return { says, fix: fix === "" ? "see docs/runbook.md" : fix };
}
