import { execFileSync } from "node:child_process";
import { getBinary } from "../real/control-plane/binaries.ts";

/** The kubectl that build.sh has built, or the machine's own if it is new enough to send what today's kubectl sends. */
export function findKubectl(): string | undefined {
  try {
    return getBinary("kubectl");
  } catch {
    return isRecent("kubectl") ? "kubectl" : undefined;
  }
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
