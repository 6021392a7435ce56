import { REFUSALS, type Refusal } from "../../shared/webhook/refusals.ts";

/** What a Function URL turns into an HTTP answer. */
export type HttpAnswer = {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** A rotation is on its way, or was for the same call before. */
export const ACCEPTED = answer(202, { code: "ACCEPTED" });

/** Nothing was done, and the fault is on this side. */
export const UNAVAILABLE = answer(
  503,
  { code: "UNAVAILABLE", message: "Nothing was done. Send it again." },
  { "retry-after": "5" },
);

/** One and the same for a signature that nobody made and an id that nobody has: neither tells of the other. */
const NOT_KNOWN = answer(401, {
  code: "CALL_REFUSED",
  message: "The signature or the id is not known here. The log of the webhook function says which.",
});

export function refusal(code: Refusal): HttpAnswer {
  const { status, advice } = REFUSALS[code];
  if (status === 401) return NOT_KNOWN;
  return answer(status, { code, message: advice }, status === 405 ? { allow: "POST" } : {});
}

/** A body that is signed and not understood. */
export function malformed(code: string, message: string): HttpAnswer {
  return answer(400, { code, message });
}

export function tooMany(retryAfterMs: number): HttpAnswer {
  const { status, advice } = REFUSALS.CALLS_TOO_MANY;
  const seconds = String(Math.ceil(retryAfterMs / 1_000));
  return answer(status, { code: "CALLS_TOO_MANY", message: advice }, { "retry-after": seconds });
}

function answer(
  statusCode: number,
  body: { readonly code: string; readonly message?: string },
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return {
    statusCode,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
    body: JSON.stringify(body),
  };
}
