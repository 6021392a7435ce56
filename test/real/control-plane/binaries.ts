import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const SOURCES = {
  actionlint: ["actionlint/go.mod", "actionlint/go.sum"],
  etcd: ["etcd/go.mod", "etcd/go.sum"],
  "kube-apiserver": ["kube-apiserver/go.mod", "kube-apiserver/go.sum"],
  "kube-controller-manager": ["kube-controller-manager/go.mod", "kube-controller-manager/go.sum"],
  kubectl: ["kubectl/go.mod", "kubectl/go.sum"],
  "read-docker-configs": [
    "kube-apiserver/go.mod",
    "kube-apiserver/go.sum",
    "kube-apiserver/read-docker-configs/main.go",
  ],
  "render-go-templates": ["sprig/go.mod", "sprig/go.sum", "sprig/render-go-templates/main.go"],
} as const;

/** The path of a binary from build.sh. The folder name is a hash of its sources. */
export function getBinary(name: keyof typeof SOURCES): string {
  const sources = SOURCES[name].map((file) => readFileSync(join(import.meta.dirname, file)));
  const hash = createHash("sha256").update(Buffer.concat(sources)).digest("hex").slice(0, 16);
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const path = join(cache, "eks-secret-relay", "bin", hash, name);
  if (!existsSync(path))
    throw new Error(`${name} is not built: run test/real/control-plane/build.sh (${path})`);
  return path;
}
