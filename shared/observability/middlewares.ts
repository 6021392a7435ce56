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
 * What every function is wrapped in: Lambda's context in each log line, metrics written out at the end (also of a
 * failed invocation), and an end to errors that are not ours.
 */
export function withMiddlewares(handler: LambdaHandler, logger: Logger, metrics: Metrics): LambdaHandler {
  const wrapped = middy<unknown, unknown>()
    .use(logFailures(logger))
    // An event is never logged, whatever POWERTOOLS_LOGGER_LOG_EVENT says: a caller decides what stands in it.
    .use(injectLambdaContext(logger, { resetKeys: true, logEvent: false }))
    .use(logMetrics(metrics, { captureColdStartMetric: true }))
    .handler(handler) as unknown as LambdaHandler;
  // Outside middy, which makes an error of its own, with the raw one as its cause, when a middleware fails in turn.
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

// Lambda writes an error's message and stack to the log and puts them into the failure queue's record, and a library's
// message can hold a body. So what leaves is one of our errors, made anew for anything else, without its stack.
function printable(error: unknown): RelayError {
  const ours = error instanceof RelayError ? error : UnexpectedFault.from(error);
  ours.stack = `${ours.name}: ${ours.message}`;
  return ours;
}
