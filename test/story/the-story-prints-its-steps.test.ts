import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// Runs `node sandbox/story.ts` as npm start does, in child processes; each takes a few seconds.

/** Scripts rely on these names and their order. */
const STEPS = [
  "rotation",
  "dropped-event",
  "tampering",
  "expired-credentials",
  "forced-sync",
  "eso-trigger",
  "publish",
  "rollout",
];
const STORY = fileURLToPath(new URL("../../sandbox/story.ts", import.meta.url));
const CANARY = new URL("canary.mjs", import.meta.url).href;
const UNTRUSTED = `data:text/javascript,
  import tls from "node:tls";
  import { syncBuiltinESMExports } from "node:module";
  tls.setDefaultCACertificates = () => {};
  syncBuiltinESMExports();`;

type Output = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Settings in a reader's environment that must not affect the story. */
const LOGGED_IN = {
  AWS_PROFILE: "production",
  AWS_SESSION_TOKEN: "of-a-reader",
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true",
  AWS_ENDPOINT_URL: "http://127.0.0.1:1",
  AWS_REGION: "us-east-1",
  AWS_USE_FIPS_ENDPOINT: "true",
  BINDINGS_FILE: "nowhere.json",
  BINDINGS_BUCKET: "bucket-of-a-reader",
  SECRET_RELAY_STACK: "stack-of-a-reader",
};

let folder: string;
let passwords: readonly string[];
let readable: Output;
let json: Output;
let failedReadable: Output;
let failedJson: Output;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "secret-relay-story-"));
  const canaryFile = join(folder, "canaries");
  [readable, json, failedReadable, failedJson] = await Promise.all([
    runStory({ preload: CANARY, env: { CANARY_FILE: canaryFile } }),
    runStory({ args: ["--json"], env: LOGGED_IN }),
    runStory({ preload: UNTRUSTED }),
    runStory({ args: ["--json"], preload: UNTRUSTED }),
  ]);
  passwords = readFileSync(canaryFile, "utf8").trim().split("\n");
}, 90_000); // a few seconds each, unless the machine is busy

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("for a script", () => {
  it("prints one JSON object on stdout, with any AWS settings of the caller", () => {
    const { code, stdout, stderr } = json;

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.trim().split("\n")).toHaveLength(1);
    const report = JSON.parse(stdout);
    expect(report).toEqual({
      ok: true,
      steps: STEPS.map((name) => ({ name, ok: true, ms: expect.any(Number) })),
    });
    for (const { ms } of report.steps) expect(ms).toBeGreaterThan(0);
  });

  it("reports a failed step in the same format, and exits with 1", () => {
    const { code, stdout } = failedJson;

    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      steps: STEPS.map((name) => ({ name, ok: false })),
    });
  });
});

describe("for readers", () => {
  it("ends with the new password in the Secret and the latency", () => {
    const { code, stdout, stderr } = readable;

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/new password is in the Secret: yes/);
    expect(stdout).toMatch(/→ \d+\.\d ms from the event's arrival/);
    expect(stdout).toMatch(/^ok: /m);
  });

  it.each([
    {
      step: "dropped-event",
      claim: /calls for the plan: \d+ to AWS, \d+ to the cluster; secret values read: 0 /,
    },
    { step: "tampering", claim: /TAMPERED: data\.password changed by kubectl-edit/ },
    { step: "tampering", claim: /VALUE_DIFFERS: data\.password changed, and repairs it/ },
    {
      step: "forced-sync",
      claim: /prod\/shop\/db +written +STALE +\S+ \d+m +\S+ 0s +current/,
    },
    {
      step: "expired-credentials",
      claim: /bindings checked: 36 of 36, skipped: 0; stale and repaired: 6;/,
    },
    { step: "publish", claim: /\+ prod\/billing\/payments from prod\/payments/ },
    { step: "publish", claim: /a sweep, which first creates Secret billing\/payments/ },
    {
      step: "publish",
      claim: /with the bindings of 1\.[\s\S]*payments stays, and the sweep reports it, ORPHAN/,
    },
    { step: "rollout", claim: /a delayed message makes the relay look: 2 of 3 pods run with the version/ },
    { step: "rollout", claim: /→ 6\.\d s from the move of AWSCURRENT until the last pod ran/ },
    { step: "rollout", claim: /ROLLOUT_STUCK: Deployment\/web, ProgressDeadlineExceeded/ },
    {
      step: "rollout",
      claim: /is stuck \(ProgressDeadlineExceeded\), 1 of 3 pods[\s\S]*\$ kubectl get pods --namespace web/,
    },
  ])("reports in $step: $claim", ({ step, claim }) => {
    const [, printed = ""] = readable.stdout.split(`\n${step}: `);
    const [ofStep = ""] = printed.split("\n\n");

    expect(ofStep).toMatch(claim);
    expect(ofStep).toMatch(/→ \d+\.\d m?s /);
  });

  it("has no colour without a terminal", () => expect(readable.stdout).not.toContain("\u001b"));

  it("never prints a value, in plain or in base64", () => {
    const printed = readable.stdout + readable.stderr;

    expect(passwords.length).toBeGreaterThan(40);
    for (const password of passwords) {
      expect(printed).not.toContain(password);
      expect(printed).not.toContain(Buffer.from(password).toString("base64"));
    }
  });

  it("reports a failed step with its reason, and exits with 1", () => {
    const { code, stdout } = failedReadable;

    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ .*\(\w*(SIGNATURE|CERT|ISSUER)\w*\)/); // the CA is not trusted
    expect(stdout).toMatch(/^failed: /m);
  });
});

describe.concurrent("an invalid command line", () => {
  it.each([
    { args: ["--jsno"], hint: "Did you mean --json?" },
    { args: ["rotation"], hint: "Unknown argument rotation." },
  ])("$args exits with 2 and the usage on stderr", async ({ args, hint }) => {
    const { code, stdout, stderr } = await runStory({ args });

    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(hint);
    expect(stderr).toContain("Usage: npm start");
  });
});

type How = { args?: string[]; env?: Record<string, string>; preload?: string };

function runStory({ args = [], env = {}, preload }: How): Promise<Output> {
  const flags = preload === undefined ? [] : ["--import", preload];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...flags, STORY, ...args],
      { env: { ...process.env, FORCE_COLOR: undefined, ...env }, timeout: 60_000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}
