import type { KubernetesBackend } from "../../harness/backend.ts";
import type { Clock } from "../../harness/clock.ts";
import type { KubernetesCall, KubernetesResponse } from "../../harness/kubernetes-request.ts";

/** The shared state of the contract. The backend is started before the tests run. */
export type ContractContext = {
  backend: () => KubernetesBackend;
  clock: Clock;
  /** As the administrator. */
  call: KubernetesCall;
};

export const NAMESPACE = "contract";
export const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`;
export const APPLY = "application/apply-patch+yaml";
export const MERGE = "application/merge-patch+json";
export const STRATEGIC = "application/strategic-merge-patch+json";
export const JSON_PATCH = "application/json-patch+json";
export const X = Buffer.from("x").toString("base64");
export const Y = Buffer.from("another").toString("base64");

export type SecretBody = { metadata?: object; [field: string]: unknown };

let count = 0;
export const unique = (): string => {
  count += 1;
  return `object-${count}`;
};

export const secretNamed = (name: string, { metadata, ...rest }: SecretBody) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, ...metadata },
  ...rest,
});

export function secretsThrough(call: KubernetesCall) {
  const patch = (name: string, body: unknown, contentType: string, manager = "editor") =>
    call(`${SECRETS}/${name}?fieldManager=${manager}`, { method: "PATCH", contentType, body });
  return {
    patch,
    get: (name: string, as?: string) => call(`${SECRETS}/${name}`, as ? { accept: as } : {}),
    apply: (name: string, body: SecretBody, options: { query?: string; manager?: string } = {}) => {
      const { query, manager = "relay" } = options;
      const parameters = [...(manager ? [`fieldManager=${manager}`] : []), ...(query ? [query] : [])];
      return call(`${SECRETS}/${name}?${parameters.join("&")}`, {
        method: "PATCH",
        contentType: APPLY,
        body: secretNamed(name, body),
      });
    },
    merge: (name: string, body: unknown, manager: string) => patch(name, body, MERGE, manager),
    create: (body: unknown, query = "") => call(`${SECRETS}?${query}`, { method: "POST", body }),
    replace: (name: string, body: unknown) =>
      call(`${SECRETS}/${name}?fieldManager=editor`, { method: "PUT", body }),
    delete: (name: string, body?: unknown) => call(`${SECRETS}/${name}`, { method: "DELETE", body }),
  };
}

export type LedgerEntry = { owner: string; timed: boolean; fields: Record<string, unknown> };

/** managedFields without what differs from run to run: in order, but for the times by which it is sorted. */
export function ledger({ body }: KubernetesResponse): LedgerEntry[] {
  const entries: { manager: string; operation: string; time?: string; fieldsV1: Record<string, unknown> }[] =
    body.metadata.managedFields ?? [];
  return entries
    .map(({ manager, operation, time, fieldsV1 }) => ({
      owner: `${manager} ${operation}`,
      timed: time !== undefined,
      fields: fieldsV1,
    }))
    .sort((a, b) => rank(a).localeCompare(rank(b)));
}

const rank = ({ owner, timed }: LedgerEntry): string => {
  const [manager, operation] = owner.split(" ");
  return `${operation} ${timed} ${manager}`;
};

export const accept = (as: string): string => `application/json;as=${as};g=meta.k8s.io;v=v1`;
