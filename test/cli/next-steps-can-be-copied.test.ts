import { expect, it } from "vitest";
import { nextSteps } from "../../cli/init/next-steps.ts";

it("starts each command with npx if npx started this one", () => {
  const commands =
    nextSteps({ clusters: ["blue"] }, { npm_command: "exec" }).match(/^ +.*secret-relay .*$/gm) ?? [];
  expect(commands).toHaveLength(3);
  for (const command of commands) expect(command).toMatch(/^ {2}npx secret-relay /);
});

it("names the package of a release if npx was told it, since the name alone works only in a clone", () => {
  const steps = nextSteps(
    { clusters: ["blue"] },
    { npm_command: "exec", npm_config_package: "./secret-relay-0.1.0.tgz" },
  );
  expect(steps).toMatch(/^ {2}npx --package \.\/secret-relay-0\.1\.0\.tgz secret-relay publish /m);
});

it("starts it with its own name if it is on the PATH", () => {
  const steps = nextSteps({ clusters: ["blue"] }, {});
  expect(steps).toMatch(/^ {2}secret-relay publish /m);
  expect(steps).not.toContain("npx");
});

it("names the cluster only if there are several", () => {
  expect(nextSteps({ clusters: ["blue"] }, {})).toContain("secret-relay rbac | kubectl apply -f -");
  expect(nextSteps({ clusters: ["blue", "green"] }, {})).toContain(
    "secret-relay rbac --cluster blue | kubectl apply -f -",
  );
});

it("deploys first, publishes last, and grants the permissions in the cluster in between", () => {
  const order = ["sam deploy", "secret-relay rbac", "secret-relay publish"];
  const steps = nextSteps({ clusters: ["blue"] }, {});
  const places = order.map((command) => steps.indexOf(command));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((one, other) => one - other));
});
