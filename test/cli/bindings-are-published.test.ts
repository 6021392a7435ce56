import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { DeleteObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { credentialsOf } from "../harness/aws-clients.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { pinnedCluster } from "../harness/relay.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

// `publish` and `bindings` from the command line to the bucket, on the sandbox. The same core against moto:
// test/real/publish.test.ts.

const used = useBackend(startSandboxBackend);
const at = useScene(used);
const STACK = "secret-relay";

let desk: Desk;
let bucket: string;
let unhook: (() => void)[];

const sandboxAws = () => used.backend.sandbox.aws;
const deploy = (parameters: Record<string, string> = {}) =>
  sandboxAws().addStack(
    STACK,
    { BindingsBucketName: bucket },
    { RelayName: "secret-relay", SecretNamePrefix: "prod/", ...parameters },
  );
const bind = (...names: string[]) =>
  desk.writeBindings(
    names.map((name) => ({ source: `prod/${name}`, targets: [{ namespace: at.scene.namespace, name }] })),
  );

beforeEach(async () => {
  desk = openDesk(used.backend);
  bucket = `bindings-${at.scene.namespace}`;
  unhook = [];
  sandboxAws().addBucket(bucket, { versioned: true });
  deploy();
  bind("db");
  await grant();
});
afterEach(() => {
  for (const remove of unhook) remove();
  sandboxAws().faults.clear();
  desk.close();
});

/** As `secret-relay rbac | kubectl apply -f -`. */
async function grant(): Promise<void> {
  const { stdout } = await desk.run("rbac");
  for (const document of stdout.split("\n---\n")) {
    const object = parse(document) as { kind: string };
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${at.scene.namespace}/${object.kind.toLowerCase()}s/secret-relay`;
    const { status } = await at.scene.admin(`${path}?fieldManager=kubectl&force=true`, {
      method: "PATCH",
      contentType: "application/apply-patch+yaml",
      body: object,
    });
    expect(status).toBeLessThan(300);
  }
}

/** The generation and the Secrets in force, as another command sees them. */
async function inForce(): Promise<unknown> {
  const { json } = await desk.runJson("bindings", "show");
  const { generation, bindings = [] } = json as {
    generation?: number;
    bindings?: { target: { name: string } }[];
  };
  return { generation, names: bindings.map(({ target }) => target.name).toSorted() };
}

describe("secret-relay publish", () => {
  it("puts first bindings in force, and says who publishes where", async () => {
    const { exitCode, stdout, stderr } = await desk.run("publish", "--yes");

    expect(stderr).toMatch(
      /^Account \d{12}, Region \S+, as arn:aws:\S+\nStack secret-relay, bucket bindings-/,
    );
    expect(stderr).toContain("Nothing is published yet.");
    expect(stdout).toContain(`+ main/${at.scene.namespace}/db from prod/db\n    keys: all\n`);
    expect(stdout).toContain("1 Secret added, 0 removed, 0 changed.");
    expect(stdout).toContain("Generation 1 is in force: 1 Secret.");
    expect(exitCode).toBe(0);
    expect(await inForce()).toEqual({ generation: 1, names: ["db"] });
  });

  it("shows in words what was added, removed and changed", async () => {
    bind("db", "cache");
    await grant();
    await desk.run("publish", "--yes");
    const { namespace } = at.scene;
    desk.writeBindings([
      { source: "prod/db", targets: [{ namespace, name: "db" }], keys: { PASSWORD: "password" } },
      { source: "prod/queue", targets: [{ namespace, name: "queue" }] },
    ]);
    await grant();

    const { stdout, exitCode } = await desk.run("publish", "--yes");

    expect(stdout).toContain(`+ main/${namespace}/queue from prod/queue`);
    expect(stdout).toContain(
      `- main/${namespace}/cache from prod/cache\n    the Secret stays as it is (deletionPolicy: retain)`,
    );
    expect(stdout).toContain(`~ main/${namespace}/db from prod/db\n    keys: all -> PASSWORD`);
    expect(stdout).toContain("1 Secret added, 1 removed, 1 changed.");
    expect(exitCode).toBe(0);
  });

  it("publishes nothing if nothing changed", async () => {
    await desk.run("publish", "--yes");

    const { exitCode, json } = await desk.runJson("publish");
    const { stdout } = await desk.run("publish");

    expect(exitCode).toBe(0);
    expect(json).toMatchObject({ ok: true, published: false, changes: [] });
    expect(stdout).toContain("These bindings are already in force.");
    expect(await inForce()).toMatchObject({ generation: 1 });
  });

  it("publishes a new relay name, although no binding changed", async () => {
    await desk.run("publish", "--yes");
    deploy({ RelayName: "pay" });
    desk.write("bindings.yaml", { ...(parse(desk.read("bindings.yaml")) as object), relay: "pay" });

    const { json } = await desk.runJson("publish", "--yes", "--ignore-permissions");

    expect(json).toMatchObject({ published: true, generation: 2 });
  });

  it("changes nothing with --dry-run", async () => {
    const { exitCode, json } = await desk.runJson("publish", "--dry-run");

    expect(exitCode).toBe(0);
    expect(json).toMatchObject({ ok: true, published: false, before: 0, changes: [{ change: "added" }] });
    expect(await inForce()).toEqual({ generation: undefined, names: [] });
  });

  it("with --plan also shows what the sweep will do with added and changed Secrets", async () => {
    await at.scene.createSource("prod/plan", '{"password":"canary-7f3a9c1e-first"}');
    bind("plan");
    await grant();

    const { exitCode, json } = await desk.runJson("publish", "--dry-run", "--plan");
    const { stdout } = await desk.run("publish", "--dry-run", "--plan");

    expect(exitCode).toBe(0);
    expect(json).toMatchObject({ targets: [{ name: "plan", finding: "MISSING", action: "create" }] });
    expect(stdout).toContain("Plan: 1 to create, 0 to update");
  });

  it("does not publish unasked if it cannot ask, and ends with 2", async () => {
    const { exitCode, stderr } = await desk.run("publish");

    expect(exitCode).toBe(2);
    expect(stderr).toContain(
      "USAGE: This is not a terminal, so publish cannot ask. Add --yes, or --dry-run.",
    );
    expect(await inForce()).toMatchObject({ generation: undefined });
  });

  it("prints one JSON object on stdout, also for an error", async () => {
    const done = await desk.run("publish", "--yes", "--json");
    const failed = await desk.run("publish", "--json", "--stack-name", "elsewhere");

    expect(JSON.parse(done.stdout)).toMatchObject({
      ok: true,
      published: true,
      generation: 1,
      before: 0,
      bucket,
      stack: STACK,
      changes: [{ change: "added", cluster: "main", name: "db", source: "prod/db", details: ["keys: all"] }],
      missingPermissions: [],
      rbac: [{ cluster: "main", status: "ok" }],
    });
    expect(JSON.parse(failed.stdout)).toEqual({
      ok: false,
      error: { code: "STACK_NOT_FOUND", message: expect.any(String) },
    });
  });

  it("ends with 2 for a wrong file, before it asks AWS", async () => {
    desk.write("bindings.yaml", "version: 1\nbindings: 7\n");
    const before = sandboxAws().counters.calls.get("DescribeStacks") ?? 0;

    expect((await desk.run("publish", "--yes")).exitCode).toBe(2);
    expect(sandboxAws().counters.calls.get("DescribeStacks") ?? 0).toBe(before);
  });
});

describe("a permission that bindings need and that is missing", () => {
  const cases = [
    {
      it: "a source outside of the prefix",
      parameters: { SecretNamePrefix: "team/" },
      missing: { parameter: "SecretArns", arns: [expect.stringContaining(":secret:prod/db-??????")] },
    },
    {
      it: "a cluster that the functions look up",
      parameters: {},
      clusters: () => ({ main: { ...pinned(), endpoint: undefined, certificateAuthorityData: undefined } }),
      missing: { parameter: "ClusterArns", arns: [expect.stringContaining(":cluster/")] },
    },
    {
      it: "a role for another account",
      parameters: {},
      clusters: () => ({ main: { ...pinned(), roleArn: "arn:aws:iam::444455556666:role/other" } }),
      missing: { parameter: "ClusterRoleArns", arns: ["arn:aws:iam::444455556666:role/other"] },
    },
  ];
  const pinned = () => pinnedCluster(used.backend) as object;

  it.each(cases)("in the stack stops the publication: $it", async ({ parameters, clusters, missing }) => {
    deploy(parameters);
    if (clusters !== undefined) {
      desk.writeBindings(
        [{ source: "prod/db", targets: [{ namespace: at.scene.namespace, name: "db" }] }],
        clusters(),
      );
    }

    const { exitCode, json, stderr } = await desk.runJson("publish", "--yes");

    expect(exitCode).toBe(1);
    expect(json).toMatchObject({ ok: false, published: false, missingPermissions: [missing] });
    expect(stderr).toContain(`The stack's parameter ${missing.parameter} lacks arn:aws:`);
    expect(stderr).toContain("secret-relay iam --parameters");
    expect(await inForce()).toMatchObject({ generation: undefined });

    const ignored = await desk.runJson("publish", "--yes", "--ignore-permissions");
    expect(ignored.json).toMatchObject({ ok: true, published: true, missingPermissions: [missing] });
  });

  it("in a cluster stops the publication, with the command that grants it", async () => {
    bind("db", "cache");

    const { exitCode, json, stderr } = await desk.runJson("publish", "--yes");

    expect(exitCode).toBe(1);
    expect(json).toMatchObject({
      ok: false,
      published: false,
      rbac: [{ cluster: "main", status: "missing", fix: "secret-relay rbac | kubectl apply -f -" }],
    });
    expect(stderr).toMatch(
      /Cluster main: group secret-relay lacks \d of \d+ permissions: get secrets\/cache/,
    );
    expect(stderr).toContain("Grant them: secret-relay rbac | kubectl apply -f -");

    await grant();
    expect((await desk.runJson("publish", "--yes")).json).toMatchObject({ published: true });
  });

  it("is looked for only where bindings are added or changed", async () => {
    bind("db", "cache");
    await desk.run("publish", "--yes", "--ignore-permissions");
    bind("cache");

    expect((await desk.runJson("publish", "--yes")).json).toMatchObject({ published: true, rbac: [] });
  });

  it("names the file in the command if it is another one", async () => {
    bind("db", "cache");
    desk.write("other.yaml", desk.read("bindings.yaml"));

    const { stderr } = await desk.run("publish", "-b", "other.yaml", "--dry-run");

    expect(stderr).toContain("secret-relay rbac -b other.yaml | kubectl apply -f -");
  });

  it.each([
    {
      it: "the cluster cannot be reached",
      prepare: () =>
        desk.writeBindings([{ source: "prod/db", targets: [{ namespace: "shop", name: "db" }] }], {
          main: { ...pinned(), name: "another", endpoint: "https://127.0.0.1:1" },
        }),
      because: "CLUSTER_UNAVAILABLE",
    },
    {
      it: "the caller may not check it",
      prepare: () => desk.write("kubeconfig", { apiVersion: "v1", kind: "Config" }),
      because: "needs create on localsubjectaccessreviews",
    },
    {
      it: "the kubeconfig is damaged",
      prepare: () => desk.write("kubeconfig", "{"),
      because: "KUBECONFIG_UNREADABLE",
    },
  ])("is unknown in one line, and stops nothing, if $it", async ({ prepare, because }) => {
    prepare();

    const { exitCode, json, stderr } = await desk.runJson("publish", "--yes");

    expect(json).toMatchObject({ published: true, rbac: [{ cluster: "main", status: "unknown", because }] });
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      `It is unknown whether the relay has its permissions in cluster main (${because}).`,
    );
  });
});

describe("nothing is published", () => {
  const cases = [
    {
      it: "for another relay",
      prepare: () => deploy({ RelayName: "pay" }),
      code: "RELAY_NAME_DIFFERS",
      next: "Set relay: pay in the bindings",
    },
    {
      it: "if the stack has no bucket",
      prepare: () => sandboxAws().addStack(STACK, {}),
      code: "STACK_WITHOUT_BUCKET",
      next: "sam deploy",
    },
    {
      it: "if the bucket is gone",
      prepare: () => sandboxAws().addStack(STACK, { BindingsBucketName: "gone" }),
      code: "BUCKET_NOT_FOUND",
      next: "sam deploy",
    },
    {
      it: "if the caller may not write into the bucket",
      prepare: () =>
        sandboxAws().faults.add({ kind: "accessDenied", match: { service: "s3", operation: "PutObject" } }),
      code: "BUCKET_FORBIDDEN",
      next: "PublisherArns",
    },
    {
      it: "if the caller may not read the bucket",
      prepare: () =>
        sandboxAws().faults.add({ kind: "accessDenied", match: { service: "s3", operation: "GetObject" } }),
      code: "BUCKET_FORBIDDEN",
      next: "s3:GetObject",
    },
    {
      it: "if the caller may not describe the stack",
      prepare: () =>
        sandboxAws().faults.add({ kind: "accessDenied", match: { operation: "DescribeStacks" } }),
      code: "STACK_FORBIDDEN",
      next: "cloudformation:DescribeStacks",
    },
  ];
  it.each(cases)("$it", async ({ prepare, code, next }) => {
    prepare();

    const { exitCode, stderr } = await desk.run("publish", "--yes", "--ignore-permissions");

    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${code}: `);
    expect(stderr).toContain(next);
    sandboxAws().faults.clear();
    deploy();
    expect(await inForce()).toMatchObject({ generation: undefined });
  });

  it("by the second of two publishers, who learns who was first", async () => {
    await desk.run("publish", "--yes");
    bind("db", "cache");
    await grant();
    const other = openDesk(used.backend);
    other.writeBindings([{ source: "prod/other", targets: [{ namespace: at.scene.namespace, name: "db" }] }]);
    let raced: Promise<unknown> | undefined;
    unhook.push(
      sandboxAws().before(({ operation, objectKey }) => {
        if (raced !== undefined || operation !== "PutObject" || objectKey !== "bindings.json") return;
        raced = other.run("publish", "--yes", "--ignore-permissions");
        return raced;
      }),
    );

    const { exitCode, stderr } = await desk.run("publish", "--yes");

    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /PUBLISHED_MEANWHILE: arn:aws:\S+ published generation 2 meanwhile, and nothing of yours is in force\. Run the command again/,
    );
    expect(await inForce()).toEqual({ generation: 2, names: ["db"] });
    other.close();
  });
});

describe("a publication that ends early", () => {
  const isOfBucket = ({ service, operation }: { service: string; operation: string }) =>
    service === "s3" && operation === "PutObject";

  it("by a lost network before any one of its writes leaves the old bindings in force", async () => {
    const { namespace } = at.scene;
    const fleet = (type: string) =>
      desk.writeBindings(
        Array.from({ length: 250 }, (_, n) => ({
          source: `prod/db-${n}`,
          type,
          targets: [{ namespace, name: `db-${n}` }],
        })),
      );
    const publish = () => desk.run("publish", "--yes", "--ignore-permissions");
    fleet("example.com/old");
    await publish();
    fleet("example.com/new");
    let done = false;
    for (let fatal = 0; !done; fatal += 1) {
      let writes = 0;
      const remove = sandboxAws().before((call) => {
        if (isOfBucket(call) && writes++ === fatal)
          sandboxAws().faults.add({ kind: "reset", match: { service: "s3" } });
      });
      const { exitCode } = await publish();
      remove();
      sandboxAws().faults.clear();
      done = exitCode === 0;
      expect(await inForce()).toMatchObject({ generation: done ? 2 : 1 });
      if (done) expect(fatal).toBeGreaterThanOrEqual(3);
    }
  }, 60_000);

  it.each(["parts/", "bindings.json"])("by a kill before its write to %s does so too", async (key) => {
    await desk.run("publish", "--yes");
    bind("db", "cache");
    await grant();
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL("../../bin/secret-relay.mjs", import.meta.url)), "publish", "--yes"],
      {
        cwd: desk.folder,
        env: { ...process.env, HOME: desk.folder, KUBECONFIG: `${desk.folder}/kubeconfig` },
        stdio: "ignore",
      },
    );
    const ended = once(child, "exit");
    unhook.push(
      sandboxAws().before(async (call) => {
        if (!isOfBucket(call) || call.objectKey?.startsWith(key) !== true) return;
        child.kill("SIGKILL");
        await ended;
        throw new Error("The request was not served");
      }),
    );

    expect(await ended).toEqual([null, "SIGKILL"]);

    for (const remove of unhook.splice(0)) remove();
    expect(await inForce()).toEqual({ generation: 1, names: ["db"] });
    expect((await desk.run("publish", "--yes")).exitCode).toBe(0);
    expect(await inForce()).toEqual({ generation: 2, names: ["cache", "db"] });
  });

  it("by a response that is lost is recognised as its own", async () => {
    sandboxAws().faults.add({
      kind: "reset",
      when: "after",
      times: 1,
      match: { operation: "PutObject", objectKey: "bindings.json" },
    });

    const { exitCode, stdout } = await desk.run("publish", "--yes");

    expect(exitCode).toBe(0);
    expect(stdout).toContain("Generation 1 is in force");
  });
});

describe("secret-relay bindings", () => {
  beforeEach(async () => {
    await desk.run("publish", "--yes");
    bind("db", "cache");
    await grant();
    await desk.run("publish", "--yes");
  });

  it("history lists the generations, the newest first", async () => {
    const { exitCode, json } = await desk.runJson("bindings", "history");
    const { stdout } = await desk.run("bindings", "history");

    expect(exitCode).toBe(0);
    expect(json).toMatchObject({
      ok: true,
      generations: [
        { generation: 2, counts: { bindings: 2, sources: 2 }, publishedBy: expect.stringMatching(/^arn:/) },
        { generation: 1, counts: { bindings: 1, sources: 1 } },
      ],
    });
    expect(stdout).toMatch(/^GENERATION .*\n2 .*\n1 /);
  });

  it("show prints a generation as a file that commands read", async () => {
    const { stdout } = await desk.run("bindings", "show", "--generation", "1");
    desk.write("before.json", stdout);

    const { exitCode, json } = await desk.runJson("publish", "--dry-run", "-b", "before.json");

    expect(exitCode).toBe(0);
    expect(json).toMatchObject({ changes: [{ change: "removed", name: "cache" }] });
  });

  it("rollback puts the generation before in force again, as a new one", async () => {
    const { exitCode, json } = await desk.runJson("bindings", "rollback", "--yes");

    expect(exitCode).toBe(0);
    expect(json).toMatchObject({
      ok: true,
      generation: 3,
      rollbackTo: 1,
      changes: [{ change: "removed", name: "cache" }],
    });
    expect(await inForce()).toEqual({ generation: 3, names: ["db"] });
    expect((await desk.run("bindings", "history")).stdout).toMatch(/^3 +\S+ +1 +1 +arn:/m);

    await desk.run("bindings", "rollback", "--to", "2", "--yes");
    expect(await inForce()).toEqual({ generation: 4, names: ["cache", "db"] });
  });

  describe("after the pointer was deleted", () => {
    const remove = async (Key: string) => {
      const { AWS_ENDPOINT_URL_S3: endpoint = "" } = used.backend.aws.env;
      const s3 = new S3Client({
        region: used.backend.aws.region,
        endpoint,
        forcePathStyle: true,
        credentials: credentialsOf(used.backend.aws),
      });
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
      s3.destroy();
    };
    it("commands name the deletion and the way back", async () => {
      await remove("bindings.json");

      const { exitCode, stderr } = await desk.run("bindings", "show");

      expect(exitCode).toBe(1);
      expect(stderr).toContain("BINDINGS_DELETED");
      expect(stderr).toContain("secret-relay bindings rollback");
    });

    it("rollback puts its last version in force again, as the next generation", async () => {
      await remove("bindings.json");

      const { exitCode, json, stderr } = await desk.runJson("bindings", "rollback", "--yes");

      expect(stderr).toContain("Deleted, so nothing is in force: generation 2");
      expect(exitCode).toBe(0);
      expect(json).toMatchObject({ ok: true, generation: 3, rollbackTo: 2 });
      expect(await inForce()).toEqual({ generation: 3, names: ["cache", "db"] });
    });

    it("publish puts the same bindings in force again, as the next generation", async () => {
      await remove("bindings.json");

      const { exitCode, stdout } = await desk.run("publish", "--yes");

      expect(stdout).toContain("Generation 3 is in force");
      expect(exitCode).toBe(0);
      expect(await inForce()).toEqual({ generation: 3, names: ["cache", "db"] });
    });
  });

  it("rollback refuses a generation of another relay name", async () => {
    deploy({ RelayName: "pay" });

    const { exitCode, stderr } = await desk.run("bindings", "rollback", "--yes");

    expect(exitCode).toBe(1);
    expect(stderr).toContain("RELAY_NAME_DIFFERS");
  });

  it("rollback does not change anything unasked", async () => {
    const { exitCode, stdout, stderr } = await desk.run("bindings", "rollback");

    expect(exitCode).toBe(2);
    expect(stdout).toContain(`- main/${at.scene.namespace}/cache`);
    expect(stderr).toContain("Add --yes.");
    expect(await inForce()).toMatchObject({ generation: 2 });
  });

  it.each([
    { words: ["rollback", "--to", "7", "--yes"], exitCode: 1, says: "GENERATION_NOT_FOUND" },
    { words: ["show", "--generation", "7"], exitCode: 1, says: "GENERATION_NOT_FOUND" },
    { words: ["rollback", "--to", "two"], exitCode: 2, says: "--to must be the number of a generation" },
    { words: ["show", "--generation", "0"], exitCode: 2, says: "--generation must be the number" },
    { words: ["rollback", "--to", "2", "--yes"], exitCode: 2, says: "Generation 2 is in force" },
  ])("$words names what is wrong", async ({ words, exitCode, says }) => {
    const run = await desk.run("bindings", ...words);

    expect(run.stderr).toContain(says);
    expect(run.exitCode).toBe(exitCode);
  });
});

describe("before the first publication", () => {
  it.each([["history"], ["show"], ["rollback", "--yes"]])("bindings %s says so", async (...words) => {
    const { exitCode, stdout, stderr } = await desk.run("bindings", ...words);

    if (words[0] === "history") expect(stdout).not.toContain("arn:");
    else expect(stderr).toContain("NOTHING_PUBLISHED");
    expect(exitCode).toBe(words[0] === "history" ? 0 : 1);
  });
});

describe("a rollback from generation 1", () => {
  it("has nothing to go back to, and says so", async () => {
    await desk.run("publish", "--yes");

    const { exitCode, stderr } = await desk.run("bindings", "rollback", "--yes");

    expect(stderr).toContain("Generation 1 is the first one");
    expect(exitCode).toBe(2);
  });
});
