import { invalidParameter, invalidRequest, resourceNotFound } from "../aws-error.ts";
import { count, flag, type Operation, requiredText } from "../call.ts";
import type { SecretsManagerContext } from "./context.ts";
import { seconds } from "./secret.ts";

const DAY_MS = 24 * 60 * 60_000;
const RECOVERY_DAYS = { min: 7, max: 30, otherwise: 30 };

export function deleteSecret(context: SecretsManagerContext): Operation {
  return ({ input }) => {
    const id = requiredText(input, "SecretId");
    const force = flag(input, "ForceDeleteWithoutRecovery");
    const days = count(input, "RecoveryWindowInDays", 0, Number.MAX_SAFE_INTEGER);
    if (force && days !== undefined) {
      throw invalidParameter(
        "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
      );
    }
    if (days !== undefined && (days < RECOVERY_DAYS.min || days > RECOVERY_DAYS.max)) {
      throw invalidParameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).");
    }
    if (force) return deleteAtOnce(context, id);

    const secret = context.store.get(id);
    if (secret.state.deletionAt !== undefined) {
      throw invalidRequest(
        "You can't perform this operation on the secret because it was already marked for deletion.",
      );
    }
    const now = context.now();
    const deletionAt = now + (days ?? RECOVERY_DAYS.otherwise) * DAY_MS;
    secret.change(now, { deletionAt });
    for (const versionId of secret.state.versions.keys()) {
      context.events.serviceEvent("StartSecretVersionDelete", secret.arn, { versionId });
    }
    return { ARN: secret.arn, Name: secret.name, DeletionDate: seconds(deletionAt) };
  };
}

export function restoreSecret(context: SecretsManagerContext): Operation {
  return ({ input }) => {
    const secret = context.store.get(requiredText(input, "SecretId"));
    if (secret.state.deletionAt !== undefined) {
      secret.change(context.now(), { deletionAt: undefined });
      for (const versionId of secret.state.versions.keys()) {
        context.events.serviceEvent("CancelSecretVersionDelete", secret.arn, { versionId });
      }
    }
    return { ARN: secret.arn, Name: secret.name };
  };
}

/** A forced deletion of a missing secret succeeds. */
function deleteAtOnce({ store, now }: SecretsManagerContext, id: string): object {
  const secret = store.find(id);
  if (secret === undefined) {
    if (id.startsWith("arn:")) throw resourceNotFound("Secrets Manager can't find the specified secret.");
    return { ARN: store.arnOf(id), Name: id, DeletionDate: seconds(now()) };
  }
  store.remove(secret);
  return { ARN: secret.arn, Name: secret.name, DeletionDate: seconds(now()) };
}
