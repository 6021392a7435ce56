import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { logThrough } from "../../shared/observability/log.ts";
import { measureThrough } from "../../shared/observability/measure.ts";
import { withMiddlewares } from "../../shared/observability/middlewares.ts";
import { acceptCall } from "./accept-call.ts";
import { webhookDependencies } from "./dependencies.ts";

const logger = new Logger();
const metrics = new Metrics();

/**
 * The webhook function. A vault or a pipeline calls its URL, and signs the call:
 *
 *   HTTP call -> size, shape, time -> signature -> id -> invocation of the rotation function -> 202
 *
 * What it needs is made here once, when Lambda starts the function, and handed over.
 */
const dependencies = await webhookDependencies(process.env, {
  log: logThrough(logger),
  measure: measureThrough(metrics),
});

export const handler = withMiddlewares(acceptCall(dependencies), logger, metrics);
