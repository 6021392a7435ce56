import { DeleteSecretCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { type Drift, type Fleet, type Member, must, pathOf, sourceValue } from "./fleet.ts";
import { RELAY_METADATA } from "./relay-metadata.ts";
import { encodeData } from "./scene.ts";

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

/** As a sweep that observed source or binding gone, more than the grace period ago. */
const noteGone = (fleet: Fleet, member: Member): Promise<void> => {
  const goneSince = new Date(Date.now() - 25 * 3_600_000).toISOString();
  const metadata = { annotations: { [RELAY_METADATA.annotations.goneSince]: goneSince } };
  return patch({ metadata }, RELAY_METADATA.fieldManager)(fleet, member);
};

/** Drift that a sweep repairs, so that the next one finds nothing. */
export const REPAIRABLE: readonly Drift[] = [
  { name: "a rotation whose event was lost", code: "STALE", action: "written", act: rotate },
  { name: "a deleted Secret", code: "MISSING", action: "written", act: deleteSecret },
  {
    name: "a changed value",
    code: "TAMPERED",
    action: "written",
    act: patch({ data: encodeData({ password: "tampered" }) }),
  },
  {
    name: "a changed value where the binding does not adopt",
    code: "TAMPERED",
    action: "written",
    rules: { adopt: false },
    act: patch({ data: encodeData({ password: "tampered" }) }),
  },
  { name: "a removed key", code: "TAMPERED", action: "written", act: patch({ data: { password: null } }) },
  {
    name: "the relay's label removed",
    code: "TAMPERED",
    action: "written",
    act: patch({ metadata: { labels: { "secret-relay/managed": null } } }),
  },
  {
    name: "a changed label of the binding's",
    code: "TAMPERED",
    action: "written",
    act: patch({ metadata: { labels: { team: "other" } } }),
  },
  {
    name: "a changed annotation of the relay's",
    code: "TAMPERED",
    action: "written",
    act: patch({ metadata: { annotations: { "secret-relay/source": "elsewhere" } } }),
  },
  {
    name: "all annotations removed",
    code: "TAMPERED",
    action: "written",
    act: patch({ metadata: { annotations: null } }),
  },
  {
    name: "a forced apply by another field manager",
    code: "TAKEN_OVER",
    action: "written",
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
    action: "written",
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
    name: "another owner's Secret where the binding adopts",
    code: "NOT_OURS",
    action: "written",
    act: createForeign(),
  },
  {
    name: "changed rules of the binding",
    code: "FINGERPRINT_CHANGED",
    action: "written",
    wasBoundAs: (binding) => ({ ...binding, fingerprint: "before" }),
    act: nothing,
  },
  {
    name: "an orphan whose binding said delete, noted a day ago",
    code: "ORPHAN",
    action: "deleted",
    rules: { deletionPolicy: "delete" },
    isUnbound: true,
    act: noteGone,
  },
];

/** Drift that needs an operator: the next sweep finds it again. */
export const LASTING: readonly Drift[] = [
  {
    name: "another owner's Secret where the binding does not adopt",
    code: "NOT_OURS",
    action: "refuse",
    again: "refuse",
    refusal: "TARGET_NOT_OURS",
    rules: { adopt: false },
    act: createForeign(),
  },
  {
    name: "another type",
    code: "TYPE_DIFFERS",
    action: "refuse",
    again: "refuse",
    refusal: "TARGET_TYPE_DIFFERS",
    act: createForeign({ type: "kubernetes.io/basic-auth" }),
  },
  {
    name: "a rotation of an immutable Secret",
    code: "IMMUTABLE",
    action: "refuse",
    again: "refuse",
    refusal: "TARGET_IMMUTABLE",
    act: inTurn(patch({ immutable: true }), rotate),
  },
  {
    name: "a Secret that a controller owns",
    code: "OWNED_BY_CONTROLLER",
    action: "refuse",
    again: "refuse",
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
    action: "refuse",
    again: "refuse",
    refusal: "TARGET_BEING_DELETED",
    act: inTurn(patch({ metadata: { finalizers: ["example.com/hold"] } }), deleteSecret),
  },
  {
    name: "a source permanently gone, under deletionPolicy delete, noted a day ago",
    code: "SOURCE_MISSING",
    action: "deleted",
    again: "refuse",
    rules: { deletionPolicy: "delete" },
    act: inTurn(deleteSource(false), noteGone),
  },
  {
    name: "a source permanently gone, under deletionPolicy delete, observed for the first time",
    code: "SOURCE_MISSING",
    action: "none",
    again: "none",
    rules: { deletionPolicy: "delete" },
    act: deleteSource(false),
  },
  {
    name: "a source permanently gone, under deletionPolicy retain",
    code: "SOURCE_MISSING",
    action: "refuse",
    again: "refuse",
    act: deleteSource(false),
  },
  {
    name: "a source that can still be restored",
    code: "SOURCE_SCHEDULED_FOR_DELETION",
    action: "refuse",
    again: "refuse",
    rules: { deletionPolicy: "delete" },
    act: deleteSource(true),
  },
  {
    name: "an orphan whose binding said retain",
    code: "ORPHAN",
    action: "none",
    again: "none",
    isUnbound: true,
    act: nothing,
  },
  {
    name: "a rotation to a value that has no keys",
    code: "UNRENDERABLE",
    action: "refused",
    again: "refused",
    refusal: "SOURCE_NOT_JSON_OBJECT",
    act: async ({ secrets }, { source }) => {
      await secrets.send(new PutSecretValueCommand({ SecretId: source.arn, SecretString: "no JSON" }));
    },
  },
];

/** The requested number, cycling through all kinds. */
export function mixDrifts(kinds: readonly Drift[], count: number): Drift[] {
  return Array.from({ length: count }, (_, index) => kinds[index % kinds.length] as Drift);
}
