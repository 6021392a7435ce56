import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { logThrough } from "../../shared/runtime/log.ts";
import { measureThrough } from "../../shared/runtime/metrics.ts";
import { withMiddlewares } from "../../shared/runtime/middlewares.ts";
import { openReconcile } from "./dependencies.ts";
import { reconcile } from "./reconcile.ts";

const logger = new Logger();
const metrics = new Metrics();

/**
 * The reconcile function. On a schedule it compares every bound Secret with its source and repairs drift:
 *
 *   bindings -> versions of the sources -> metadata of the Secrets -> findings -> repairs -> report
 */
const open = await openReconcile(process.env, {
  log: logThrough(logger),
  measure: measureThrough(metrics),
});

export const handler = withMiddlewares(reconcile(open), logger, metrics);
