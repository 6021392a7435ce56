import { beforeAll, describe, expect, it } from "vitest";
import { recordHistory } from "../../harness/record-history.ts";
import {
  APPLY,
  accept,
  type ContractContext,
  NAMESPACE,
  SECRETS,
  secretNamed,
  secretsThrough,
  unique,
  X,
  Y,
} from "./fixtures.ts";

/** Get, list and watch, with and without values. */
export function describeReading({ backend, call }: ContractContext): void {
  const secrets = secretsThrough(call);

  describe("reading", () => {
    const label = unique();
    const names = ["a", "b", "c"].map((letter) => `${label}-${letter}`);
    const selector = `labelSelector=set%3D${label}`;
    const columns = (body: { columnDefinitions: { name: string }[] }) =>
      body.columnDefinitions.map(({ name }) => name);

    beforeAll(async () => {
      for (const [index, name] of names.entries()) {
        const labels = { set: label, index: String(index) };
        await secrets.apply(name, { data: { x: X, y: Y }, metadata: { labels } });
      }
    });

    it("gets metadata without data", async () => {
      const got = await secrets.get(names[0] ?? "", accept("PartialObjectMetadata"));

      expect(got.body).toMatchObject({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" });
      expect(Object.keys(got.body).sort()).toEqual(["apiVersion", "kind", "metadata"]);
      expect(got.body.metadata.managedFields).toHaveLength(1);
    });

    it("answers an apply with only the metadata on request", async () => {
      const name = unique();
      const got = await call(`${SECRETS}/${name}?fieldManager=relay`, {
        method: "PATCH",
        contentType: APPLY,
        accept: accept("PartialObjectMetadata"),
        body: secretNamed(name, { data: { x: X } }),
      });

      expect(got.status).toBe(201);
      expect(got.body).toMatchObject({ kind: "PartialObjectMetadata", metadata: { name } });
      expect(got.body.data).toBeUndefined();
    });

    it("lists metadata without data", async () => {
      const got = await call(`${SECRETS}?${selector}`, { accept: accept("PartialObjectMetadataList") });

      expect(got.body.kind).toBe("PartialObjectMetadataList");
      expect(got.body.items.map(itemName)).toEqual(names);
      expect(JSON.stringify(got.body)).not.toContain(X);
    });

    it("lists a table whose rows have metadata and the number of keys", async () => {
      const got = await call(`${SECRETS}?${selector}`, { accept: accept("Table") });

      expect(columns(got.body)).toEqual(["Name", "Type", "Data", "Age"]);
      expect(got.body.rows[0].cells.slice(0, 3)).toEqual([names[0], "Opaque", 2]);
      expect(got.body.rows[0].object.kind).toBe("PartialObjectMetadata");
      expect(JSON.stringify(got.body)).not.toContain(X);
    });

    it("lists Secrets without their kind", async () => {
      const got = await call(`${SECRETS}?${selector}`);

      expect(got.body.kind).toBe("SecretList");
      expect(got.body.items[0].kind).toBeUndefined();
      expect(got.body.items[0].data).toEqual({ x: X, y: Y });
    });

    it("lists by pages", async () => {
      const first = await call(`${SECRETS}?${selector}&limit=2`);
      const token = encodeURIComponent(first.body.metadata.continue);
      const second = await call(`${SECRETS}?${selector}&limit=2&continue=${token}`);

      expect(first.body.items.map(itemName)).toEqual(names.slice(0, 2));
      expect(second.body.items.map(itemName)).toEqual(names.slice(2));
      expect(second.body.metadata.continue).toBeUndefined();
    });

    it.each([
      { query: `labelSelector=set%3D${label},index+in+(0,2)`, want: [0, 2] },
      { query: `labelSelector=set%3D${label},index+notin+(0)`, want: [1, 2] },
      { query: `labelSelector=set%3D${label},index!%3D1`, want: [0, 2] },
      { query: `labelSelector=set%3D${label},!absent`, want: [0, 1, 2] },
      { query: `labelSelector=set%3D${label},absent`, want: [] },
      { query: `fieldSelector=metadata.name%3D${names[1]}`, want: [1] },
      { query: `${selector}&fieldSelector=metadata.name!%3D${names[1]}`, want: [0, 2] },
      { query: `${selector}&fieldSelector=type%3Dkubernetes.io/tls`, want: [] },
    ])("selects by $query", async ({ query, want }) => {
      const got = await call(`${SECRETS}?${query}`);

      expect(got.body.items.map(itemName)).toEqual(want.map((index) => names[index]));
    });

    it.each([
      { it: "a selector that cannot be read", query: "labelSelector=a+%3D%3D%3D+b", status: 400 },
      { it: "a field that is not selectable", query: "fieldSelector=data%3Dx", status: 400 },
      { it: "an unknown continue token", query: "limit=1&continue=abc", status: 400 },
    ])("refuses $it", async ({ query, status }) => {
      expect((await call(`${SECRETS}?${query}`)).status).toBe(status);
    });

    it.each([
      { it: "an unknown shape", path: "", as: accept("Nothing") },
      { it: "a list of one object", path: `/${names[0]}`, as: accept("PartialObjectMetadataList") },
      { it: "one object of a list", path: "", as: accept("PartialObjectMetadata") },
      { it: "a page for people", path: "", as: "text/html" },
    ])("cannot give $it", async ({ path, as }) => {
      expect((await call(`${SECRETS}${path}`, { accept: as })).status).toBe(406);
    });

    it("finds nothing in a missing namespace", async () => {
      const list = await call("/api/v1/namespaces/missing/secrets");

      expect(list.status).toBe(200);
      expect(list.body.items).toEqual([]);
    });

    it("watches every state of a Secret in order", async () => {
      const name = unique();
      const recorder = await recordHistory(backend(), NAMESPACE, name);
      await secrets.apply(name, { data: { x: X } });
      await secrets.apply(name, { data: { x: Y }, metadata: { annotations: { a: "1" } } });
      await secrets.apply(name, { data: { x: Y }, metadata: { annotations: { a: "1" } } });
      await secrets.delete(name);

      const states = await recorder.stop();

      expect(states.map(({ type, data, annotations }) => ({ type, data, annotations }))).toEqual([
        { type: "ADDED", data: { x: X }, annotations: {} },
        { type: "MODIFIED", data: { x: Y }, annotations: { a: "1" } },
        { type: "DELETED", data: { x: Y }, annotations: { a: "1" } },
      ]);
    });

    it.each(["/readyz", "/version"])("answers %s without authentication", async (path) => {
      expect((await call(path, { token: null })).status).toBe(200);
    });

    it("lists the resources of a group version", async () => {
      const core = await call("/api/v1");
      const apps = await call("/apis/apps/v1");

      expect(core.body.resources).toContainEqual(
        expect.objectContaining({ name: "secrets", kind: "Secret", namespaced: true }),
      );
      expect(apps.body.resources.map(({ name }: { name: string }) => name)).toEqual(
        expect.arrayContaining(["deployments", "statefulsets", "daemonsets"]),
      );
    });

    it.each([
      { path: `/api/v1/namespaces/${NAMESPACE}/nothings`, json: true },
      { path: "/apis/missing.example.com/v1/things", json: false },
    ])("has no $path", async ({ path, json }) => {
      const got = await call(path);

      expect(got.status).toBe(404);
      expect(got.headers["content-type"]).toContain(json ? "application/json" : "text/plain");
    });
  });
}

const itemName = ({ metadata }: { metadata: { name: string } }): string => metadata.name;
