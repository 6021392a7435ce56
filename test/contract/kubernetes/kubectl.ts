import { describe, expect, it } from "vitest";
import { type ContractContext, NAMESPACE, SECRETS, STRATEGIC, unique } from "./fixtures.ts";

/** Requests that only kubectl sends: protobuf, OpenAPI, core/v1 Events, strategic patches. */
export function describeKubectlNeeds({ call }: ContractContext): void {
  describe("what kubectl needs", () => {
    it("accepts a Secret in protobuf", async () => {
      const name = unique();

      const created = await call(SECRETS, {
        method: "POST",
        contentType: "application/vnd.kubernetes.protobuf",
        body: protobufSecret(name, "password", "first"),
      });

      expect([created.status, created.body.message]).toEqual([201, undefined]);
      expect((await call(`${SECRETS}/${name}`)).body).toMatchObject({
        metadata: { name, namespace: NAMESPACE },
        data: { password: "Zmlyc3Q=" },
        type: "Opaque",
      });
    });

    it("refuses invalid protobuf", async () => {
      const { status, body } = await call(SECRETS, {
        method: "POST",
        contentType: "application/vnd.kubernetes.protobuf",
        body: "{}",
      });

      expect([status, body.reason]).toEqual([400, "BadRequest"]);
    });

    it("refuses a body in an unknown format", async () => {
      const { status, body } = await call(SECRETS, { method: "POST", contentType: "text/plain", body: "x" });

      expect([status, body.reason]).toEqual([415, "UnsupportedMediaType"]);
      expect(body.message).toContain("accepted media types include: application/json, application/yaml");
    });

    it.each([
      { page: "api/v1", path: "/api/v1/namespaces/{namespace}/secrets/{name}", kind: "Secret", group: "" },
      {
        page: "apis/apps/v1",
        path: "/apis/apps/v1/namespaces/{namespace}/deployments/{name}",
        kind: "Deployment",
        group: "apps",
      },
    ])("declares in OpenAPI that $kind supports field validation", async ({ page, path, kind, group }) => {
      const root = await call("/openapi/v3");
      const { paths } = parsed((await call(parsed(root.body).paths[page].serverRelativeURL)).body);

      const { patch } = paths[path];
      expect(patch["x-kubernetes-group-version-kind"]).toEqual({ group, version: "v1", kind });
      expect(patch.parameters).toContainEqual(
        expect.objectContaining({ name: "fieldValidation", in: "query" }),
      );
    });

    it("shows an Event of events.k8s.io as one of core/v1, by its object", async () => {
      const name = unique();
      const about = unique();
      const posted = await call(`/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`, {
        method: "POST",
        body: {
          apiVersion: "events.k8s.io/v1",
          kind: "Event",
          metadata: { name, namespace: NAMESPACE },
          eventTime: "2026-11-24T10:00:00.000000Z",
          type: "Normal",
          reason: "SecretUpdated",
          action: "Sync",
          note: "Updated",
          reportingController: "secret-relay",
          reportingInstance: "secret-relay",
          regarding: { apiVersion: "v1", kind: "Secret", namespace: NAMESPACE, name: about, uid: "1" },
        },
      });
      const selector = `involvedObject.name=${about},involvedObject.kind=Secret,involvedObject.uid=1`;

      const listed = await call(
        `/api/v1/namespaces/${NAMESPACE}/events?fieldSelector=${encodeURIComponent(selector)}`,
      );

      expect(posted.status).toBe(201);
      expect(listed.body.items).toHaveLength(1);
      expect(listed.body.items[0]).toMatchObject({
        metadata: { name },
        involvedObject: { kind: "Secret", name: about },
        message: "Updated",
        reason: "SecretUpdated",
        reportingComponent: "secret-relay",
      });
    });

    it("merges containers by name in a strategic merge patch, and follows its directives", async () => {
      const name = unique();
      const deployments = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
      const containers = [
        { name: "main", image: "example.com/main:1", env: [{ name: "A", value: "1" }] },
        { name: "old", image: "example.com/old:1" },
      ];
      await call(deployments, {
        method: "POST",
        body: {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name },
          spec: {
            selector: { matchLabels: { app: name } },
            template: { metadata: { labels: { app: name } }, spec: { containers } },
          },
        },
      });

      const patched = await call(`${deployments}/${name}?fieldManager=editor`, {
        method: "PATCH",
        contentType: STRATEGIC,
        body: {
          spec: {
            template: {
              spec: {
                "$setElementOrder/containers": [{ name: "new" }, { name: "main" }],
                containers: [
                  { name: "new", image: "example.com/new:1" },
                  { name: "main", image: "example.com/main:2" },
                  { $patch: "delete", name: "old" },
                ],
              },
            },
          },
        },
      });

      expect(patched.status).toBe(200);
      expect(patched.body.spec.replicas).toBe(1);
      expect(patched.body.spec.template.spec.containers).toMatchObject([
        { name: "new", image: "example.com/new:1" },
        { name: "main", image: "example.com/main:2", env: [{ name: "A", value: "1" }] },
      ]);
    });
  });
}

/** A real API server sends OpenAPI as text/plain. */
const parsed = (body: unknown) => (typeof body === "string" ? JSON.parse(body) : body);

/** A Secret as client-go sends it: an envelope with the kind, and fields by the numbers of k8s.io/api. All are short. */
function protobufSecret(name: string, key: string, value: string): string {
  const field = (number: number, content: string) =>
    String.fromCharCode(number * 8 + 2, content.length) + content;
  const secret = field(1, field(1, name)) + field(2, field(1, key) + field(2, value));
  return `k8s\0${field(1, field(1, "v1") + field(2, "Secret"))}${field(2, secret)}`;
}
