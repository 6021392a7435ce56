/** An error response of an AWS service. The message is AWS's own wording where that is known. */
export class AwsError extends Error {
  override readonly name = "AwsError";
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const invalidParameter = (message: string): AwsError =>
  new AwsError("InvalidParameterException", message);
export const invalidRequest = (message: string): AwsError => new AwsError("InvalidRequestException", message);
export const resourceExists = (message: string): AwsError => new AwsError("ResourceExistsException", message);
export const resourceNotFound = (message: string): AwsError =>
  new AwsError("ResourceNotFoundException", message);
export const validation = (message: string): AwsError => new AwsError("ValidationException", message);
