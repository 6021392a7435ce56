import type { Context } from "aws-lambda";

export type Handler = (input: unknown, context: Context) => Promise<unknown>;

/** An asynchronous invocation, from when Lambda has taken the event until it is done with it. */
export type Invocation = {
  readonly input: unknown;
  attempts: number;
  state: "waiting" | "running" | "succeeded" | "in the failure queue";
};
