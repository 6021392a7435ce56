import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { logThrough } from "../../shared/runtime/log.ts";
import { measureThrough } from "../../shared/runtime/metrics.ts";
import { withMiddlewares } from "../../shared/runtime/middlewares.ts";
import { acceptCall } from "./accept-call.ts";
import { webhookDependencies } from "./dependencies.ts";

const logger = new Logger();
const metrics = new Metrics();

/**
 * The webhook function. A vault or a pipeline calls its URL with a signed request:
 *
 *   HTTP call -> size, format, time -> signature -> id -> invocation of the rotation function -> 202
 */
const dependencies = await webhookDependencies(process.env, {
  log: logThrough(logger),
  measure: measureThrough(metrics),
});

export const handler = withMiddlewares(acceptCall(dependencies), logger, metrics);
