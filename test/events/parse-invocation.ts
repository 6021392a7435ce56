import { type Invocation, parseInvocation as parseAt } from "../../shared/events/parse-invocation.ts";

/** The time of the samples. */
export const SAMPLED_AT = Date.UTC(2026, 10, 20, 9, 15, 42);

/** As the function does it; by default one second after the time of the samples. */
export const parseInvocation = (input: unknown, now = SAMPLED_AT + 1_000): Invocation => parseAt(input, now);
