import { TagResourceCommand } from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { awsClients } from "../harness/aws-clients.ts";
import type { Backend } from "../harness/backend.ts";
import { MARK } from "../harness/canary.ts";
import { type Desk, openDesk } from "../harness/command-line.ts";
import { useBackend, useScene } from "../harness/use-scene.ts";
import { externalSecret, store } from "../import-eso/manifests.ts";

/** `import-eso --expand-find`, with what Secrets Manager itself answers to the filters. */
export function describeFindContract(start: () => Promise<Backend>): void {
  const used = useBackend(start);
  const at = useScene(used);
  let desk: Desk;
  let prefix: string;

  beforeEach(async () => {
    desk = openDesk(used.backend);
    prefix = `find-${at.scene.namespace}/`;
    const { secrets, destroy } = awsClients(used.backend.aws);
    const tagged = { db: ["team", "shop"], api: ["team", "orders"], old: ["former-team", "shop"] } as const;
    for (const [name, [Key, Value]] of Object.entries(tagged)) {
      const { arn } = await at.scene.createSource(`${prefix}${name}`, `${MARK}-${name}`);
      await secrets.send(new TagResourceCommand({ SecretId: arn, Tags: [{ Key, Value }] }));
    }
    await at.scene.createEmptySource(`${prefix}empty`);
    destroy();
  });
  afterEach(() => desk.close());

  const sourcesOf = async (find: object) => {
    const { region } = used.backend.aws;
    desk.write("es.json", {
      apiVersion: "v1",
      kind: "List",
      items: [store({ region }), externalSecret({ dataFrom: [{ find }] })],
    });
    const { json, stderr } = await desk.runJson(
      ..."import-eso es.json --expand-find --region".split(" "),
      region,
    );
    type Entry = { source?: string; value?: string };
    const { converted, notConverted } = json as {
      converted: { binding: Entry & { sources?: Entry[] } }[];
      notConverted: { objections: { code: string; reason: string }[] }[];
    };
    const [made] = converted;
    if (made === undefined)
      return { objections: notConverted.flatMap(({ objections }) => objections), stderr };
    const { binding } = made;
    return (binding.sources ?? [binding]).map(({ source = "", value }) => [
      source.slice(prefix.length),
      value,
    ]);
  };
  const key = (name: string) => `${prefix}${name}`.replaceAll("/", "_");

  describe("import-eso --expand-find", () => {
    it("binds the secrets whose names match", async () => {
      expect(await sourcesOf({ name: { regexp: `^${prefix}(db|old)$` } })).toEqual([
        ["db", key("db")],
        ["old", key("old")],
      ]);
    });

    it("binds the secrets with a tag's key and value below a path, without those that have no value", async () => {
      expect(await sourcesOf({ path: prefix, tags: { team: "shop" } })).toEqual([["db", key("db")]]);
      expect(await sourcesOf({ path: prefix, name: { regexp: "." } })).toEqual(
        ["api", "db", "old"].map((name) => [name, key(name)]),
      );
    });

    it("refuses a find that matches nothing", async () => {
      expect(await sourcesOf({ path: prefix, name: { regexp: "^nope$" } })).toMatchObject({
        objections: [{ code: "FIND", reason: expect.stringContaining("matches no secret today") }],
      });
    });

    it("refuses a store of another account than that of the caller", async () => {
      const { region } = used.backend.aws;
      const role = "arn:aws:iam::999988887777:role/eso";
      desk.write("es.json", {
        apiVersion: "v1",
        kind: "List",
        items: [store({ region, role }), externalSecret({ dataFrom: [{ find: { name: { regexp: "" } } }] })],
      });
      const { exitCode, stderr } = await desk.run(
        ..."import-eso es.json --expand-find --region".split(" "),
        region,
      );
      expect(exitCode).toBe(1);
      expect(stderr).toContain("Run the command with credentials of account 999988887777");
    });
  });
}
