import type { AwsNeeds } from "./aws-needs.ts";

export type StackParameters = Readonly<Record<string, string>>;

/** The template parameters for the same statements. */
export function stackParameters(needs: AwsNeeds): StackParameters {
  const { secretArns, secretNamePrefix = "", kmsKeyArns, clusterArns, clusterRoleArns, findsByTag } = needs;
  const all = {
    SecretArns: secretArns.join(","),
    SecretNamePrefix: secretNamePrefix,
    SecretKmsKeyArns: kmsKeyArns.join(","),
    ClusterArns: clusterArns.join(","),
    ClusterRoleArns: clusterRoleArns.join(","),
    ExternalSecretsByTag: findsByTag ? "ENABLED" : "",
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

/** The CloudFormation limit for the value of a parameter. */
export const PARAMETER_BYTES_MAX = 4_096;

export function tooLongParameters(parameters: StackParameters): readonly string[] {
  return Object.entries(parameters).flatMap(([name, value]) =>
    Buffer.byteLength(value) > PARAMETER_BYTES_MAX ? [name] : [],
  );
}

/** In the format of samconfig.toml. The template allows only characters that need no escaping there. */
export function printParameters(parameters: StackParameters): string {
  const lines = Object.entries(parameters).map(([name, value]) => `  "${name}=${value}",`);
  return ["parameter_overrides = [", ...lines, "]"].join("\n");
}
