import { inspect } from "node:util";
import { afterAll, beforeAll, expect } from "vitest";
import { findTraces } from "../harness/canary.ts";

// A setup file of every test file: it searches all output of a test and its code for canaries at the end, so
// that a value printed by a test of something else fails the file.

let printed = "";

const outputs = [process.stdout, process.stderr];
const writes = outputs.map(({ write }) => write);
const methods = ["log", "info", "warn", "error", "debug", "trace"] as const;
const kept = methods.map((method) => console[method]);

beforeAll(() => {
  for (const [index, output] of outputs.entries()) {
    output.write = (...args: unknown[]) => {
      printed += typeof args[0] === "string" ? args[0] : Buffer.from(args[0] as Uint8Array).toString("utf8");
      return Reflect.apply(writes[index] ?? (() => true), output, args);
    };
  }
  for (const [index, method] of methods.entries()) {
    console[method] = (...parts: unknown[]) => {
      printed += `${parts.map((part) => inspect(part, { depth: null, showHidden: true })).join(" ")}\n`;
      kept[index]?.apply(console, parts);
    };
  }
});

afterAll(() => {
  for (const [index, output] of outputs.entries()) output.write = writes[index] ?? output.write;
  for (const [index, method] of methods.entries()) console[method] = kept[index] ?? console[method];
  expect(findTraces(printed), "a secret value was printed by a test of this file").toEqual([]);
});
