import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { pinnedCluster } from "../harness/relay.ts";
import type { TestSource } from "../harness/scene.ts";
import { startSandboxBackend } from "../harness/start-sandbox-backend.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";

const used = useBackend(startSandboxBackend);
const at = useScene(used);

const VALUE = '{"password":"canary-7f3a9c1e-first"}';
let desk: Desk;
let source: TestSource;

beforeEach(async () => {
  desk = openDesk(used.backend);
  source = await at.scene.createSource("prod/claimed", VALUE);
  bindAs(undefined);
  await desk.run("sync", "--all");
});
afterEach(async () => {
  desk.close();
  await at.scene.deleteSource(source).catch(() => {});
});

const secret = () => `${at.scene.namespace}/db`;

function bindAs(relay: string | undefined): void {
  desk.write("bindings.yaml", {
    version: 1,
    ...(relay !== undefined && { relay }),
    clusters: { main: pinnedCluster(used.backend) },
    defaults: { cluster: "main" },
    bindings: [{ source: "prod/claimed", targets: [{ namespace: at.scene.namespace, name: "db" }] }],
  });
}

/** The result of a restore from a backup: the content is restored, managedFields is not. */
async function restoreFromBackup(): Promise<void> {
  const { metadata, data, type } = await at.scene.readSecret("db");
  const { labels, annotations } = metadata;
  await at.scene.deleteSecret("db");
  const decoded = Object.fromEntries(
    Object.entries(data as Record<string, string>).map(([key, value]) => [
      key,
      Buffer.from(value, "base64").toString(),
    ]),
  );
  await at.scene.createSecret("db", decoded, { metadata: { labels, annotations }, type });
}

type Row = Readonly<Record<string, unknown>>;
const rowFrom = async (...words: string[]) => {
  const { json, exitCode } = await desk.runJson(...words);
  return { row: (json as { targets: Row[] }).targets[0], exitCode };
};

describe("a Secret that lost its managedFields", () => {
  beforeEach(restoreFromBackup);

  it("is refused as UNCLAIMED by every view and by sync, and claim shows it without a change", async () => {
    for (const words of [["plan"], ["status"], ["doctor"], ["sweep", "--plan"], ["sync", "--all"]]) {
      const { row } = await rowFrom(...words);
      expect(row, words.join(" ")).toMatchObject({
        finding: "UNCLAIMED",
        action: "refuse",
        code: "TARGET_UNCLAIMED",
      });
    }
    const before = await at.scene.readSecret("db");
    const { row, exitCode } = await rowFrom("claim");
    expect(row).toMatchObject({ finding: "UNCLAIMED", claim: { kind: "unclaimed" } });
    expect(exitCode).toBe(1);
    expect(await at.scene.readSecret("db")).toEqual(before);
  });

  it("is in order after claim --yes, follows its source, and counts no take-back", async () => {
    const { exitCode } = await rowFrom("claim", "--yes");
    expect(exitCode).toBe(0);
    expect((await rowFrom("status")).row).toMatchObject({ finding: null, action: "none" });
    const { annotations } = (await at.scene.readSecret("db")).metadata;
    expect(annotations["secret-relay/take-backs"]).toBeUndefined();

    await at.scene.rotate(source, '{"user":"canary-7f3a9c1e-app"}');
    expect((await desk.run("sync", "--all")).exitCode).toBe(0);
    // Also a key that the new value no longer has: the relay owns it alone.
    expect(await at.scene.readData("db")).toEqual({ user: "canary-7f3a9c1e-app" });
  });

  it("is not claimed while it is held", async () => {
    await desk.run("hold", secret(), "--for", "1h");
    const { row, exitCode } = await rowFrom("claim", "--yes");
    expect(row).toMatchObject({ claim: { kind: "refused", code: "HELD" } });
    expect(exitCode).toBe(1);
  });
});

describe("a Secret of a relay that was renamed", () => {
  const formerRelay = () => `secret-relay.${used.backend.aws.accountId}.eu-west-1`;
  beforeEach(() => bindAs("pay"));

  it("is refused, and not claimed unless that relay is named", async () => {
    const { row, exitCode } = await rowFrom("claim", "--yes");
    expect(exitCode).toBe(1);
    expect(row).toMatchObject({
      finding: "OWNED_BY_ANOTHER_RELAY",
      claim: { kind: "refused", advice: expect.stringContaining(`--from ${formerRelay()}`) },
    });
    const other = await rowFrom("claim", "--yes", "--from", "other.111122223333.eu-west-1");
    expect(other.row).toMatchObject({ claim: { kind: "refused" } });
    expect((await desk.run("status")).stderr).toContain("acts as relay pay.");
  });

  it("belongs to the new relay after claim --yes --from, without the old annotations", async () => {
    const { exitCode } = await rowFrom("claim", "--yes", "--from", formerRelay());
    expect(exitCode).toBe(0);
    expect((await rowFrom("status")).row).toMatchObject({ finding: null, action: "none" });

    const { metadata } = await at.scene.readSecret("db");
    const names = [...Object.keys(metadata.labels), ...Object.keys(metadata.annotations)];
    expect(names.filter((name) => name.startsWith("secret-relay/"))).toEqual([]);
    expect(metadata.labels["pay.secret-relay/managed"]).toMatch(/^pay\./);
    const managers = (metadata.managedFields as { manager: string; operation: string }[]).filter(
      ({ operation }) => operation === "Apply",
    );
    expect(managers.map(({ manager }) => manager)).toEqual(["pay"]);

    await at.scene.rotate(source, '{"user":"canary-7f3a9c1e-app"}');
    expect((await desk.run("sync", "--all")).exitCode).toBe(0);
    expect(await at.scene.readData("db")).toEqual({ user: "canary-7f3a9c1e-app" });
  });

  it("is also claimed if another manager's entry owns the old annotations and the data", async () => {
    const { metadata, data } = await at.scene.readSecret("db");
    await at.scene.applySecret(
      "db",
      { metadata: { labels: metadata.labels, annotations: metadata.annotations }, data },
      "argocd",
    );
    const { exitCode } = await rowFrom("claim", "--yes", "--from", formerRelay());
    expect(exitCode).toBe(0);
    const after = (await at.scene.readSecret("db")).metadata;
    expect(Object.keys(after.labels)).toEqual(["pay.secret-relay/managed"]);
    await at.scene.rotate(source, '{"user":"canary-7f3a9c1e-app"}');
    await desk.run("sync", "--all");
    expect(await at.scene.readData("db")).toEqual({ user: "canary-7f3a9c1e-app" });
  });
});

it("a Secret of another owner is never claimed", async () => {
  await at.scene.deleteSecret("db");
  await at.scene.createSecret("db", { password: "canary-7f3a9c1e-theirs" });
  const { row, exitCode } = await rowFrom("claim", "--yes");
  expect(row).toMatchObject({ finding: "NOT_OURS", claim: { kind: "refused", code: "TARGET_NOT_OURS" } });
  expect(exitCode).toBe(1);
  expect(await at.scene.readData("db")).toEqual({ password: "canary-7f3a9c1e-theirs" });
});
