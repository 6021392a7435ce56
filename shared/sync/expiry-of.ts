import type { DesiredSecret } from "../render/render-secret.ts";

/** How long the first of a Secret's certificates to run out has left; nothing where it has none. */
export function expiryOf(
  { certificateExpiresAt }: Pick<DesiredSecret, "certificateExpiresAt">,
  now: number,
): { certificateExpiresInDays?: number } {
  return certificateExpiresAt === undefined
    ? {}
    : { certificateExpiresInDays: Math.floor((certificateExpiresAt - now) / DAY_MS) };
}

const DAY_MS = 86_400_000;
