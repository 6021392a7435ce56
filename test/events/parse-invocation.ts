import { type Invocation, parseInvocation as parseAt } from "../../shared/events/parse-invocation.ts";

/** When the samples happened. */
export const SAMPLED_AT = Date.UTC(2026, 10, 20, 9, 15, 42);

/** As the function does it, unless a test says otherwise a second after the samples happened. */
export const parseInvocation = (input: unknown, now = SAMPLED_AT + 1_000): Invocation => parseAt(input, now);
