import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The path of a binary from build.sh. The folder name is a hash of its sources. */
export function getBinary(name: "etcd" | "kube-apiserver" | "kubectl"): string {
  const module = join(import.meta.dirname, name);
  const sources = ["go.mod", "go.sum"].map((file) => readFileSync(join(module, file)));
  const hash = createHash("sha256").update(Buffer.concat(sources)).digest("hex").slice(0, 16);
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const path = join(cache, "eks-secret-relay", "bin", hash, name);
  if (!existsSync(path))
    throw new Error(`${name} is not built: run test/real/control-plane/build.sh (${path})`);
  return path;
}
