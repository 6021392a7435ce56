import { ClusterForbidden, ClusterTokenRefused } from "../../shared/cluster/errors.ts";
import { RelayError } from "../../shared/relay-error.ts";

/** Nothing gives AWS credentials, or what gives them failed. */
export class AwsCredentialsMissing extends RelayError {
  override readonly name = "AwsCredentialsMissing";
  readonly code = "AWS_CREDENTIALS_MISSING";
  readonly retryable = false;
  constructor(profile: string | undefined) {
    super(
      profile === undefined
        ? "No AWS credentials were found. Name a profile (--profile, or AWS_PROFILE), log in (aws sso login), or see what the AWS CLI finds: aws sts get-caller-identity"
        : `Profile ${profile} gives no AWS credentials. See what the AWS CLI makes of it: aws sts get-caller-identity --profile ${profile}`,
    );
  }
}

/** A session that has ended. */
export class AwsSessionExpired extends RelayError {
  override readonly name = "AwsSessionExpired";
  readonly code = "AWS_SESSION_EXPIRED";
  readonly retryable = false;
  constructor(profile: string | undefined) {
    super(
      `The AWS session has expired. Log in again: aws sso login${profile === undefined ? "" : ` --profile ${profile}`} (or renew the credentials in the environment).`,
    );
  }
}

/** AWS does not know these credentials. */
export class AwsCredentialsRefused extends RelayError {
  override readonly name = "AwsCredentialsRefused";
  readonly code = "AWS_CREDENTIALS_REFUSED";
  readonly retryable = false;
  constructor(at: string) {
    super(
      `AWS refused the credentials (${at}). Check which they are: aws configure list, and the AWS_… variables of your shell.`,
    );
  }
}

/** A call of the command's own went wrong: finding the caller, the stack or a function. */
export class AwsCallFailed extends RelayError {
  override readonly name = "AwsCallFailed";
  readonly code = "AWS_CALL_FAILED";
  readonly retryable = true;
  /** `what` is in our words; `at` is the SDK's fixed name of the error. */
  constructor(what: string, at: string) {
    super(`${what} failed (${at}). Check the network and the Region, then try again.`);
  }
}

/** A kubeconfig file is there and cannot be used. */
export class KubeconfigUnreadable extends RelayError {
  override readonly name = "KubeconfigUnreadable";
  readonly code = "KUBECONFIG_UNREADABLE";
  readonly retryable = false;
  constructor(file: string) {
    super(
      `${file} is no kubeconfig that can be read. See what kubectl makes of it: kubectl config get-contexts`,
    );
  }
}

/** A context whose way in is not supported, or not safe. */
export class ContextUnusable extends RelayError {
  override readonly name = "ContextUnusable";
  readonly code = "CONTEXT_UNUSABLE";
  readonly retryable = false;
  constructor(context: string, why: string) {
    super(
      `kubeconfig context ${context} ${why}. Take another with --context, or --eks-token to reach the cluster with your AWS credentials.`,
    );
  }
}

/** The program that a kubeconfig names for the login is missing, failed, or gave nothing. What it said is not repeated. */
export class LoginPluginFailed extends RelayError {
  override readonly name = "LoginPluginFailed";
  readonly code = "LOGIN_PLUGIN_FAILED";
  readonly retryable = false;
  constructor(context: string, program: string) {
    super(
      `The login of kubeconfig context ${context} failed (${program}). Try kubectl --context ${context} get namespaces, log in again (aws sso login), or take --eks-token.`,
    );
  }
}

/** 401 for the person at the command line. */
export class CallerUnknown extends ClusterTokenRefused {
  constructor(cluster: string, as: string, eks: { readonly name: string; readonly region: string }) {
    super(
      cluster,
      `Cluster ${cluster} did not accept the login (${as}). Log in again and renew the context: aws eks update-kubeconfig --name ${eks.name} --region ${eks.region}. Your AWS identity needs an access entry there.`,
    );
  }
}

/** 403 for the person at the command line; the relay may be allowed all the same. */
export class CallerForbidden extends ClusterForbidden {
  constructor(cluster: string, as: string, { verb, target }: ClusterForbidden) {
    super(
      cluster,
      verb,
      target,
      `You (${as}) may not ${verb} ${target} in cluster ${cluster}. Ask for that right, or let the deployed function do it: --via-lambda.`,
    );
  }
}

/** Neither a kubeconfig context nor AWS credentials lead to it. */
export class ClusterUnreached extends RelayError {
  override readonly name = "ClusterUnreached";
  readonly code = "CLUSTER_UNREACHED";
  readonly retryable = false;
  constructor(cluster: string, eks: { readonly name: string; readonly region: string }) {
    super(
      `No kubeconfig context leads to cluster ${cluster}, and there are no AWS credentials for an EKS token. Make a context: aws eks update-kubeconfig --name ${eks.name} --region ${eks.region}`,
    );
  }
}
