import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { KubernetesCall } from "../../harness/kubernetes-request.ts";
import { mintTestToken } from "../../harness/mint-test-token.ts";
import { testCredentials } from "../../harness/test-credentials.ts";
import {
  APPLY,
  type ContractContext,
  ledger,
  NAMESPACE,
  SECRETS,
  secretNamed,
  secretsThrough,
  unique,
  X,
  Y,
} from "./fixtures.ts";

/** Who may do what: tokens, roles by name, and the words of a refusal. */
export function describeCallers({ backend, call }: ContractContext): void {
  describe("a caller", () => {
    const user = testCredentials.arn;
    const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/roles`;
    const binding = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/rolebindings`;
    const clusterRole = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    const clusterBinding = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    const bound = unique();
    const patchOnly = unique();
    let token: string;

    const grant = async (name: string, rules: object[], isClusterWide = false) => {
      const apiVersion = "rbac.authorization.k8s.io/v1";
      const kind = isClusterWide ? "ClusterRole" : "Role";
      const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind, name };
      const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: backend().relayGroup }];
      const options = (body: object) => ({ method: "PATCH", contentType: APPLY, body });
      const metadata = { name };
      const written = [
        await call(
          `${isClusterWide ? clusterRole : role}/${name}?fieldManager=test`,
          options({ apiVersion, kind, metadata, rules }),
        ),
        await call(
          `${isClusterWide ? clusterBinding : binding}/${name}?fieldManager=test`,
          options({ apiVersion, kind: `${kind}Binding`, metadata, roleRef, subjects }),
        ),
      ];
      expect(written.map(({ status }) => status)).toEqual([201, 201]);
      return written;
    };
    const asRelay: KubernetesCall = (path, options) => call(path, { token, ...options });
    const relaySecrets = secretsThrough(asRelay);

    beforeAll(async () => {
      token = await mintTestToken(backend());
      await grant(unique(), [
        {
          apiGroups: [""],
          resources: ["secrets"],
          verbs: ["get", "create", "patch"],
          resourceNames: [bound],
        },
        { apiGroups: [""], resources: ["secrets"], verbs: ["patch", "list"], resourceNames: [patchOnly] },
      ]);
      // A real server hears of new roles by a watch of its own.
      await eventually(async () => expect((await relaySecrets.get(bound)).status).not.toBe(403));
    });

    it("without a token is anonymous", async () => {
      const refused = await call(SECRETS, { token: null });

      expect(refused.status).toBe(403);
      expect(refused.body.message).toContain('User "system:anonymous" cannot list resource "secrets"');
    });

    it.each([
      { it: "a token of no known form", mint: async () => "nonsense" },
      {
        it: "a token for another cluster",
        mint: () => mintTestToken({ ...backend(), clusterName: "another" }),
      },
      {
        it: "a token of 16 minutes ago",
        mint: () => mintTestToken({ ...backend(), signingDate: new Date(Date.now() - 16 * 60_000) }),
      },
      {
        it: "a token that another key has signed",
        mint: () =>
          mintTestToken({ ...backend(), credentials: { ...testCredentials, secretAccessKey: "another" } }),
      },
    ])("with $it is unauthorized", async ({ mint }) => {
      const refused = await call(SECRETS, { token: await mint() });

      expect(refused.status).toBe(401);
      expect(refused.body).toEqual({
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: "Unauthorized",
        reason: "Unauthorized",
        code: 401,
      });
    });

    it("with an EKS token has the identity of the role, in the relay's group", async () => {
      const review = await asRelay("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
        method: "POST",
        body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
      });

      expect(review.body.status.userInfo.username).toBe(user);
      expect(review.body.status.userInfo.groups).toEqual([backend().relayGroup, "system:authenticated"]);
    });

    it("can create by apply if a role names the Secret", async () => {
      expect((await relaySecrets.apply(bound, { data: { x: X } })).status).toBe(201);
      expect((await relaySecrets.apply(bound, { data: { x: Y } })).status).toBe(200);
    });

    const refusals = [
      {
        it: "apply another Secret",
        act: () => relaySecrets.apply("other", {}),
        verb: "patch",
        name: "other",
      },
      { it: "get another Secret", act: () => relaySecrets.get("other"), verb: "get", name: "other" },
      {
        it: "create by POST, named or not",
        act: () => relaySecrets.create(secretNamed(bound, {})),
        verb: "create",
      },
      { it: "list", act: () => asRelay(SECRETS), verb: "list" },
      { it: "watch", act: () => asRelay(`${SECRETS}?watch=true`), verb: "watch" },
      { it: "delete", act: () => relaySecrets.delete(bound), verb: "delete", name: bound },
      {
        it: "replace",
        act: () => relaySecrets.replace(bound, secretNamed(bound, {})),
        verb: "update",
        name: bound,
      },
      {
        it: "create by applying with only the right to patch",
        act: () => relaySecrets.apply(patchOnly, { data: { x: X } }),
        verb: "create",
        name: patchOnly,
      },
      {
        it: "list by another name",
        act: () => asRelay(`${SECRETS}?fieldSelector=metadata.name%3Dother`),
        verb: "list",
        name: "other",
      },
    ];
    it.each(refusals)("may not $it", async ({ act, verb, name }) => {
      const refused = await act();

      expect(refused.status).toBe(403);
      const what = name ? `secrets "${name}"` : "secrets";
      expect(refused.body).toEqual({
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: `${what} is forbidden: User "${user}" cannot ${verb} resource "secrets" in API group "" in the namespace "${NAMESPACE}"`,
        reason: "Forbidden",
        details: { ...(name ? { name } : {}), kind: "secrets" },
        code: 403,
      });
    });

    it("gets the cluster scope in the refusal of a cluster-wide list", async () => {
      const refused = await asRelay("/api/v1/secrets");

      expect(refused.body.message).toBe(
        `secrets is forbidden: User "${user}" cannot list resource "secrets" in API group "" at the cluster scope`,
      );
    });

    it("gets the API group in the refusal, if there is one", async () => {
      const refused = await asRelay(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/x`);

      expect(refused.body.details).toEqual({ name: "x", group: "apps", kind: "deployments" });
      expect(refused.body.message).toContain('deployments.apps "x" is forbidden');
    });

    it("with only patch gets a 404 for a merge patch of an absent object", async () => {
      expect((await relaySecrets.merge(patchOnly, {}, "relay")).status).toBe(404);
    });

    it("can list by the one name that a role allows", async () => {
      const list = await asRelay(`${SECRETS}?fieldSelector=metadata.name%3D${patchOnly}`);

      expect(list.status).toBe(200);
    });

    it.each([
      { name: bound, verb: "create", allowed: true },
      { name: "other", verb: "create", allowed: false },
      { name: undefined, verb: "list", allowed: false },
    ])("can ask whether it may $verb $name: $allowed", async ({ name, verb, allowed }) => {
      const resourceAttributes = {
        verb,
        resource: "secrets",
        namespace: NAMESPACE,
        ...(name ? { name } : {}),
      };
      const review = await asRelay("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
        method: "POST",
        body: {
          apiVersion: "authorization.k8s.io/v1",
          kind: "SelfSubjectAccessReview",
          spec: { resourceAttributes },
        },
      });

      expect(review.status).toBe(201);
      expect(review.body.status.allowed).toBe(allowed);
    });

    describe("that asks about another's permissions", () => {
      const KINDS = {
        localsubjectaccessreviews: "LocalSubjectAccessReview",
        subjectaccessreviews: "SubjectAccessReview",
      };
      type Review = keyof typeof KINDS;
      const ask = (review: Review, name: string, as: KubernetesCall = call, of = NAMESPACE) => {
        const path = review === "localsubjectaccessreviews" ? `namespaces/${NAMESPACE}/${review}` : review;
        const resourceAttributes = { verb: "create", resource: "secrets", namespace: of, name };
        return as(`/apis/authorization.k8s.io/v1/${path}`, {
          method: "POST",
          body: {
            apiVersion: "authorization.k8s.io/v1",
            kind: KINDS[review],
            ...(review === "localsubjectaccessreviews" && { metadata: { namespace: NAMESPACE } }),
            spec: { user: "somebody", groups: [backend().relayGroup], resourceAttributes },
          },
        });
      };
      const reviews = Object.keys(KINDS) as Review[];

      it.each(reviews)("gets the permissions of a group from %s", async (review) => {
        const [allowed, refused] = await Promise.all([ask(review, bound), ask(review, "other")]);

        expect([allowed.status, allowed.body.status.allowed]).toEqual([201, true]);
        expect([refused.status, refused.body.status.allowed]).toEqual([201, false]);
      });

      it.each(reviews)("needs a separate permission for %s", async (review) => {
        const refused = await ask(review, bound, asRelay);

        expect(refused.status).toBe(403);
        expect(refused.body.message).toContain(`cannot create resource "${review}"`);
      });

      it("must ask in the namespace of the question", async () => {
        expect((await ask("localsubjectaccessreviews", bound, call, "default")).status).toBe(422);
      });
    });

    it("has the permissions of a ClusterRoleBinding in every namespace", async () => {
      const [granted] = await grant(
        unique(),
        [{ apiGroups: ["*"], resources: ["namespaces"], verbs: ["list"] }],
        true,
      );
      await eventually(async () => expect((await asRelay("/api/v1/namespaces")).status).toBe(200));

      expect(granted && ledger(granted)[0]?.fields).toEqual({ "f:rules": {} });
    });

    it("owns a role reference and the subjects as a whole", async () => {
      const [, bindingMade] = await grant(unique(), [
        { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
      ]);

      expect(bindingMade && ledger(bindingMade)[0]?.fields).toEqual({ "f:roleRef": {}, "f:subjects": {} });
    });

    it("cannot create a role without verbs and groups", async () => {
      const name = unique();
      const refused = await call(`${role}/${name}?fieldManager=test`, {
        method: "PATCH",
        contentType: APPLY,
        body: {
          apiVersion: "rbac.authorization.k8s.io/v1",
          kind: "Role",
          metadata: { name },
          rules: [{ resources: ["secrets"] }],
        },
      });

      expect(refused.status).toBe(422);
      expect(refused.body.message).toContain(`Role.rbac.authorization.k8s.io "${name}" is invalid`);
      expect(refused.body.details.causes.map(({ field }: { field: string }) => field)).toEqual([
        "rules[0].verbs",
        "rules[0].apiGroups",
      ]);
    });
  });
}

async function eventually(claim: () => Promise<void>): Promise<void> {
  const giveUpAt = Date.now() + 5_000;
  for (;;) {
    try {
      return await claim();
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await sleep(20);
    }
  }
}
