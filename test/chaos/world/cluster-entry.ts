import type { KubernetesBackend } from "../../harness/backend.ts";

/** In turn: pinned in the bindings, looked up at EKS, or by a role of another team. */
export function entryOf(index: number, name: string, backend: KubernetesBackend): object {
  const { region, endpoint, certificateAuthorityData } = backend;
  const found = { name, region };
  const entries = [{ ...found, endpoint, certificateAuthorityData }, found, { ...found, roleArn: ROLE_ARN }];
  return entries[index % entries.length] ?? found;
}

const ROLE_ARN = "arn:aws:iam::111122223333:role/relay-of-another-team";
