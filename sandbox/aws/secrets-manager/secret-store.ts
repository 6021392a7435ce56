import { randomInt } from "node:crypto";
import { type AwsError, invalidRequest, resourceNotFound } from "../aws-error.ts";
import { Secret, type SecretState } from "./secret.ts";

export type SecretStore = {
  /** Finds a secret by its name, full ARN or partial ARN. */
  find(secretId: string): Secret | undefined;
  get(secretId: string): Secret;
  /** The same for a change: refuses a secret that is scheduled for deletion. */
  getLiving(secretId: string): Secret;
  create(name: string, state: SecretState, owningService?: string): Secret;
  /** Deletes permanently. */
  remove(secret: Secret): void;
  /** In order of creation, after the given sequence number; deleted ones included, for stale lists. */
  after(sequence: number): Iterable<Secret>;
  /** The same backwards. */
  before(sequence: number): Iterable<Secret>;
  arnOf(name: string): string;
};

export type SecretHome = { readonly partition: string; readonly region: string; readonly accountId: string };

/** Secrets by name and by ARN, and in order of creation for the lists, so that no lookup scans all of them. */
export function createSecretStore(home: SecretHome, now: () => number): SecretStore {
  const byName = new Map<string, Secret>();
  const byArn = new Map<string, Secret>();
  let inOrder: Secret[] = [];
  let sequence = 0;
  let goneCount = 0;
  const arnPrefix = `arn:${home.partition}:secretsmanager:${home.region}:${home.accountId}:secret:`;

  const remove = (secret: Secret): void => {
    byName.delete(secret.name);
    byArn.delete(secret.arn);
    secret.goneAt = now();
    goneCount += 1;
    if (goneCount > 1_000 && goneCount > inOrder.length / 2) {
      inOrder = inOrder.filter(({ goneAt }) => goneAt === undefined || goneAt > now() - GONE_LISTED_MS_MAX);
      goneCount = inOrder.filter(({ goneAt }) => goneAt !== undefined).length;
    }
  };

  const lookUp = (secretId: string): Secret | undefined => {
    if (!secretId.startsWith("arn:")) return byName.get(secretId);
    const exact = byArn.get(secretId);
    if (exact !== undefined || !secretId.startsWith(arnPrefix)) return exact;
    const tail = secretId.slice(arnPrefix.length);
    // A trailing hyphen with six characters always counts as the suffix of a full ARN. That ARN does not exist here,
    // so a partial ARN of a name with such an ending finds nothing.
    return ENDS_LIKE_A_SUFFIX.test(tail) ? undefined : byName.get(tail);
  };

  const find = (secretId: string): Secret | undefined => {
    const secret = lookUp(secretId);
    if (secret?.state.deletionAt === undefined || secret.state.deletionAt > now()) return secret;
    remove(secret); // its recovery window is over
    return undefined;
  };

  const arnOf = (name: string): string => {
    for (;;) {
      const arn = `${arnPrefix}${name}-${randomSuffix()}`;
      if (!byArn.has(arn)) return arn;
    }
  };

  const get = (secretId: string): Secret => {
    const secret = find(secretId);
    if (secret === undefined) throw resourceNotFound("Secrets Manager can't find the specified secret.");
    return secret;
  };

  return {
    find,
    get,
    arnOf,
    remove,
    getLiving(secretId) {
      const secret = get(secretId);
      if (secret.state.deletionAt === undefined) return secret;
      throw markedForDeletion();
    },
    create(name, state, owningService) {
      sequence += 1;
      const secret = new Secret({ sequence, name, arn: arnOf(name), owningService, state });
      byName.set(name, secret);
      byArn.set(secret.arn, secret);
      inOrder.push(secret);
      return secret;
    },
    *after(last) {
      const secrets = inOrder;
      for (let index = firstAfter(secrets, last); index < secrets.length; index += 1) {
        yield secrets[index] as Secret;
      }
    },
    *before(last) {
      const secrets = inOrder;
      for (let index = firstAfter(secrets, last - 1) - 1; index >= 0; index -= 1)
        yield secrets[index] as Secret;
    },
  };
}

export function markedForDeletion(): AwsError {
  return invalidRequest("You can't perform this operation on the secret because it was marked for deletion.");
}

/** How long a list may still contain a deleted secret; AWS promises at most five minutes. */
const GONE_LISTED_MS_MAX = 10 * 60_000;
const ENDS_LIKE_A_SUFFIX = /-[A-Za-z0-9]{6}$/;
const SUFFIX_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

function randomSuffix(): string {
  let suffix = "";
  while (suffix.length < 6) suffix += SUFFIX_LETTERS.charAt(randomInt(SUFFIX_LETTERS.length));
  return suffix;
}

function firstAfter(secrets: readonly Secret[], sequence: number): number {
  let low = 0;
  let high = secrets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((secrets[middle] as Secret).sequence > sequence) high = middle;
    else low = middle + 1;
  }
  return low;
}
