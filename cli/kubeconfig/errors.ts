import { CommandError } from "../errors.ts";

/** A file of --kubeconfig or KUBECONFIG that cannot be read, or that kubectl would refuse. */
export class KubeconfigUnreadable extends CommandError {
  readonly code = "KUBECONFIG_UNREADABLE";
  constructor(file: string, problem: string) {
    super(`${file} ${problem}. Check it with: kubectl config get-contexts`);
  }
}

/** No file of KUBECONFIG exists. Without an error, the command would write with another login than the one selected. */
export class KubeconfigMissing extends CommandError {
  readonly code = "KUBECONFIG_MISSING";
  constructor(files: readonly string[]) {
    const named =
      files.length === 0
        ? "no file"
        : `${files.join(" and ")}, which ${files.length === 1 ? "does" : "do"} not exist`;
    super(
      `KUBECONFIG names ${named}. Correct or unset it, select a file with --kubeconfig, or log in with your AWS credentials: --eks-token.`,
    );
  }
}

/** The login of the context is unsupported, incomplete or unsafe. */
export class ContextUnusable extends CommandError {
  readonly code = "CONTEXT_UNUSABLE";
  constructor(context: string, why: string) {
    super(
      `kubeconfig context ${context} ${why}. Select another one with --context, or log in with your AWS credentials: --eks-token.`,
    );
  }
}

/** The login program of a kubeconfig is missing, failed or returned nothing. Its standard output is not repeated. */
export class LoginPluginFailed extends CommandError {
  readonly code = "LOGIN_PLUGIN_FAILED";
  constructor(context: string, program: string, why: string, installHint = "") {
    super(
      `The login of kubeconfig context ${context} failed: ${program} ${why}. Try kubectl --context ${context} get namespaces, log in again (aws sso login), or use --eks-token.${installHint === "" ? "" : ` The kubeconfig says: ${installHint}`}`,
    );
  }
}
