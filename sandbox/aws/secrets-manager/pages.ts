import { AwsError } from "../aws-error.ts";
import type { SecretsManagerContext } from "./context.ts";
import type { Filter } from "./filters.ts";
import type { Secret, SecretState } from "./secret.ts";

export type Page = {
  readonly entries: readonly { secret: Secret; state: SecretState }[];
  readonly next: { NextToken?: string };
};

export type PageRequest = {
  readonly token: string | undefined;
  readonly pageMax: number;
  readonly filters: readonly Filter[];
  readonly includeDeleted: boolean;
  /** Newest first. */
  readonly descending?: boolean;
};

/**
 * One page of a list, in order of creation. A page ends when it is full or enough secrets were examined, so a filtered
 * page can be short or empty and still have a NextToken, as AWS warns.
 */
export function listPage(context: SecretsManagerContext, request: PageRequest): Page {
  const { store, options, now } = context;
  const at = now() - options.listStaleMs;
  const entries: { secret: Secret; state: SecretState }[] = [];
  let scanned = 0;
  let last = parseToken(request.token) ?? (request.descending ? Number.MAX_SAFE_INTEGER : 0);
  for (const secret of request.descending ? store.before(last) : store.after(last)) {
    if (entries.length === request.pageMax || scanned === options.scannedPerPageMax) {
      return { entries, next: { NextToken: printToken(last) } };
    }
    scanned += 1;
    last = secret.sequence;
    const state = secret.stateAt(at);
    if (state === undefined || isHidden(state, now(), request.includeDeleted)) continue;
    if (request.filters.every((matches) => matches(secret, state))) entries.push({ secret, state });
  }
  return { entries, next: {} };
}

function isHidden({ deletionAt }: SecretState, now: number, includeDeleted: boolean): boolean {
  return deletionAt !== undefined && (!includeDeleted || deletionAt <= now);
}

const TOKEN_PREFIX = "after:";

function printToken(sequence: number): string {
  return Buffer.from(`${TOKEN_PREFIX}${sequence}`).toString("base64url");
}

function parseToken(token: string | undefined): number | undefined {
  if (token === undefined) return undefined;
  const plain = Buffer.from(token, "base64url").toString();
  const sequence = Number(plain.slice(TOKEN_PREFIX.length));
  if (plain.startsWith(TOKEN_PREFIX) && Number.isSafeInteger(sequence)) return sequence;
  throw new AwsError("InvalidNextTokenException", "The NextToken value is invalid.");
}
