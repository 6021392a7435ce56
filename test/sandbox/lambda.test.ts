import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type AwsSandbox, startAwsSandbox } from "../../sandbox/aws/start-aws-sandbox.ts";
import { credentialsOf } from "../harness/aws-clients.ts";

// moto runs functions in containers, so Invoke is tried on the sandbox alone, by the SDK's own client.

let aws: AwsSandbox;
let client: LambdaClient;
const invoked: unknown[] = [];

beforeAll(async () => {
  aws = await startAwsSandbox();
  const { region, endpoint } = aws;
  client = new LambdaClient({ region, endpoint, credentials: credentialsOf(aws), maxAttempts: 1 });
  aws.addFunction("echo", async (payload) => {
    invoked.push(payload);
    return { got: payload };
  });
  aws.addFunction("broken", () => {
    throw new TypeError("out of order");
  });
});
afterAll(async () => {
  client.destroy();
  await aws.stop();
});

const invoke = async (FunctionName: string, payload: object, InvocationType?: "Event" | "DryRun") => {
  const more = InvocationType === undefined ? {} : { InvocationType };
  const answer = await client.send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload), ...more }),
  );
  const text = answer.Payload?.transformToString() ?? "";
  return {
    status: answer.StatusCode,
    error: answer.FunctionError,
    payload: text === "" ? undefined : JSON.parse(text),
  };
};

it("invokes a function by name or ARN, and returns its result", async () => {
  const answer = { status: 200, error: undefined, payload: { got: { a: 1 } } };
  expect(await invoke("echo", { a: 1 })).toEqual(answer);
  expect(await invoke("arn:aws:lambda:eu-west-1:111122223333:function:echo", { a: 1 })).toEqual(answer);
});

it("answers 200 and marks the error when the function threw", async () => {
  const answer = await invoke("broken", {});

  expect(answer).toMatchObject({ status: 200, error: "Unhandled" });
  expect(answer.payload).toMatchObject({ errorType: "TypeError", errorMessage: "out of order" });
});

it("runs an asynchronous invocation after it was accepted, and reports nothing to the caller at its end", async () => {
  invoked.length = 0;
  expect(await invoke("echo", { b: 2 }, "Event")).toEqual({
    status: 202,
    error: undefined,
    payload: undefined,
  });
  expect(await invoke("broken", {}, "Event")).toMatchObject({ status: 202, error: undefined });
  await aws.invocationsSettled();

  expect(invoked).toEqual([{ b: 2 }]);
});

it("runs nothing in a dry run", async () => {
  invoked.length = 0;
  expect(await invoke("echo", {}, "DryRun")).toMatchObject({ status: 204 });
  expect(invoked).toEqual([]);
});

it("refuses a function that does not exist, and what a fault refuses", async () => {
  await expect(invoke("gone", {})).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  const fault = aws.faults.add({ match: { service: "lambda" }, kind: "accessDenied" });
  await expect(invoke("echo", {})).rejects.toMatchObject({ name: "AccessDeniedException" });
  fault.remove();
  aws.faults.add({ match: { service: "lambda" }, kind: "throttle", times: 1 });
  await expect(invoke("echo", {})).rejects.toMatchObject({ name: "TooManyRequestsException" });
});
