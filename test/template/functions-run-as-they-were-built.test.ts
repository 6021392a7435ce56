import { describe, expect, it } from "vitest";
import { parseReconcileConfig } from "../../functions/reconcile/config.ts";
import { parseRotationConfig } from "../../functions/rotation/config.ts";
import { parseWebhookConfig } from "../../functions/webhook/config.ts";
import { LAMBDA_ENV } from "../harness/start-lambda-process.ts";
import { deploy, WITH_WEBHOOK } from "./deploy.ts";
import { calledByUrl, ofType, template } from "./template.ts";

const functions = ofType("AWS::Serverless::Function");
const globals = template.Globals.Function;
const environmentOf = (id: string, parameters: Record<string, string | number> = {}) => {
  const shared = globals.Environment as { Variables: Record<string, unknown> };
  const own = template.Resources[id]?.Properties.Environment as typeof shared;
  const textOf = (value: unknown) => {
    if (typeof value === "string") return value;
    const {
      Ref: name,
      "Fn::GetAtt": attribute,
      "Fn::If": choice,
    } = value as { Ref: string; "Fn::GetAtt"?: string[]; "Fn::If"?: [string, { Ref: string }, unknown] };
    if (choice !== undefined) return `<${choice[1].Ref}>`; // by default
    if (attribute !== undefined) return `<${attribute.join(".")}>`;
    if (name in template.Resources) return `<${name}>`;
    return String(parameters[name] ?? template.Parameters[name]?.Default);
  };
  const variables = Object.entries({ ...shared.Variables, ...own.Variables });
  return Object.fromEntries(variables.map(([name, value]) => [name, textOf(value)]));
};

/** Has no default. */
const NEEDED = { BINDINGS_BUCKET: "<BindingsBucket>" };

it("the template has functions", () => expect(functions.length).toBeGreaterThan(0));

it("every function runs on Node.js 24, on arm64 by default", () => {
  expect(globals.Runtime).toBe("nodejs24.x");
  expect(globals.Architectures).toEqual([{ Ref: "Architecture" }]);
  expect(template.Parameters.Architecture?.Default).toBe("arm64");
});

it("every function logs JSON at a level that includes metrics", () => {
  expect(globals.LoggingConfig).toMatchObject({
    LogFormat: "JSON",
    ApplicationLogLevel: { Ref: "LogLevel" },
  });
  // Lambda treats a metric as a line of level INFO, and drops it at a higher level.
  expect(template.Parameters.LogLevel?.AllowedValues).toEqual(["INFO", "DEBUG"]);
});

describe.each(functions)("%s", (id, fn) => {
  it("deploys the output of the build unchanged", () => {
    expect(fn.Properties.CodeUri).toMatch(/^dist\/[a-z]+\/$/);
    expect(fn.Properties.Handler).toBe("handler.handler");
    // No BuildMethod, no SkipBuild; the settings of linters are not for SAM.
    expect(
      Object.keys(fn.Metadata ?? {}).filter((key) => !["checkov", "controlTower"].includes(key)),
    ).toEqual([]);
  });

  it("uses the runtime of Globals", () => {
    expect(fn.Properties).not.toHaveProperty("Runtime");
    expect(fn.Properties).not.toHaveProperty("Architectures");
  });

  it("is described", () => expect(fn.Properties.Description).toMatch(/\w/));

  it("has its own role, so that SAM adds no permission", () => {
    expect(fn.Properties.Role).toMatchObject({ "Fn::GetAtt": [expect.stringMatching(/Role$/), "Arn"] });
    expect(fn.Properties).not.toHaveProperty("Policies");
  });

  it("logs to a log group of this stack with a retention period", () => {
    const { LogGroup } = fn.Properties.LoggingConfig as { LogGroup: { Ref: string } };
    const group = template.Resources[LogGroup.Ref];
    expect(group?.Type).toBe("AWS::Logs::LogGroup");
    expect(group?.Properties.RetentionInDays).toEqual({ Ref: "LogRetentionDays" });
  });

  it("joins a VPC when both subnets and security groups are given", () => {
    const given = { VpcSubnetIds: "subnet-0a,subnet-0b", VpcSecurityGroupIds: "sg-0a", ...WITH_WEBHOOK };
    const within = { SubnetIds: ["subnet-0a", "subnet-0b"], SecurityGroupIds: ["sg-0a"] };
    // A function with a URL calls no cluster, and gets no route to one.
    expect(deploy(given).resources[id]?.Properties.VpcConfig).toEqual(
      calledByUrl.has(id) ? undefined : within,
    );
    expect(deploy(WITH_WEBHOOK).resources[id]?.Properties).not.toHaveProperty("VpcConfig");
  });

  it("has bounded concurrency: by an optional reservation, or by its event source", () => {
    const parameter = calledByUrl.has(id) ? "WebhookReservedConcurrency" : "ReservedConcurrency";
    const reserved = (most: string) =>
      deploy({ [parameter]: most, ...WITH_WEBHOOK }).resources[id]?.Properties.ReservedConcurrentExecutions;
    const sources = (Object.values(fn.Properties.Events ?? {}) as { Type: string }[]).filter(
      (event) => event.Type === "SQS",
    );
    expect(reserved("")).toBeUndefined();
    // A reservation below the event source's own bound has Lambda throttle messages into their dead-letter queue.
    if (sources.length === 0) expect(reserved("20")).toBe("20");
    else expect(reserved("20")).toBeUndefined();
  });
});

it("each function has its own name in metrics and logs", () => {
  const names = functions.map(([id]) => environmentOf(id).POWERTOOLS_SERVICE_NAME);
  expect(names).toEqual(
    functions.map(([, fn]) => /^dist\/([a-z]+)\/$/.exec(String(fn.Properties.CodeUri))?.[1]),
  );
  expect(new Set(names).size).toBe(functions.length);
});

describe("the rotation function's environment", () => {
  it("has the variables that the code and Powertools read", () => {
    expect(environmentOf("RotationFunction")).toEqual({
      POWERTOOLS_SERVICE_NAME: "rotation",
      POWERTOOLS_METRICS_NAMESPACE: "SecretRelay",
      LOG_LEVEL: "INFO",
      RELAY_NAME: "secret-relay",
      BINDINGS_BUCKET: "<BindingsBucket>",
      TARGETS_AT_ONCE: "8",
      AWS_USE_FIPS_ENDPOINT: "false",
      WORK_QUEUE_URL: "<WorkQueue>",
      ROLLOUT_DEADLINE_SECONDS: "1800",
    });
  });

  it("has the defaults of the code, and a queue", () => {
    expect(parseRotationConfig(environmentOf("RotationFunction"))).toEqual({
      ...parseRotationConfig(NEEDED),
      workQueueUrl: "<WorkQueue>",
    });
  });

  it.each(["MinValue", "MaxValue"] as const)("accepts the %s of every parameter", (limit) => {
    expect(() => parseRotationConfig(environmentOf("RotationFunction", limits(limit)))).not.toThrow();
  });
});

describe("the reconcile function's environment", () => {
  it("has the variables that the code, Node and Powertools read", () => {
    expect(environmentOf("ReconcileFunction")).toEqual({
      NODE_OPTIONS: LAMBDA_ENV.NODE_OPTIONS, // the bench and the tests of memory measure with it
      POWERTOOLS_SERVICE_NAME: "reconcile",
      POWERTOOLS_METRICS_NAMESPACE: "SecretRelay",
      LOG_LEVEL: "INFO",
      RELAY_NAME: "secret-relay",
      BINDINGS_BUCKET: "<BindingsBucket>",
      TARGETS_AT_ONCE: "4",
      AWS_USE_FIPS_ENDPOINT: "false",
      WORK_QUEUE_URL: "<WorkQueue>",
      ROLLOUT_DEADLINE_SECONDS: "1800",
      SHARD_BINDINGS_MAX: "1000",
      DELETIONS_SHARE_MAX_PERCENT: "10",
      DELETION_GRACE_MINUTES: "1440",
    });
  });

  it("has the defaults of the code, except a lower concurrency per cluster, and a queue", () => {
    expect(parseReconcileConfig(environmentOf("ReconcileFunction"))).toEqual({
      ...parseReconcileConfig(NEEDED),
      targetsAtOnce: 4,
      workQueueUrl: "<WorkQueue>",
    });
  });

  it.each(["MinValue", "MaxValue"] as const)("accepts the %s of every parameter", (limit) => {
    expect(() => parseReconcileConfig(environmentOf("ReconcileFunction", limits(limit)))).not.toThrow();
  });

  it("has its own memory size and timeout", () => {
    const { MemorySize, Timeout } = deploy().resources.ReconcileFunction?.Properties ?? {};
    expect({ MemorySize, Timeout }).toEqual({ MemorySize: 512, Timeout: 300 });
    expect(deploy({ SweepTimeoutSeconds: 900 }).resources.ReconcileFunction?.Properties.Timeout).toBe(900);
  });
});

describe("the webhook function", () => {
  it("has an environment with the variables that the code and Powertools read", () => {
    expect(environmentOf("WebhookFunction", WITH_WEBHOOK)).toEqual({
      POWERTOOLS_SERVICE_NAME: "webhook",
      POWERTOOLS_METRICS_NAMESPACE: "SecretRelay",
      LOG_LEVEL: "INFO",
      RELAY_NAME: "secret-relay",
      BINDINGS_BUCKET: "<BindingsBucket>",
      TARGETS_AT_ONCE: "8", // from Globals, not read
      AWS_USE_FIPS_ENDPOINT: "false",
      WEBHOOK_KEY_SECRET_ARN: WITH_WEBHOOK.WebhookKeySecretArn,
      WEBHOOK_CALLS_PER_MINUTE: "60",
      ROTATION_FUNCTION_ARN: "<RotationFunction.Arn>",
    });
  });

  it("has the defaults of the code", () => {
    const needed = { ...NEEDED, WEBHOOK_KEY_SECRET_ARN: "a secret", ROTATION_FUNCTION_ARN: "a function" };
    const { callsPerMinute } = parseWebhookConfig(environmentOf("WebhookFunction", WITH_WEBHOOK));
    expect(callsPerMinute).toBe(parseWebhookConfig(needed).callsPerMinute);
  });

  it.each(["MinValue", "MaxValue"] as const)("accepts the %s of every parameter", (limit) => {
    const parameters = { ...limits(limit), ...WITH_WEBHOOK };
    expect(() => parseWebhookConfig(environmentOf("WebhookFunction", parameters))).not.toThrow();
  });

  it("responds before a sender times out, and has a concurrency limit by default", () => {
    const { Timeout, MemorySize, ReservedConcurrentExecutions } =
      deploy(WITH_WEBHOOK).resources.WebhookFunction?.Properties ?? {};
    expect({ Timeout, MemorySize, ReservedConcurrentExecutions }).toEqual({
      Timeout: 10,
      MemorySize: 256,
      ReservedConcurrentExecutions: "5",
    });
  });
});

/** Every parameter that has such a limit, at it. */
function limits(limit: "MinValue" | "MaxValue"): Record<string, number> {
  return Object.fromEntries(
    Object.entries(template.Parameters).flatMap(([name, parameter]) => {
      const value = (parameter as { MinValue?: number; MaxValue?: number })[limit];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
