import { REFUSALS, type Refusal } from "./refusals.ts";

/** The response format of a Function URL. */
export type HttpAnswer = {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** The rotation function was invoked for this call, now or earlier. */
export const ACCEPTED = answer(202, { code: "ACCEPTED" });

/** The relay failed, and nothing was done. */
export const UNAVAILABLE = answer(
  503,
  { code: "UNAVAILABLE", message: "Nothing was done. Send the call again." },
  { "retry-after": "5" },
);

/** The same response for an unknown signature and an unbound id, so that it reveals neither. */
const NOT_KNOWN = answer(401, {
  code: "CALL_REFUSED",
  message: "The signature or the id is unknown. The log of the webhook function shows which one.",
});

export function refusal(code: Refusal): HttpAnswer {
  const { status, advice } = REFUSALS[code];
  if (status === 401) return NOT_KNOWN;
  return answer(status, { code, message: advice }, status === 405 ? { allow: "POST" } : {});
}

/** The body is signed but invalid. */
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
