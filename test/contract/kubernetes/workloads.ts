import { describe, expect, it } from "vitest";
import { APPLY, type ContractContext, ledger, MERGE, NAMESPACE, STRATEGIC, unique } from "./fixtures.ts";

/** Restarting what reads its Secret only at start. */
export function describeWorkloads({ call }: ContractContext): void {
  describe("a workload", () => {
    const deployments = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
    const annotations = { "example.com/version": "v1" };
    const restart = { spec: { template: { metadata: { annotations } } } };

    it.each([
      {
        it: "a strategic merge patch",
        contentType: STRATEGIC,
        query: "fieldManager=editor",
        operation: "Update",
        own: { ".": {} },
      },
      {
        it: "a merge patch",
        contentType: MERGE,
        query: "fieldManager=editor",
        operation: "Update",
        own: { ".": {} },
      },
      { it: "an apply", contentType: APPLY, query: "fieldManager=editor", operation: "Apply", own: {} },
    ])("is rolled by $it on its template, once", async ({ contentType, query, operation, own }) => {
      const name = unique();
      await call(deployments, { method: "POST", body: deploymentNamed(name) });
      const body =
        contentType === APPLY
          ? { apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, ...restart }
          : restart;
      const patch = { method: "PATCH", contentType, body };

      const first = await call(`${deployments}/${name}?${query}`, patch);
      const second = await call(`${deployments}/${name}?${query}`, patch);

      expect(first.status).toBe(200);
      expect(first.body.metadata.generation).toBe(2);
      expect(first.body.spec.template.spec.containers[0].name).toBe("main");
      expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
      expect(ledger(first).find(({ owner }) => owner === `editor ${operation}`)?.fields).toEqual({
        "f:spec": {
          "f:template": { "f:metadata": { "f:annotations": { ...own, "f:example.com/version": {} } } },
        },
      });
    });
  });
}

const deploymentNamed = (name: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "main", image: "example.com/main:1" }] },
    },
  },
});
