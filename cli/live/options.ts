import { type Command, Option } from "commander";

/** How a command finds AWS and the clusters; the same for all of them. */
export type LiveOptions = {
  readonly bindings: string;
  readonly profile?: string;
  readonly region?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly eksToken?: boolean;
};

export function addAwsOptions(command: Command): Command {
  return command
    .addOption(new Option("--profile <name>", "the AWS profile (or AWS_PROFILE)"))
    .addOption(new Option("--region <region>", "the Region of the relay (or AWS_REGION, or the profile's)"));
}

export function addClusterOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--context <name>", "the kubeconfig context; otherwise the one that matches the cluster"),
    )
    .addOption(new Option("--kubeconfig <file>", "the kubeconfig (or KUBECONFIG, or ~/.kube/config)"))
    .addOption(
      new Option("--eks-token", "reach clusters with an EKS token of the AWS credentials instead").conflicts([
        "context",
        "kubeconfig",
      ]),
    );
}
