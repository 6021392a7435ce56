/** The STS endpoints that a token may name: regional, FIPS and dual-stack ones of the cluster's partition. */
export function isStsHost(host: string, clusterRegion: string): boolean {
  const partition = partitionOf(clusterRegion);
  if (host === GLOBAL_HOST) return partition === "aws";
  const region = regionOf(host);
  return region !== undefined && partitionOf(region) === partition && hostsOf(region).includes(host);
}

/** The region that STS expects in the credential scope of a request to this host. */
export function scopeRegionOf(host: string): string {
  return host === GLOBAL_HOST ? "us-east-1" : (regionOf(host) ?? "");
}

type Partition = "aws" | "aws-cn" | "aws-us-gov";

const GLOBAL_HOST = "sts.amazonaws.com";
const FIPS_REGIONS = new Set(["us-east-1", "us-east-2", "us-west-1", "us-west-2"]);

function partitionOf(region: string): Partition {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  return "aws";
}

/** The format of the name decides, so that later regions are accepted. */
function regionOf(host: string): string | undefined {
  return /^sts(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(host)?.[1];
}

function hostsOf(region: string): string[] {
  switch (partitionOf(region)) {
    case "aws-cn":
      return [`sts.${region}.amazonaws.com.cn`, `sts.${region}.api.amazonwebservices.com.cn`];
    case "aws-us-gov": // FIPS endpoints without fips in their name
      return [`sts.${region}.amazonaws.com`, `sts.${region}.api.aws`];
    case "aws":
      return [
        `sts.${region}.amazonaws.com`,
        `sts.${region}.api.aws`,
        ...(FIPS_REGIONS.has(region)
          ? [`sts-fips.${region}.amazonaws.com`, `sts-fips.${region}.api.aws`]
          : []),
      ];
  }
}
