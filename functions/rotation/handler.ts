import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { logThrough } from "../../shared/observability/log.ts";
import { measureThrough } from "../../shared/observability/measure.ts";
import { withMiddlewares } from "../../shared/observability/middlewares.ts";
import { rotationDependencies } from "./dependencies.ts";
import { followRotation } from "./follow-rotation.ts";

const logger = new Logger();
const metrics = new Metrics();

/**
 * The rotation function. A source's AWSCURRENT label moved, and EventBridge says so:
 *
 *   event -> SecretChange -> bindings -> live Secrets -> AWSCURRENT -> desired -> plan -> apply -> outcome
 *
 * What it needs is made here once, when Lambda starts the function, and handed over.
 */
const dependencies = await rotationDependencies(process.env, {
  log: logThrough(logger),
  measure: measureThrough(metrics),
});
await dependencies.warmUp();

export const handler = withMiddlewares(followRotation(dependencies), logger, metrics);
