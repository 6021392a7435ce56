import type { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import type { Metrics } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { RelayError, UnexpectedFault } from "../relay-error.ts";
import { logThrough } from "./log.ts";

export type LambdaHandler = (event: unknown, context: Context) => Promise<unknown>;

/**
 * Adds Lambda's context to each log line, writes metrics at the end (also of a failed invocation), and replaces errors
 * that are not ours.
 */
export function withMiddlewares(handler: LambdaHandler, logger: Logger, metrics: Metrics): LambdaHandler {
  const wrapped = middy<unknown, unknown>()
    .use(logFailures(logger))
    // Never log an event, not even with POWERTOOLS_LOGGER_LOG_EVENT: it may hold a secret.
    .use(injectLambdaContext(logger, { resetKeys: true, logEvent: false }))
    .use(logMetrics(metrics))
    .handler(handler) as unknown as LambdaHandler;
  // Outside middy: if a middleware fails, middy throws its own error with the raw one as its cause.
  return async (event, context) => {
    try {
      return await wrapped(event, context);
    } catch (error) {
      throw printable(error);
    }
  };
}

function logFailures(logger: Logger): middy.MiddlewareObj<unknown, unknown> {
  const log = logThrough(logger);
  return {
    onError: (request) => {
      const error = printable(request.error);
      log("INVOCATION_FAILED", { code: error.code, advice: error.message });
      request.error = error;
    },
  };
}

// Lambda writes an error's message and stack to the log and to the failure queue, and a library's message can hold a
// request body. So only our errors leave, without a stack, and any other error is replaced.
function printable(error: unknown): RelayError {
  const ours = error instanceof RelayError ? error : UnexpectedFault.from(error);
  ours.stack = `${ours.name}: ${ours.message}`;
  return ours;
}
