import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Questions } from "../../cli/init/ask.ts";
import { findTargetProblem } from "../../cli/init/check-target.ts";
import { type InitOptions, runInit } from "../../cli/init/run-init.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { quietTerminal } from "../harness/run-cli.ts";
import type { TestSource } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const used = useBackend(startSandboxBackend);
const at = useScene(used);
let desk: Desk;
let sources: TestSource[];

beforeEach(async () => {
  desk = openDesk(used.backend);
  sources = [
    await at.scene.createSource("prod/db", '{"password":"canary-7f3a9c1e-first"}'),
    await at.scene.createSource("prod/cache", '{"password":"canary-7f3a9c1e-second"}'),
  ];
});
afterEach(async () => {
  used.backend.sandbox.aws.faults.clear();
  desk.close();
  for (const source of sources) await at.scene.deleteSource(source);
});

describe("a target that is typed", () => {
  const bound = [{ source: "prod/db", namespace: "shop", name: "db" }];

  it.each([
    ["shop/cache", undefined],
    [" shop/cache ", undefined],
    ["shop/my.cache", undefined],
    [
      "Shop/Cache",
      "Shop is not the name of a namespace: use lower-case letters, digits and hyphens, 63 at most. Did you mean shop/cache?",
    ],
    [
      "shop/Cache",
      "Cache is not the name of a Secret: use lower-case letters, digits, hyphens and dots, 253 at most. Did you mean shop/cache?",
    ],
    ["shop_eu/cache", "Did you mean shop-eu/cache?"],
    ["shop.eu/cache", "shop.eu is not the name of a namespace"],
    ["-shop/cache", "Did you mean shop/cache?"],
    [`${"a".repeat(64)}/cache`, "63 at most."],
    ["shop/a..b", "a..b is not the name of a Secret"],
    ["shop", "Enter namespace/name, such as shop/db."],
    ["shop/", "Enter namespace/name, such as shop/db."],
    ["main/shop/db", "Enter namespace/name, such as shop/db."],
    ["", "Enter namespace/name, such as shop/db."],
    ["shop/db", "shop/db is already the Secret of prod/db. Choose another name."],
  ])("is judged at once, with the reason: %s", (typed, problem) => {
    const found = findTargetProblem(typed, bound);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(problem);
  });
});

describe("options of init", () => {
  it.each([
    {
      it: "a cluster",
      words: ["--cluster", "sandbx", "--bind", "prod/db=shop/db"],
      says: "EKS has no cluster sandbx in eu-west-1. Did you mean sandbox?",
    },
    {
      it: "a secret",
      words: ["--bind", "prod/dv=shop/db"],
      says: "Secrets Manager has no secret prod/dv in eu-west-1. Did you mean prod/db?",
    },
    {
      it: "one of two secrets",
      words: ["--bind", "prod/db=shop/db", "nope/nope=shop/x"],
      says: "Secrets Manager has no secret nope/nope",
    },
    {
      it: "the name of a target",
      words: ["--bind", "prod/db=Shop/Cache"],
      says: "--bind prod/db=Shop/Cache: Shop is not the name of a namespace",
    },
    {
      it: "a target that is named twice",
      words: ["--bind", "prod/db=shop/db", "prod/cache=shop/db"],
      says: "already the Secret of prod/db",
    },
  ])("are checked before anything is written: $it", async ({ words, says }) => {
    const { exitCode, stderr } = await desk.run("init", ...words);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(says) });
    expect(existsSync(join(desk.folder, "bindings.yaml"))).toBe(false);
  });

  it("that cannot be checked are used, and the command says so", async () => {
    used.backend.sandbox.aws.faults.add({ kind: "accessDenied", match: { operation: ["ListClusters"] } });
    const { exitCode, stderr } = await desk.run("init", "--cluster", "other", "--bind", "prod/db=shop/db");
    expect(exitCode).toBe(0);
    expect(stderr).toContain("The clusters could not be checked.");
    expect(stderr).toContain("You lack the permission.");
  });
});

/** Answers in the place of a person. What is typed is checked as the prompt checks it. */
function answering(typed: readonly string[], { agrees = true, wantsCanary = false } = {}) {
  const told: { refused: string[]; questions: string[] } = { refused: [], questions: [] };
  const left = [...typed];
  const questions: Questions = {
    selectClusters: async (found) => found.slice(0, 1),
    selectSources: async (found) => found.filter((name) => name.startsWith("prod/")).toSorted(),
    nameTarget: async (_source, suggested, findProblem) => {
      for (;;) {
        const answer = left.shift() ?? suggested;
        const problem = findProblem(answer);
        if (problem === undefined) return answer;
        told.refused.push(problem);
      }
    },
    addCanary: async () => wantsCanary,
    confirm: async (question) => {
      told.questions.push(question);
      return agrees;
    },
  };
  return { answers: questions, told };
}

describe("a person at a terminal", () => {
  let messages: string[];
  const init = (questions: Questions, options: InitOptions = {}) => {
    messages = [];
    const terminal = { ...quietTerminal(), say: (text: string) => void messages.push(text) };
    const cli = {
      terminal,
      env: {},
      cwd: desk.folder,
      now: Date.now,
      wait: used.backend.clock.advance,
      readStdin: async () => "",
    };
    return runInit(cli, options, questions).then(
      () => "written",
      (error: Error) => error.message,
    );
  };

  it("sees account and Region first, then what will be written, and confirms it", async () => {
    const { answers, told } = answering(["shop/cache", "shop/db"]);
    expect(await init(answers)).toBe("written");
    expect(messages[0]).toMatch(/^Account 111122223333, Region eu-west-1, as arn:/);
    const preview = messages.join("\n");
    expect(preview).toContain("namespace: shop");
    expect(preview).toContain('"AccessEntryClusterName=sandbox"');
    expect(told.questions).toEqual(["Write bindings.yaml and samconfig.toml?"]);
    expect(desk.read("bindings.yaml")).toContain("name: cache");
  });

  it("is offered a canary, which is previewed like any other binding and kept by the command to continue", async () => {
    const { answers } = answering(["shop/cache", "shop/db"], { wantsCanary: true, agrees: false });
    expect(await init(answers)).toBe("Nothing was written.");
    const preview = messages.join("\n");
    expect(preview).toContain("source: secret-relay/canary");
    expect(preview).toContain(":secret:secret-relay/canary-??????");
    expect(messages.at(-1)).toContain("--canary --bind 'prod/cache=shop/cache' 'prod/db=shop/db'");
  });

  it("is asked again for a name that is refused, with the reason", async () => {
    const { answers, told } = answering(["Shop/Cache", "shop", "shop/cache", "shop/cache", "shop/db"]);
    expect(await init(answers)).toBe("written");
    expect(told.refused).toHaveLength(3);
    expect(told.refused[0]).toContain("Did you mean shop/cache?");
    expect(told.refused[2]).toContain("already the Secret of prod/cache");
  });

  it("is asked before files are overwritten, and keeps files and answers by saying no", async () => {
    desk.write("samconfig.toml", "mine");
    const { answers, told } = answering(["shop/cache", "shop/db"], { agrees: false });
    expect(await init(answers)).toBe("Nothing was written.");
    expect(told.questions).toEqual(["Overwrite samconfig.toml?"]);
    expect(desk.read("samconfig.toml")).toBe("mine");
    expect(existsSync(join(desk.folder, "bindings.yaml"))).toBe(false);
    expect(messages.at(-1)).toBe(
      "Your answers, to continue from: secret-relay init --cluster sandbox --bind 'prod/cache=shop/cache' 'prod/db=shop/db'",
    );
  });

  it("with bindings.yaml and samconfig.toml, sees the new samconfig.toml, and keeps both by saying no", async () => {
    desk.writeBindings([{ source: "prod/db", targets: [{ namespace: "shop", name: "db" }] }]);
    desk.write("samconfig.toml", "mine");
    const before = desk.read("bindings.yaml");
    const { answers, told } = answering([], { agrees: false });
    expect(await init(answers)).toBe("Nothing was written.");
    expect(messages.join("\n")).toContain(":secret:prod/db-??????");
    expect(told.questions).toEqual(["Overwrite samconfig.toml?"]);
    expect([desk.read("bindings.yaml"), desk.read("samconfig.toml")]).toEqual([before, "mine"]);
  });

  it("keeps the answers if a file cannot be written", async () => {
    const { answers } = answering(["shop/cache", "shop/db"]);
    desk.write("samconfig.toml", "mine");
    chmodSync(desk.folder, 0o500);
    const isRoot = process.getuid?.() === 0;
    const result = await init(answers);
    chmodSync(desk.folder, 0o700);
    if (!isRoot) expect(result).toContain("cannot be written");
    if (!isRoot) expect(messages.at(-1)).toContain("--bind 'prod/cache=shop/cache' 'prod/db=shop/db'");
  });

  it("keeps the answers that were given before a prompt was cancelled", async () => {
    const { answers } = answering(["shop/cache"]);
    let asked = 0;
    const cancelled: Questions = {
      ...answers,
      nameTarget: async (...args) => {
        asked += 1;
        if (asked === 2) throw new Error("cancelled");
        return answers.nameTarget(...args);
      },
    };
    expect(await init(cancelled)).toBe("cancelled");
    expect(messages.at(-1)).toBe(
      "Your answers, to continue from: secret-relay init --cluster sandbox --bind 'prod/cache=shop/cache'",
    );
  });
});
