import type { Log } from "../runtime/log.ts";
import type { Measure } from "../runtime/metrics.ts";
import type { TriggerOutcome } from "./outcome.ts";

export function reportTrigger(
  log: Log,
  measure: Measure,
  source: string | undefined,
  { cluster, ...outcome }: TriggerOutcome,
): void {
  const where = { object: `${cluster}/${outcome.object}`, ...(source !== undefined && { source }) };
  switch (outcome.kind) {
    case "refreshed": {
      const { ms: refreshMs, nudges } = outcome;
      log("EXTERNAL_SECRET_REFRESHED", { ...where, refreshMs, nudges });
      measure("ExternalSecretsRefreshed", 1);
      measure("ExternalSecretRefreshLatency", refreshMs);
      return;
    }
    case "already":
      log("EXTERNAL_SECRET_REFRESHED", { ...where, nudges: 0 });
      return;
    case "ignored": {
      const { code, advice } = outcome;
      log("EXTERNAL_SECRET_IGNORED", { ...where, code, advice });
      measure("ExternalSecretsIgnored", 1, code);
      return;
    }
    case "refused": {
      const { code, advice } = outcome;
      log("EXTERNAL_SECRET_REFUSED", { ...where, code, advice });
      measure("ExternalSecretsFailed", 1, code);
      measure("TargetsRefused", 1, code); // this metric has the alarm for operators
      return;
    }
    case "failed": {
      const { code, advice, reason, nudges } = outcome;
      log("EXTERNAL_SECRET_FAILED", {
        ...where,
        code,
        advice,
        nudges,
        ...(reason !== undefined && { reason }),
      });
      measure("ExternalSecretsFailed", 1, code);
      return;
    }
  }
}
