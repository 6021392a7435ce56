import { describe, expect, it } from "vitest";
import { type ContractContext, NAMESPACE, unique } from "./fixtures.ts";

/** Events of events.k8s.io/v1: what one must have. */
export function describeEvents({ call }: ContractContext): void {
  describe("an Event", () => {
    const path = `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`;
    const whole = (more: object = {}) => ({
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: unique(), namespace: NAMESPACE },
      eventTime: "2026-11-24T10:00:00.000000Z",
      type: "Normal",
      reason: "SecretUpdated",
      action: "Sync",
      note: "Updated",
      reportingController: "secret-relay",
      reportingInstance: "secret-relay",
      regarding: { apiVersion: "v1", kind: "Secret", namespace: NAMESPACE, name: "db", uid: "1" },
      ...more,
    });
    const post = (body: object) => call(path, { method: "POST", body });

    it("is accepted if it is complete, and refused under an existing name", async () => {
      const event = whole();

      const first = await post(event);
      const second = await post(event);

      expect([first.status, second.status, second.body.reason]).toEqual([201, 409, "AlreadyExists"]);
      expect(first.body).toMatchObject({ reason: "SecretUpdated", regarding: { name: "db", uid: "1" } });
    });

    it.each([
      { it: "without a time", more: { eventTime: null }, field: "eventTime" },
      { it: "without a controller", more: { reportingController: "" }, field: "reportingController" },
      { it: "without an instance", more: { reportingInstance: "" }, field: "reportingInstance" },
      {
        it: "with too long an instance",
        more: { reportingInstance: "x".repeat(129) },
        field: "reportingInstance",
      },
      { it: "without an action", more: { action: "" }, field: "action" },
      { it: "with too long an action", more: { action: "x".repeat(129) }, field: "action" },
      { it: "without a reason", more: { reason: "" }, field: "reason" },
      { it: "with too long a reason", more: { reason: "x".repeat(129) }, field: "reason" },
      { it: "of another type", more: { type: "Error" }, field: "type" },
      { it: "with too long a note", more: { note: "x".repeat(1_025) }, field: "message" },
    ])("is refused $it", async ({ more, field }) => {
      const { status, body } = await post(whole(more));

      const fields = body.details?.causes?.map((cause: { field: string }) => cause.field);
      expect([status, body.reason, [...new Set(fields)]]).toEqual([422, "Invalid", [field]]);
    });
  });
}
