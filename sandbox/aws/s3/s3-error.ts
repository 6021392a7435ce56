import { AwsError } from "../aws-error.ts";

/** An error of S3, with the further elements and headers of its response. */
export class S3Error extends AwsError {
  readonly details: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: string,
    message: string,
    status: number,
    details: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(code, message, status);
    this.details = details;
    this.headers = headers;
  }
}

export const noSuchKey = (Key: string, headers: Readonly<Record<string, string>> = {}): S3Error =>
  new S3Error("NoSuchKey", "The specified key does not exist.", 404, { Key }, headers);
export const preconditionFailed = (Condition: string): S3Error =>
  new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412, {
    Condition,
  });
export const invalidArgument = (message: string, ArgumentName: string): S3Error =>
  new S3Error("InvalidArgument", message, 400, { ArgumentName });
export const notImplemented = (what: string): S3Error =>
  new S3Error("NotImplemented", `The sandbox has no ${what} of S3.`, 501);
