// Serves one execution environment of a function to LocalStack: it takes invocations one after another, in the way of
// the program that LocalStack starts in its containers. Runs with the function's own environment, in its own folder.
import { createServer } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const env = process.env;
const home = env.LOCALSTACK_RUNTIME_ENDPOINT;

const lines = [];
for (const stream of [process.stdout, process.stderr]) {
  const write = stream.write.bind(stream);
  stream.write = (chunk, ...rest) => {
    lines.push(String(chunk));
    return write(chunk, ...rest);
  };
}

const post = async (path, body) => {
  const response = await fetch(`${home}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body ?? null),
  });
  if (!response.ok) throw new Error(`LocalStack answered ${response.status} at ${path}`);
};

const printError = (error) => ({
  errorType: error?.name ?? "Error",
  errorMessage: error?.message ?? String(error),
  stackTrace: String(error?.stack ?? "").split("\n"),
});

const contextOf = (id, arn) => {
  const endsAt = Date.now() + Number(env.AWS_LAMBDA_FUNCTION_TIMEOUT) * 1_000;
  return {
    awsRequestId: id,
    invokedFunctionArn: arn,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, endsAt - Date.now()),
  };
};

async function invoke({ "invoke-id": id, "invoked-function-arn": arn, payload }) {
  const [path, body] = await handler(JSON.parse(payload), contextOf(id, arn)).then(
    (answer) => ["response", answer],
    (error) => ["error", printError(error)],
  );
  await post(`/invocations/${id}/logs`, { logs: lines.splice(0).join("") });
  await post(`/invocations/${id}/${path}`, body);
}

const [file, name] = env._HANDLER.split(".");
let handler;
try {
  ({ [name]: handler } = await import(pathToFileURL(join(env.LAMBDA_TASK_ROOT, `${file}.mjs`)).href));
} catch (error) {
  await post(`/status/${env.LOCALSTACK_RUNTIME_ID}/error`, printError(error));
  process.exit(1);
}

const server = createServer(async (request, response) => {
  const invocation = await json(request);
  response.end();
  await invoke(invocation);
});
server.listen(Number(env.FUNCTION_PORT), "127.0.0.1", () =>
  post(`/status/${env.LOCALSTACK_RUNTIME_ID}/ready`),
);
