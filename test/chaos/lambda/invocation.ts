import type { Context } from "aws-lambda";

export type Handler = (input: unknown, context: Context) => Promise<unknown>;

/** An asynchronous invocation, from the moment Lambda accepts the event until it is finished. */
export type Invocation = {
  readonly input: unknown;
  attempts: number;
  state: "waiting" | "running" | "succeeded" | "in the failure queue" | "gone with its stack";
};
