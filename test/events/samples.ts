import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const EVENTS = join(import.meta.dirname, "../../events");

/** A fresh copy of one sample: "sns-in-sqs.json", "rejected/scheduler.json". */
export function sample(file: string): unknown {
  return JSON.parse(readFileSync(join(EVENTS, file), "utf8"));
}

/** The samples for the function that follows events; events/webhook/ are those of another function. */
export function sampleFiles(): readonly string[] {
  const files = readdirSync(EVENTS, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".json") && !file.startsWith("webhook")).sort();
}
