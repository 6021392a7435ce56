import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { logThrough } from "../../shared/runtime/log.ts";
import { measureThrough } from "../../shared/runtime/metrics.ts";
import { withMiddlewares } from "../../shared/runtime/middlewares.ts";
import { openRotation } from "./dependencies.ts";
import { followRotation } from "./follow-rotation.ts";

const logger = new Logger();
const metrics = new Metrics();

/**
 * The rotation function. EventBridge invokes it when a source's AWSCURRENT label moved:
 *
 *   event -> SecretChange -> bindings -> live Secrets -> AWSCURRENT -> desired -> verdict -> apply -> outcome
 */
const rotation = await openRotation(process.env, {
  log: logThrough(logger),
  measure: measureThrough(metrics),
});
await rotation.warmUp();

export const handler = withMiddlewares(followRotation(rotation), logger, metrics);
