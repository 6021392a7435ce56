import type { DesiredSecret } from "../render/render-secret.ts";

/** Days until the first certificate in the Secret expires; empty without a certificate. */
export function expiryOf(
  { certificateExpiresAt }: Pick<DesiredSecret, "certificateExpiresAt">,
  now: number,
): { certificateExpiresInDays?: number } {
  return certificateExpiresAt === undefined
    ? {}
    : { certificateExpiresInDays: Math.floor((certificateExpiresAt - now) / DAY_MS) };
}

const DAY_MS = 86_400_000;
