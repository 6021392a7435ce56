import type { AwsNeeds } from "../iam/aws-needs.ts";
import { printParameter, stackParameters } from "../iam/stack-parameters.ts";

export type SamConfig = {
  readonly needs: AwsNeeds;
  readonly relay: string;
  /** The cluster that gets its access entries from the stack. */
  readonly accessEntryCluster: string | undefined;
  /** A prefix that the sources share; it is suggested, not used. */
  readonly sharedPrefix?: string | undefined;
};

/** samconfig.toml: everything that `sam deploy` needs, and what an operator may soon want to change. Pure. */
export function printSamConfig({ needs, relay, accessEntryCluster, sharedPrefix }: SamConfig): string {
  const { SecretArns, SecretNamePrefix, ClusterArns, ...others } = stackParameters(needs);
  const { partition, region, accountId } = needs.location;
  const items: readonly Item[] = [
    ["The name of the relay in the clusters. bindings.yaml has the same one.", { RelayName: relay }],
    [
      "The secrets that the functions may read. After a change of bindings: secret-relay iam --parameters",
      SecretArns === undefined ? {} : { SecretArns },
    ],
    [
      "All secrets whose names begin so. A further one then needs no deployment.",
      SecretNamePrefix === undefined ? `SecretNamePrefix=${sharedPrefix ?? "prod/"}` : { SecretNamePrefix },
    ],
    ["The clusters that the functions look up.", ClusterArns === undefined ? {} : { ClusterArns }],
    [
      "The cluster that gets the access entries of the functions. For others: docs/deploy.md, Access to a cluster.",
      accessEntryCluster === undefined
        ? "AccessEntryClusterName=CLUSTER"
        : { AccessEntryClusterName: accessEntryCluster },
    ],
    ["What else the bindings need.", others],
    ["How often a sweep looks for missed events. Change both, the second in seconds.", METADATA_SWEEP],
    ["How often a sweep compares the values themselves.", { ValuesSweepSchedule: "rate(1 day)" }],
    [
      "The SNS topic that the alarms notify. Without it they are visible in CloudWatch only.",
      `AlarmTopicArn=arn:${partition}:sns:${region}:${accountId}:TOPIC`,
    ],
  ];
  return HEAD.replace("REGION", region).replace("ITEMS", () => items.flatMap(printItem).join("\n"));
}

const METADATA_SWEEP = { MetadataSweepSchedule: "rate(5 minutes)", SweepPeriodSeconds: "300" };

/** A comment, and its parameters. A string is one that is not set. */
type Item = readonly [comment: string, parameters: Readonly<Record<string, string>> | string];

function printItem([comment, parameters]: Item): readonly string[] {
  if (typeof parameters === "string") return [`  # ${comment}`, `  # "${parameters}",`];
  const lines = Object.entries(parameters).map(([name, value]) => `  ${printParameter(name, value)}`);
  return lines.length === 0 ? [] : [`  # ${comment}`, ...lines];
}

const HEAD = `# For sam deploy. All parameters: docs/reference.md
version = 0.1

[default.validate.parameters]
lint = true

[default.deploy.parameters]
# With another name, the commands need --stack-name.
stack_name = "secret-relay"
region = "REGION"
# SAM uploads the functions into a bucket that it makes once in each Region.
resolve_s3 = true
# The stack makes IAM roles and policies, without names of their own.
capabilities = "CAPABILITY_IAM"
# Shows the changes and makes them. With true, it asks first.
confirm_changeset = false
# A value with spaces needs quotes of its own: SAM cuts it at the first space otherwise.
parameter_overrides = [
ITEMS
]
`;
