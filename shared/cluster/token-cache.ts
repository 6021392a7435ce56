import type { ClusterConfig } from "../bindings/binding.ts";
import type { ClusterCredentials } from "./credentials.ts";
import { type EksToken, mintEksToken } from "./eks-token.ts";
import { singleFlightCache } from "./single-flight-cache.ts";

/** Bearer tokens by cluster. Mints one when none is cached or the cached one has expired. */
export type TokenCache = {
  /** Empty where a client certificate authenticates instead. */
  bearerFor(cluster: ClusterConfig): Promise<string>;
  /** The API server refused this token: the next one is minted from fresh credentials. */
  forget(cluster: ClusterConfig, refusedBearer: string): void;
};

export type TokenCacheOptions = {
  readonly credentials: ClusterCredentials;
  readonly now: () => number;
  /** At most 14 minutes. */
  readonly tokenLifeMs: number;
  readonly fips: boolean;
  /** Called for each minted token. */
  readonly onMinted: () => void;
};

export function tokenCache(options: TokenCacheOptions): TokenCache {
  const tokens = singleFlightCache<EksToken>((token) => options.now() < token.expiresAt);

  const mint = async (cluster: ClusterConfig): Promise<EksToken> => {
    const credentials = await options.credentials.of(cluster.roleArn, cluster.region);
    const now = options.now();
    const { name: clusterName, region } = cluster;
    const token = await mintEksToken({ clusterName, region, credentials, now, fips: options.fips });
    options.onMinted();
    // The token expires no later than the credentials that signed it.
    const ends = [token.expiresAt, now + options.tokenLifeMs, credentials.expiration?.getTime() ?? Infinity];
    return { bearer: token.bearer, expiresAt: Math.min(...ends) };
  };

  return {
    bearerFor: async (cluster) => (await tokens.get(keyOf(cluster), () => mint(cluster))).bearer,
    forget: (cluster, refusedBearer) => {
      const isKnown = tokens.forget(keyOf(cluster), (token) => token.bearer === refusedBearer);
      if (isKnown) options.credentials.forget(cluster.roleArn);
    },
  };
}

function keyOf(cluster: ClusterConfig): string {
  return [cluster.region, cluster.name, cluster.roleArn ?? ""].join("|");
}
