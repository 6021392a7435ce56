import { RelayError } from "../../relay-error.ts";
import { keyOfSource } from "../key-of-source.ts";
import { parseSecretReference } from "../parse-secret-reference.ts";
import { lookupNames, referencesMayMatch } from "../references-may-match.ts";
import type { AwsLocation, SourceAt } from "../secret-id.ts";
import type { ListStates } from "../source.ts";
import { type SourceState, sourceStateOf } from "../source-state.ts";
import { namePrefixesOf } from "./name-prefixes.ts";
import type { SourceCatalog } from "./source-catalog.ts";

/**
 * A page of ListSecrets shows up to 100 sources, a DescribeSecret shows one. Few sources are left to be described; many
 * are listed, filtered by the prefixes of their names. When the account holds far more secrets than are bound, a page
 * brings little: then the listing stops, and the rest is left to be described. So are sources in other Regions or
 * accounts.
 */
export async function listSourceStates(
  catalog: Pick<SourceCatalog, "listPage">,
  request: ListRequest,
): Promise<ReadonlyMap<string, SourceState>> {
  const { sources, self } = request;
  const here = sources.filter(({ location }) => location === undefined || isSameLocation(location, self));
  return new Set(here.map(({ id }) => id)).size > DESCRIBED_MAX
    ? listSources(catalog, { ...request, sources: here })
    : new Map();
}

type ListRequest = Parameters<ListStates>[0];

/** Up to this number, describing each source costs no more than a few pages, and is exact. */
const DESCRIBED_MAX = 20;

async function listSources(
  catalog: Pick<SourceCatalog, "listPage">,
  { sources, self, budget }: ListRequest,
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
        const listed = parseSecretReference(secret.ARN ?? "", "full-arn");
        const candidates = wanted.get(secret.Name ?? "") ?? [];
        if (listed === undefined) continue;
        for (const source of candidates) {
          if (!referencesMayMatch(source, listed, self)) continue;
          // Two secrets can have one name while one of them is scheduled for deletion: the other one counts.
          if (states.get(keyOfSource(source))?.kind === "current") continue;
          states.set(keyOfSource(source), sourceStateOf(secret, source));
        }
      }
      nextToken = page.nextToken;
    } while (nextToken !== undefined && isWorthAnotherPage(pages, sources.length, states.size));
  } catch (error) {
    // The result holds what was listed so far. The rest is described one by one.
    if (!(error instanceof RelayError)) throw error;
  }
  return states;
}

// After a few pages, each page must bring at least one wanted source on average. Otherwise listing would need more calls
// than describing the rest.
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

function isSameLocation(one: AwsLocation, other: AwsLocation): boolean {
  return (
    one.partition === other.partition && one.region === other.region && one.accountId === other.accountId
  );
}
