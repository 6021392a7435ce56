import { RelayError } from "../relay-error.ts";
import { keyOfSource } from "../secret-id/key-of-source.ts";
import { parseSecretReference } from "../secret-id/parse-secret-reference.ts";
import { lookupNames, referencesMayMatch } from "../secret-id/references-may-match.ts";
import type { SecretHome, SourceAt } from "../secret-id/secret-id.ts";
import type { SourceCatalog } from "../source/source-catalog.ts";
import { type SourceState, sourceStateOf } from "../source/source-state.ts";
import type { TimeBudget } from "../time-budget/time-budget.ts";
import { namePrefixesOf } from "./name-prefixes.ts";

export type ObserveSourcesRequest = {
  readonly sources: readonly SourceAt[];
  /** Where the sweep runs: ListSecrets sees that account and Region only. */
  readonly self: SecretHome;
  readonly budget: TimeBudget;
};

/**
 * The current version of each source, by its key, in few calls and without a value.
 *
 * A page of ListSecrets tells of up to 100 sources, a DescribeSecret of one. Few sources are described; many are
 * listed, narrowed by the prefixes that their names share. When the account holds far more secrets than are bound, the
 * pages bring little: then listing stops, and the rest is described. Sources elsewhere can only be described.
 *
 * What is listed may be five minutes old; whoever acts on it must confirm it first. A source that was not looked at
 * is absent from the answer, and then whoever needs it describes it.
 */
export async function observeSources(
  catalog: SourceCatalog,
  request: ObserveSourcesRequest,
): Promise<ReadonlyMap<string, SourceState>> {
  const { sources, self } = request;
  const here = sources.filter(({ home }) => home === undefined || isSameHome(home, self));
  return new Set(here.map(({ id }) => id)).size > DESCRIBED_MAX
    ? listSources(catalog, { ...request, sources: here })
    : new Map();
}

/** Up to here, describing each costs no more than a few pages, and is exact. */
const DESCRIBED_MAX = 20;

async function listSources(
  catalog: SourceCatalog,
  { sources, self, budget }: ObserveSourcesRequest,
): Promise<Map<string, SourceState>> {
  const wanted = wantedByName(sources);
  const states = new Map<string, SourceState>();
  const namePrefixes = namePrefixesOf(sources.flatMap(lookupNames));
  let nextToken: string | undefined;
  let pages = 0;
  try {
    do {
      const page = await catalog.listPage({ namePrefixes, ...(nextToken && { nextToken }) }, budget);
      pages += 1;
      for (const secret of page.secrets) {
        const seen = parseSecretReference(secret.ARN ?? "", "full-arn");
        const candidates = wanted.get(secret.Name ?? "") ?? [];
        if (seen === undefined) continue;
        for (const source of candidates) {
          if (!referencesMayMatch(source, seen, self)) continue;
          // Two secrets can bear a name while one of them is scheduled for deletion: the living one counts.
          if (states.get(keyOfSource(source))?.kind === "current") continue;
          states.set(keyOfSource(source), sourceStateOf(secret, source));
        }
      }
      nextToken = page.nextToken;
    } while (nextToken !== undefined && isWorthAnotherPage(pages, sources.length, states.size));
  } catch (error) {
    // What was listed so far stands; what was not is described, or told as unread, one by one.
    if (!(error instanceof RelayError)) throw error;
  }
  return states;
}

// A page must bring at least one source that we look for, on average and after a few pages of grace: otherwise the
// calls would outnumber those of describing what is left.
function isWorthAnotherPage(pages: number, sources: number, found: number): boolean {
  return found < sources && pages < found + PAGES_OF_GRACE;
}

const PAGES_OF_GRACE = 10;

function wantedByName(sources: readonly SourceAt[]): Map<string, SourceAt[]> {
  const wanted = new Map<string, SourceAt[]>();
  for (const source of sources) {
    for (const name of new Set(lookupNames(source))) {
      const namesakes = wanted.get(name);
      if (namesakes === undefined) wanted.set(name, [source]);
      else namesakes.push(source);
    }
  }
  return wanted;
}

function isSameHome(one: SecretHome, other: SecretHome): boolean {
  return (
    one.partition === other.partition && one.region === other.region && one.accountId === other.accountId
  );
}
