import { describe, expect, it } from "vitest";
import { loadBindings } from "../../shared/bindings/load-bindings.ts";
import { problemsOf, withBindings } from "./bindings-text.ts";

const target = (more: string) =>
  withBindings(`  - source: prod/db\n    targets: [{ namespace: shop, name: db${more} }]\n`);
const compiled = (more: string) => loadBindings(target(more), "bindings.yaml").bindings[0];
const rule = { delaySeconds: 0, order: "together", minimumIntervalSeconds: 0 };

describe("a target", () => {
  it.each([
    { it: "auto", yaml: "auto", want: { ...rule, workloads: "auto" } },
    {
      it: "a list",
      yaml: "[{ kind: Deployment, name: a }, { kind: Rollout, name: a }]",
      want: {
        ...rule,
        workloads: [
          { kind: "Deployment", name: "a" },
          { kind: "Rollout", name: "a" },
        ],
      },
    },
    {
      it: "a map with options",
      yaml: "{ workloads: auto, delaySeconds: 5, order: sequence, minimumIntervalSeconds: 60 }",
      want: { workloads: "auto", delaySeconds: 5, order: "sequence", minimumIntervalSeconds: 60 },
    },
  ])("accepts restart as $it", ({ yaml, want }) => {
    expect(compiled(`, restart: ${yaml}`)?.restart).toEqual(want);
  });

  it("accepts nudge and events, and omits them if they are false", () => {
    expect(compiled(", nudge: true, events: true")).toMatchObject({ nudge: true, events: true });
    expect(compiled(", nudge: false, events: false")).toEqual(compiled(""));
    expect(compiled("")).not.toHaveProperty("restart");
  });

  it("has the same fingerprint without them, because the Secret is the same", () => {
    expect(compiled(", restart: auto, nudge: true")?.fingerprint).toBe(compiled("")?.fingerprint);
  });

  it.each([
    { yaml: "restart: all", says: /only value that is possible here is auto/ },
    { yaml: "restart: []", says: /empty/ },
    { yaml: "restart: {}", says: /workloads is missing/ },
    { yaml: "restart: [{ kind: Job, name: a }]", says: /none of the values/ },
    { yaml: "restart: [{ kind: Deployment, name: A }]", says: /A workload's name/ },
    { yaml: "restart: [{ kind: Deployment }]", says: /name is missing/ },
    { yaml: "restart: { workloads: auto, delaySeconds: 31 }", says: /maximum here is 30/ },
    { yaml: "restart: { workloads: auto, delaySeconds: 1.5 }", says: /whole number/ },
    { yaml: "restart: { workloads: auto, order: random }", says: /none of the values/ },
    { yaml: "restart: { workloads: auto, minimumInterval: 1 }", says: /no setting/ },
    {
      yaml: "restart: [{ kind: Deployment, name: a }, { kind: Deployment, name: a }]",
      says: /The list has the "Deployment" "a" twice/,
    },
    { yaml: "nudge: yes please", says: /true or false/i },
  ])("is refused with a reason: $yaml", ({ yaml, says }) => {
    const problems = problemsOf(target(`, ${yaml}`));

    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(says);
  });
});
