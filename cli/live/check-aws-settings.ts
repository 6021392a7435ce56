import { suggestName } from "../../shared/bindings/suggest-name.ts";
import { parseAwsLocation } from "../../shared/source/parse-aws-location.ts";
import { UsageError } from "../errors.ts";

/**
 * The SDK answers a missing profile with "no Region" or "no credentials", depending on the rest of the settings. Throws
 * UsageError.
 */
export async function checkProfile(profile: string): Promise<void> {
  const { loadSharedConfigFiles } = await import("@smithy/core/config");
  const { configFile, credentialsFile } = await loadSharedConfigFiles({ ignoreCache: true }).catch(() => {
    throw new UsageError(
      "The AWS configuration files cannot be read. Check ~/.aws/config and ~/.aws/credentials.",
    );
  });
  const profiles = [...new Set([...Object.keys(configFile), ...Object.keys(credentialsFile)])].filter(
    (name) => !/^(sso-session|services)\./.test(name),
  );
  if (profiles.includes(profile)) return;
  const suggestion = suggestName(profile, profiles);
  const known = profiles.length > 0 ? `They have: ${profiles.slice(0, 8).join(", ")}.` : "They have none.";
  throw new UsageError(
    `The AWS configuration files have no profile ${profile}. ${suggestion ? `Did you mean ${suggestion}?` : known} Select one with --profile or AWS_PROFILE; list them: aws configure list-profiles`,
  );
}

/** Throws UsageError for a name that no Region can have. Whether the Region exists is known only by its endpoint. */
export function checkRegion(region: string): void {
  if (isRegion(region)) return;
  const suggestion = [region.toLowerCase().replaceAll("_", "-"), region.toLowerCase()]
    .flatMap((name) => [name, name.replace(/([a-z])(\d)/, "$1-$2"), name.replace(/(\d)[a-z]$/, "$1")])
    .find(isRegion);
  throw new UsageError(
    `${region} is not the name of an AWS Region. ${suggestion ? `Did you mean ${suggestion}?` : "It looks like eu-west-1."} Correct --region, AWS_REGION or the region of the profile.`,
  );
}

const isRegion = (region: string): boolean => parseAwsLocation("000000000000", region) !== undefined;
