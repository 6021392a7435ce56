import { DeleteSecretCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { encodeData } from "../contract/scene.ts";
import { type Drift, type Fleet, type Member, must, pathOf, sourceValue } from "./fleet.ts";

const nothing = async (): Promise<void> => {};

const rotate = async ({ secrets }: Fleet, { source }: Member): Promise<void> => {
  const SecretString = sourceValue(source.name, "second");
  await secrets.send(new PutSecretValueCommand({ SecretId: source.arn, SecretString }));
};

const patch =
  (body: object, manager = "kubectl-edit") =>
  ({ admin }: Fleet, { binding }: Member): Promise<void> =>
    must(admin, `${pathOf(binding.target)}?fieldManager=${manager}`, {
      method: "PATCH",
      contentType: "application/merge-patch+json",
      body,
    });

const deleteSecret = ({ admin }: Fleet, { binding }: Member): Promise<void> =>
  must(admin, pathOf(binding.target), { method: "DELETE" });

const createForeign =
  (more: object = {}) =>
  async (fleet: Fleet, member: Member): Promise<void> => {
    const { namespace, name } = member.binding.target;
    await deleteSecret(fleet, member);
    const data = encodeData({ username: "u", password: "theirs" });
    await must(fleet.admin, `/api/v1/namespaces/${namespace}/secrets`, {
      method: "POST",
      body: { apiVersion: "v1", kind: "Secret", metadata: { name }, data, ...more },
    });
  };

const deleteSource =
  (isRestorable: boolean) =>
  async ({ secrets }: Fleet, { source }: Member): Promise<void> => {
    await secrets.send(
      new DeleteSecretCommand({ SecretId: source.arn, ForceDeleteWithoutRecovery: !isRestorable }),
    );
  };

const inTurn =
  (...acts: Drift["act"][]): Drift["act"] =>
  async (fleet, member) => {
    for (const act of acts) await act(fleet, member);
  };

/** Drift that a sweep repairs, so that the next one finds nothing. */
export const REPAIRABLE: readonly Drift[] = [
  { name: "a rotation whose event was lost", code: "STALE", action: "repaired", act: rotate },
  { name: "a deleted Secret", code: "MISSING", action: "repaired", act: deleteSecret },
  {
    name: "a changed value",
    code: "TAMPERED",
    action: "repaired",
    act: patch({ data: encodeData({ password: "tampered" }) }),
  },
  { name: "a removed key", code: "TAMPERED", action: "repaired", act: patch({ data: { password: null } }) },
  {
    name: "the relay's label removed",
    code: "TAMPERED",
    action: "repaired",
    act: patch({ metadata: { labels: { "secret-relay/managed": null } } }),
  },
  {
    name: "a changed label of the binding's",
    code: "TAMPERED",
    action: "repaired",
    act: patch({ metadata: { labels: { team: "other" } } }),
  },
  {
    name: "a changed annotation of the relay's",
    code: "TAMPERED",
    action: "repaired",
    act: patch({ metadata: { annotations: { "secret-relay/source": "elsewhere" } } }),
  },
  {
    name: "all annotations removed",
    code: "TAMPERED",
    action: "repaired",
    act: patch({ metadata: { annotations: null } }),
  },
  {
    name: "a forced apply by another field manager",
    code: "TAKEN_OVER",
    action: "repaired",
    act: ({ admin }, { binding }) =>
      must(admin, `${pathOf(binding.target)}?fieldManager=gitops&force=true`, {
        method: "PATCH",
        contentType: "application/apply-patch+yaml",
        body: {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: binding.target.name },
          data: encodeData({ username: "x", password: "y", host: "h", port: "1" }),
        },
      }),
  },
  {
    name: "a Secret replaced as a whole",
    code: "TAKEN_OVER",
    action: "repaired",
    act: ({ admin }, { binding }) =>
      must(admin, `${pathOf(binding.target)}?fieldManager=kubectl-replace`, {
        method: "PUT",
        body: {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: binding.target.name },
          data: encodeData({ password: "replaced" }),
        },
      }),
  },
  {
    name: "somebody else's Secret where the binding adopts",
    code: "NOT_OURS",
    action: "repaired",
    act: createForeign(),
  },
  {
    name: "changed rules of the binding",
    code: "FINGERPRINT_CHANGED",
    action: "repaired",
    wasBoundAs: (binding) => ({ ...binding, fingerprint: "before" }),
    act: nothing,
  },
  {
    name: "an orphan whose binding said delete",
    code: "ORPHAN",
    action: "deleted",
    rules: { deletionPolicy: "delete" },
    isUnbound: true,
    act: nothing,
  },
];

/** Drift that a person must settle: it is found again by the next sweep. */
export const LASTING: readonly Drift[] = [
  {
    name: "a changed value where the binding does not adopt",
    code: "TAMPERED",
    action: "refused",
    again: "refused",
    refusal: "FIELD_OWNED_BY_ANOTHER",
    rules: { adopt: false },
    act: patch({ data: encodeData({ password: "tampered" }) }),
  },
  {
    name: "somebody else's Secret where the binding does not adopt",
    code: "NOT_OURS",
    action: "refused",
    again: "refused",
    refusal: "TARGET_NOT_OURS",
    rules: { adopt: false },
    act: createForeign(),
  },
  {
    name: "another type",
    code: "TYPE_DIFFERS",
    action: "refused",
    again: "refused",
    refusal: "TARGET_TYPE_DIFFERS",
    act: createForeign({ type: "kubernetes.io/basic-auth" }),
  },
  {
    name: "a rotation of an immutable Secret",
    code: "IMMUTABLE",
    action: "refused",
    again: "refused",
    refusal: "TARGET_IMMUTABLE",
    act: inTurn(patch({ immutable: true }), rotate),
  },
  {
    name: "a Secret that a controller owns",
    code: "OWNED_BY_CONTROLLER",
    action: "refused",
    again: "refused",
    refusal: "TARGET_OWNED_BY_CONTROLLER",
    act: patch({
      metadata: {
        ownerReferences: [
          { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "u-1", controller: true },
        ],
      },
    }),
  },
  {
    name: "a deleted Secret that a finalizer holds",
    code: "BEING_DELETED",
    action: "refused",
    again: "refused",
    refusal: "TARGET_BEING_DELETED",
    act: inTurn(patch({ metadata: { finalizers: ["example.com/hold"] } }), deleteSecret),
  },
  {
    name: "a source gone for good, under deletionPolicy delete",
    code: "SOURCE_MISSING",
    action: "deleted",
    again: "left",
    rules: { deletionPolicy: "delete" },
    act: deleteSource(false),
  },
  {
    name: "a source gone for good, under deletionPolicy retain",
    code: "SOURCE_MISSING",
    action: "left",
    again: "left",
    act: deleteSource(false),
  },
  {
    name: "a source that can still be restored",
    code: "SOURCE_SCHEDULED_FOR_DELETION",
    action: "left",
    again: "left",
    rules: { deletionPolicy: "delete" },
    act: deleteSource(true),
  },
  {
    name: "an orphan whose binding said retain",
    code: "ORPHAN",
    action: "left",
    again: "left",
    isUnbound: true,
    act: nothing,
  },
  {
    name: "a rotation to a value that has no keys",
    code: "STALE",
    action: "refused",
    again: "refused",
    refusal: "SOURCE_NOT_JSON_OBJECT",
    act: async ({ secrets }, { source }) => {
      await secrets.send(new PutSecretValueCommand({ SecretId: source.arn, SecretString: "no JSON" }));
    },
  },
];

/** As many as asked, every kind in turn. */
export function mixDrifts(kinds: readonly Drift[], count: number): Drift[] {
  return Array.from({ length: count }, (_, index) => kinds[index % kinds.length] as Drift);
}
