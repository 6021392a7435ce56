import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { getBinary } from "../real/control-plane/binaries.ts";

/** The kubectl that build.sh has built, or the machine's own if it is new enough to send what today's kubectl sends. */
export function findKubectl(): string | undefined {
  try {
    return getBinary("kubectl");
  } catch {
    return isRecent("kubectl") ? "kubectl" : undefined;
  }
}

/** While tests are collected: without kubectl it adds a test that fails in CI, and is skipped elsewhere. */
export function findKubectlOrReport(): string | undefined {
  const kubectl = findKubectl();
  if (kubectl === undefined) {
    const why = "kubectl 1.32 or newer is missing: run test/real/control-plane/build.sh kubectl";
    const missing = process.env.CI ? it : it.skip;
    missing(why, () => expect.unreachable(why));
  }
  return kubectl;
}

/** Since 1.32 kubectl sends protobuf. */
const MINOR_MIN = 32;

function isRecent(kubectl: string): boolean {
  try {
    const version = execFileSync(kubectl, ["version", "--client", "-o", "json"], { encoding: "utf8" });
    return Number.parseInt(JSON.parse(version).clientVersion.minor, 10) >= MINOR_MIN;
  } catch {
    return false;
  }
}
