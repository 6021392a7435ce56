import { describe, expect, it } from "vitest";
import { parseRotationConfig } from "../../functions/rotation/config.ts";
import { ConfigurationError, environmentReader } from "../../shared/runtime/read-environment.ts";

const LIMITS = { min: 1, max: 64, otherwise: 8 };

describe("a setting", () => {
  it.each([
    { it: "that is absent has its default", text: undefined, want: 8 },
    {
      it: "that is empty has its default, because the template sets an omitted parameter to the empty string",
      text: "",
      want: 8,
    },
    { it: "at its lower limit is accepted", text: "1", want: 1 },
    { it: "at its upper limit is accepted", text: "64", want: 64 },
  ])("$it", ({ text, want }) => {
    const read = environmentReader(text === undefined ? {} : { N: text });
    expect(read.integer("N", LIMITS)).toBe(want);
    expect(() => read.check()).not.toThrow();
  });

  it.each(["0", "65", "-1", "1.5", "eight", "8 targets", "NaN", "Infinity"])(
    "that should be a number cannot be %j",
    (text) => {
      const read = environmentReader({ N: text });
      read.integer("N", LIMITS);
      expect(() => read.check()).toThrow("N must be an integer between 1 and 64");
    },
  );

  it.each([
    { text: undefined, want: false },
    { text: "", want: false },
    { text: "false", want: false },
    { text: "true", want: true },
    { text: "TRUE", want: true },
  ])("that is a flag is $want for $text", ({ text, want }) => {
    const read = environmentReader(text === undefined ? {} : { F: text });
    expect(read.flag("F")).toBe(want);
    expect(() => read.check()).not.toThrow();
  });

  it("that is a flag cannot be `yes`", () => {
    const read = environmentReader({ F: "yes" });
    read.flag("F");
    expect(() => read.check()).toThrow("F must be true or false");
  });
});

describe("the settings of the rotation function", () => {
  it("each have a default, except the place of the bindings", () => {
    expect(() => parseRotationConfig({})).toThrow("BINDINGS_BUCKET is missing");
    expect(parseRotationConfig({ BINDINGS_BUCKET: "bindings" })).toEqual({
      bindingsBucket: "bindings",
      relayName: "secret-relay",
      targetsAtOnce: 8,
      tokenLifeMs: 600_000,
      useFipsEndpoint: false,
      workQueueUrl: undefined,
      rolloutDeadlineMs: 1_800_000,
    });
  });

  it("take a local file instead of the bucket", () => {
    const config = parseRotationConfig({ BINDINGS_BUCKET: "bindings", BINDINGS_FILE: "bindings.yaml" });
    expect(config).toMatchObject({ bindingsFile: "bindings.yaml" });
    expect(config).not.toHaveProperty("bindingsBucket");
  });

  it("are all reported together if they are wrong, by name and without their values", () => {
    const parse = () =>
      parseRotationConfig({
        BINDINGS_BUCKET: "",
        TARGETS_AT_ONCE: "many",
        TOKEN_LIFE_MS: "900000",
        AWS_USE_FIPS_ENDPOINT: "canary-7f3a9c1e",
      });
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(
      /^Invalid environment variables \(4\): BINDINGS_BUCKET is missing; TARGETS_AT_ONCE .*; TOKEN_LIFE_MS .*; AWS_USE_FIPS_ENDPOINT /,
    );
    expect(parse).not.toThrow(/canary/);
  });
});
