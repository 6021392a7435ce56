import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { logThrough } from "../../shared/observability/log.ts";
import { measureThrough } from "../../shared/observability/measure.ts";
import { withMiddlewares } from "../../shared/observability/middlewares.ts";
import { reconcileDependencies } from "./dependencies.ts";
import { reconcile } from "./reconcile.ts";

const logger = new Logger();
const metrics = new Metrics();

/**
 * The reconcile function. On a schedule it compares every bound Secret with its source, and repairs what differs:
 *
 *   bindings -> versions of the sources -> metadata of the Secrets -> findings -> repairs -> report
 *
 * What it needs is made here once, when Lambda starts the function, and handed over.
 */
const dependencies = await reconcileDependencies(process.env, {
  log: logThrough(logger),
  measure: measureThrough(metrics),
});

export const handler = withMiddlewares(reconcile(dependencies), logger, metrics);
