import { AwsError } from "./aws-error.ts";
import { type Operation, requiredText, text } from "./call.ts";

/** The code of a function: takes the payload and returns the response; a thrown error is the function's error. */
export type SandboxFunction = (payload: unknown) => unknown;

export type LambdaHome = { readonly partition: string; readonly region: string; readonly accountId: string };

/** The response of Invoke; its body is the function's result, not the JSON of an operation. */
export type InvokeResult = {
  readonly status: 200 | 202 | 204;
  readonly payload: string;
  readonly functionError?: "Unhandled";
};

export type Functions = {
  readonly operations: ReadonlyMap<string, Operation>;
  /** Registers a function and returns its ARN. */
  add(name: string, run: SandboxFunction): string;
  /** Resolves when every asynchronous invocation so far has ended. */
  settled(): Promise<void>;
};

/**
 * Invoke and GetFunctionConfiguration, for functions given as code. An asynchronous invocation runs immediately, and
 * once.
 */
export function createFunctions({ partition, region, accountId }: LambdaHome): Functions {
  const functions = new Map<string, SandboxFunction>();
  const running = new Set<Promise<unknown>>();
  const prefix = `arn:${partition}:lambda:${region}:${accountId}:function:`;

  const find = (nameOrArn: string): SandboxFunction => {
    const name = nameOrArn.startsWith(prefix) ? nameOrArn.slice(prefix.length) : nameOrArn;
    const found = functions.get(name);
    if (found !== undefined) return found;
    const arn = nameOrArn.startsWith("arn:") ? nameOrArn : prefix + nameOrArn;
    throw new AwsError("ResourceNotFoundException", `Function not found: ${arn}`, 404);
  };

  const invoke: Operation = ({ input }): InvokeResult | Promise<InvokeResult> => {
    const run = find(requiredText(input, "FunctionName"));
    const payload = parsePayload(text(input, "Payload") ?? "");
    switch (text(input, "InvocationType")) {
      case "DryRun":
        return { status: 204, payload: "" };
      case "Event": {
        const ended = Promise.resolve()
          .then(() => run(payload))
          .catch(() => {}); // Lambda reports it only in the function's log and destinations
        running.add(ended);
        void ended.then(() => running.delete(ended));
        return { status: 202, payload: "" };
      }
      default:
        return runNow(run, payload);
    }
  };

  const getConfiguration: Operation = ({ input }) => {
    const name = requiredText(input, "FunctionName");
    find(name);
    const FunctionName = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    return {
      FunctionName,
      FunctionArn: prefix + FunctionName,
      State: "Active",
      LastUpdateStatus: "Successful",
    };
  };

  return {
    operations: new Map<string, Operation>([
      ["Invoke", invoke],
      ["GetFunctionConfiguration", getConfiguration],
    ]),
    add: (name, run) => {
      functions.set(name, run);
      return prefix + name;
    },
    settled: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

async function runNow(run: SandboxFunction, payload: unknown): Promise<InvokeResult> {
  try {
    return { status: 200, payload: JSON.stringify((await run(payload)) ?? null) };
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    const told = { errorType: name, errorMessage: message, trace: (stack ?? "").split("\n") };
    return { status: 200, payload: JSON.stringify(told), functionError: "Unhandled" };
  }
}

function parsePayload(payload: string): unknown {
  try {
    return payload === "" ? {} : JSON.parse(payload);
  } catch {
    throw new AwsError(
      "InvalidRequestContentException",
      "Could not parse request body into json: Could not parse payload into json",
    );
  }
}
