import type { AddCommand } from "./cli.ts";
import { addBindings } from "./commands/bindings.ts";
import { addClaim } from "./commands/claim.ts";
import { addCompletion } from "./commands/completion.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addEvents } from "./commands/events.ts";
import { addHold } from "./commands/hold.ts";
import { addIam } from "./commands/iam.ts";
import { addImportEso } from "./commands/import-eso.ts";
import { addInit } from "./commands/init.ts";
import { addPlan } from "./commands/plan.ts";
import { addPublish } from "./commands/publish.ts";
import { addRbac } from "./commands/rbac.ts";
import { addRedrive } from "./commands/redrive.ts";
import { addReport } from "./commands/report.ts";
import { addSchema } from "./commands/schema.ts";
import { addStatus } from "./commands/status.ts";
import { addSweep } from "./commands/sweep.ts";
import { addSync } from "./commands/sync.ts";
import { addTrigger } from "./commands/trigger.ts";
import { addTune } from "./commands/tune.ts";
import { addValidate } from "./commands/validate.ts";
import { addVerify } from "./commands/verify.ts";

/** Every command, in the order of the help. */
export const COMMANDS: readonly AddCommand[] = [
  addInit,
  addValidate,
  addPublish,
  addBindings,
  addPlan,
  addStatus,
  addSync,
  addHold,
  addClaim,
  addTrigger,
  addSweep,
  addRbac,
  addIam,
  addDoctor,
  addVerify,
  addTune,
  addImportEso,
  addReport,
  addEvents,
  addRedrive,
  addSchema,
  addCompletion,
];
