import { ClusterForbidden, ClusterTokenRefused } from "../../shared/cluster/errors.ts";
import { CommandError } from "../errors.ts";

type EksCluster = { readonly name: string; readonly region: string };

/** The credential chain of the SDK found no credentials, or a provider failed. */
export class AwsCredentialsMissing extends CommandError {
  readonly code = "AWS_CREDENTIALS_MISSING";
  constructor(profile: string | undefined) {
    super(
      profile === undefined
        ? "No AWS credentials were found. Select a profile (--profile or AWS_PROFILE), log in (aws sso login), or check the AWS CLI: aws sts get-caller-identity"
        : `Profile ${profile} has no AWS credentials. Check the AWS CLI: aws sts get-caller-identity --profile ${profile}`,
    );
  }
}

export class AwsSessionExpired extends CommandError {
  readonly code = "AWS_SESSION_EXPIRED";
  constructor(profile: string | undefined, command = "aws sso login") {
    super(
      `The AWS session has expired. Log in again: ${command}${profile === undefined ? "" : ` --profile ${profile}`} (or renew the credentials in the environment).`,
    );
  }
}

/** The SDK has no prompt for a code, unlike the AWS CLI. */
export class AwsMfaNeeded extends CommandError {
  readonly code = "AWS_MFA_NEEDED";
  constructor(profile = "default") {
    super(
      `Profile ${profile} needs an MFA code, and this command cannot ask for it. Let the AWS CLI log in, then run the command again without a profile: eval "$(aws configure export-credentials --profile ${profile} --format env)"`,
    );
  }
}

/** AWS, or the proxy before it, gave no answer. \`fault\` is a fixed code of Node. */
export class AwsUnreachable extends CommandError {
  readonly code = "AWS_UNREACHABLE";
  override readonly retryable = true;
  constructor(what: string, fault: string, settings: { region: string | undefined; hasProxy: boolean }) {
    super(`${what} failed, because AWS could not be reached (${fault}). ${remedyFor(fault, settings)}`);
  }
}

function remedyFor(
  fault: string,
  { region = "the Region", hasProxy }: { region: string | undefined; hasProxy: boolean },
): string {
  if (fault === "ERR_PROXY_TUNNEL")
    return "The proxy refused the connection. Check HTTPS_PROXY and NO_PROXY.";
  if (CERTIFICATE_FAULT.test(fault)) {
    return "The certificate is not from AWS, such as behind a proxy that decrypts TLS. Name its CA: NODE_EXTRA_CA_CERTS=/path/to/ca.pem";
  }
  if (fault === "ENOTFOUND" || fault === "EAI_AGAIN") {
    return `No address was found for its endpoint in ${region}. Check the network (VPN, DNS), and the Region: --region or AWS_REGION.`;
  }
  return hasProxy
    ? "Check the network and the VPN, and the proxy in HTTPS_PROXY."
    : "Check the network and the VPN. Behind a proxy, set HTTPS_PROXY.";
}

/** Node's codes for a certificate that fails verification. */
export const CERTIFICATE_FAULT = /^(CERT_|DEPTH_ZERO_|ERR_TLS_CERT_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_)/;

/** AWS does not know these credentials. */
export class AwsCredentialsRefused extends CommandError {
  readonly code = "AWS_CREDENTIALS_REFUSED";
  constructor(errorName: string) {
    super(
      `AWS refused the credentials (${errorName}). Check which ones are used: aws configure list, and the AWS_… variables of your shell.`,
    );
  }
}

/** A call of the command itself failed, such as finding the stack. `what` is our text, `errorName` a fixed name of the SDK. */
export class AwsCallFailed extends CommandError {
  readonly code = "AWS_CALL_FAILED";
  override readonly retryable = true;
  constructor(what: string, errorName: string) {
    const remedy = errorName.startsWith("AccessDenied")
      ? "You lack the permission. Ask for it, or select another profile with --profile."
      : "Check the network and the Region, then try again.";
    super(`${what} failed (${errorName}). ${remedy}`);
  }
}

/** The API server answered 401 to the caller of the command. */
export class CallerUnknown extends ClusterTokenRefused {
  constructor(cluster: string, as: string, { name, region }: EksCluster) {
    super(
      cluster,
      `Cluster ${cluster} did not accept the login (${as}). Log in again and renew the context: aws eks update-kubeconfig --name ${name} --region ${region}. Your AWS identity needs an access entry in the cluster.`,
    );
  }
}

/** The API server answered 403 to the caller of the command. The relay itself may have the permission. */
export class CallerForbidden extends ClusterForbidden {
  constructor(cluster: string, as: string, { verb, target }: ClusterForbidden) {
    super(
      cluster,
      verb,
      target,
      `You (${as}) lack the permission to ${verb} ${target} in cluster ${cluster}. Ask for it, or use the permissions of the deployed function: --via-lambda.`,
    );
  }
}

/** The context is that of a cluster in another account than the credentials, or than `roleArn` of the bindings. */
export class ContextOfAnotherAccount extends CommandError {
  readonly code = "CONTEXT_OF_ANOTHER_ACCOUNT";
  constructor(cluster: string, context: string, { found, expected }: { found: string; expected: string }) {
    super(
      `Cluster ${cluster} should be in account ${expected}, but kubeconfig context ${context} is a cluster of account ${found}. Select credentials of that account (--profile), set roleArn of the cluster in the bindings, or use --eks-token for the cluster in account ${expected}.`,
    );
  }
}

/** Neither a kubeconfig context nor AWS credentials give access to the cluster. */
export class ClusterUnreached extends CommandError {
  readonly code = "CLUSTER_UNREACHED";
  constructor(cluster: string, { name, region }: EksCluster) {
    super(
      `Cluster ${cluster} has no matching kubeconfig context, and AWS credentials for an EKS token are missing. Create a context: aws eks update-kubeconfig --name ${name} --region ${region}`,
    );
  }
}

/** The command line is valid but selects no Secret. Exit code 0 would look like "all in order". */
export class NothingSelected extends CommandError {
  readonly code = "NOTHING_SELECTED";
  constructor(where: string) {
    super(`Nothing is bound ${where}, so nothing was compared or written. Check the bindings and --cluster.`);
  }
}
