import { describe, it } from "vitest";
import type { FaultKind } from "../../sandbox/kubernetes/faults.ts";
import { secretBody } from "../cluster/api-server.ts";
import { newCanary } from "../harness/canary.ts";
import { base64, useFaultScene } from "./fault-scene.ts";

const struck = useFaultScene();

describe("no value leaks while the API server", () => {
  const canary = newCanary();
  const faults: { it: string; fault: FaultKind; verb?: string; remainingMs?: number }[] = [
    { it: "throttles", fault: { kind: "throttle", retryAfterSeconds: 0 } },
    { it: "requests a longer wait than the time left", fault: { kind: "throttle", retryAfterSeconds: 30 } },
    ...([500, 502, 503, 504] as const).map((status) => ({
      it: `answers ${status}`,
      fault: { kind: "server-error", status } as const,
      remainingMs: 3_000,
    })),
    { it: "closes the connection before a write", fault: { kind: "reset", when: "before" }, verb: "patch" },
    { it: "closes the connection after a write", fault: { kind: "reset", when: "after" }, verb: "patch" },
    { it: "closes the connection after a read", fault: { kind: "reset", when: "after" }, verb: "get" },
    { it: "refuses the token", fault: { kind: "unauthorized" } },
    { it: "is slower than the Lambda timeout", fault: { kind: "latency", ms: 700 }, remainingMs: 1_500 },
    {
      it: "stops within a response until the Lambda timeout",
      fault: { kind: "slow-body", pieceMs: 400, pieces: 4 },
      remainingMs: 1_900,
    },
    ...["get", "patch"].flatMap((verb) => [
      {
        it: `is a proxy whose page quotes the value (${verb})`,
        fault: { kind: "wrong-content", body: `<p>${canary}</p>`, contentType: "text/html" } as const,
        verb,
      },
      {
        it: `answers with broken JSON that holds the value (${verb})`,
        fault: {
          kind: "wrong-content",
          body: `{"kind":"Secret","data":{"password":"${base64(canary)}"`,
          contentType: "application/json",
        } as const,
        verb,
      },
      {
        it: `answers with the bare value (${verb})`,
        fault: { kind: "wrong-content", body: canary, contentType: "application/json" } as const,
        verb,
      },
      {
        it: `answers with the value where objects belong (${verb})`,
        fault: {
          kind: "wrong-content",
          body: JSON.stringify({
            ...secretBody({ labels: canary, annotations: [canary], managedFields: canary }),
            data: { password: { nested: canary } },
          }),
          contentType: "application/json",
        } as const,
        verb,
      },
    ]),
  ];
  it.each(faults)("$it", async ({ fault, verb, remainingMs }) => {
    const { faults } = struck.backend.sandbox.kubernetes;
    const match = (request: { verb: string; resource: string }) =>
      request.resource === "secrets" && (verb === undefined || request.verb === verb) && isUnderFault;
    let isUnderFault = false;
    faults.add({ ...fault, match });
    const strike = () => {
      isUnderFault = true;
    };
    const soothe = () => {
      isUnderFault = false;
    };
    await struck.rotateUnder(strike, soothe, remainingMs);
  });
});
