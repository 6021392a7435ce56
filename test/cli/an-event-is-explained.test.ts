import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../harness/run-cli.ts";

const EVENTS = join(import.meta.dirname, "../../events");
const BINDINGS = {
  version: 1,
  clusters: { prod: { name: "prod", region: "eu-west-1" } },
  defaults: { namespace: "shop" },
  bindings: [
    {
      source: "prod/db",
      webhookId: "shop-db",
      targets: [
        { name: "db", restart: [{ kind: "Deployment", name: "api" }], events: true },
        { namespace: "reports", name: "db" },
      ],
    },
    {
      source: "arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/cache-AbCdEf",
      targets: [{ name: "c" }],
    },
  ],
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "secret-relay-explain-"));
  writeFileSync(join(folder, "bindings.yaml"), JSON.stringify(BINDINGS));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const explain = (event: unknown, ...words: string[]) =>
  runCli(["events", "explain", "-", ...words], { cwd: folder, stdin: JSON.stringify(event) });
const sample = (path: string) => JSON.parse(readFileSync(join(EVENTS, path), "utf8"));
// biome-ignore lint/suspicious/noExplicitAny: a test reads fields of the printed JSON
const explainJson = async (event: unknown, ...words: string[]): Promise<any> =>
  JSON.parse((await explain(event, "--json", ...words)).stdout);

describe("secret-relay events explain", () => {
  it("lists the Secrets that an event would write, and the follow-up actions", async () => {
    const { exitCode, stdout } = await explain(sample("label-updated.json"));
    expect(exitCode).toBe(0);
    expect(stdout).toContain("syncs: The label AWSCURRENT moved");
    expect(stdout).toContain("prod: shop/db, then restarts Deployment/api, posts a Kubernetes Event");
    expect(stdout).toContain("prod: reports/db");
  });

  it.each([
    ["a record of a failure queue", "failure-record.json"],
    ["a message of that queue", "failure-record-in-sqs.json"],
    ["SNS in SQS", "sns-in-sqs.json"],
    ["a direct call", "direct-call.json"],
  ])("unwraps %s as the function does", async (_, file) => {
    const { events } = await explainJson(sample(file));
    expect(events[0].verdict).toBe("sync");
    expect(events[0].syncs[0].targets[0]).toMatchObject({ cluster: "prod", namespace: "shop", name: "db" });
  });

  it("finds bindings by their webhook id, and suggests the right one", async () => {
    expect((await explainJson({ webhookId: "shop-db" })).events[0]).toMatchObject({ verdict: "sync" });
    expect((await explainJson({ webhookId: "shop-bd" })).events[0].advice).toContain("Did you mean shop-db?");
  });

  it("explains why nothing would happen", async () => {
    const typo = await explain({ secretId: "prod/bd" });
    expect([typo.exitCode, typo.stdout]).toEqual([0, expect.stringContaining("Did you mean prod/db?")]);
    const elsewhere = await explain({
      secretId: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/cache-AbCdEf",
    });
    expect(elsewhere.stdout).toContain("another account or Region, or another secret");
  });

  it("names the clusters in which External Secrets Operator is made to refresh", async () => {
    const cluster = { name: "eso", region: "eu-west-1", externalSecrets: { namespaces: ["team-shop"] } };
    writeFileSync(
      join(folder, "eso.yaml"),
      JSON.stringify({ version: 1, clusters: { eso: cluster }, bindings: [] }),
    );
    const { stdout } = await explain({ secretId: "prod/unbound" }, "--bindings", "eso.yaml");
    expect(stdout).toContain("eso: refreshes the affected ExternalSecrets and PushSecrets in team-shop");
  });

  it("assumes the account and Region of the event by default", async () => {
    const event = sample("label-updated.json");
    const told = ["--account", "444455556666", "--region", "eu-west-1"];
    expect((await explainJson(event)).events[0].verdict).toBe("sync");
    expect((await explainJson(event, ...told)).events[0].verdict).toBe("not-bound");
  });

  it("reports a failed rotation of a bound source", async () => {
    const { exitCode, stdout } = await explain(sample("rotation-failed.json"));
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("raises an alarm: A rotation failed")]);
  });

  it.each(readdirSync(join(EVENTS, "ignored")))("explains why ignored/%s is ignored", async (file) => {
    const { exitCode, stdout } = await explain(sample(`ignored/${file}`));
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^ignores it, [A-Z_]+: .+\.\n$/)]);
  });

  it.each(readdirSync(join(EVENTS, "rejected")))(
    "says what to do about rejected/%s, and ends with 1",
    async (file) => {
      const { exitCode, stdout } = await explain(sample(`rejected/${file}`));
      expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/^rejects it, [A-Z_]+: .+\n {2}.+\n$/m)]);
    },
  );

  it("reports that the invocation fails if the caller must be notified", async () => {
    const { stdout } = await explain(sample("rejected/rotation-function-input.json"));
    expect(stdout).toContain("The invocation fails");
  });

  it("ends with 2 for invalid JSON, and does not quote it", async () => {
    const run = await runCli(["events", "explain", "-"], { cwd: folder, stdin: "{not json" });
    expect([run.exitCode, run.stdout]).toEqual([2, ""]);
    expect(run.stderr).toContain("stdin is not valid JSON");
    expect(run.stderr).not.toContain("not json");
  });
});
