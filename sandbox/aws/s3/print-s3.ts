import type { AwsError } from "../aws-error.ts";
import { toXml } from "../xml.ts";
import type { S3Result } from "./operations.ts";
import { S3Error } from "./s3-error.ts";

export function printS3Result({ status, headers, body }: S3Result, requestId: string): S3Result {
  return { status, headers: { ...requestHeaders(requestId), ...headers }, body };
}

/** Errors that all services share have names of their own in S3. */
export function printS3Error(error: AwsError, requestId: string): S3Result {
  const known = SHARED_ERRORS[error.code];
  const [Code, status, Message] = [
    known?.code ?? error.code,
    known?.status ?? error.status,
    known?.message ?? error.message,
  ];
  const { details, headers } = error instanceof S3Error ? error : { details: {}, headers: {} };
  const tree = { Error: { Code, Message, ...details, RequestId: requestId, HostId: requestId } };
  return {
    status,
    headers: { ...requestHeaders(requestId), "content-type": "application/xml", ...headers },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${toXml(tree)}`,
  };
}

const requestHeaders = (requestId: string): Record<string, string> => ({
  "x-amz-request-id": requestId,
  "x-amz-id-2": requestId,
  server: "AmazonS3",
});

type SharedError = { readonly code: string; readonly status: number; readonly message?: string };

const SHARED_ERRORS: Readonly<Record<string, SharedError>> = {
  AccessDeniedException: { code: "AccessDenied", status: 403 },
  ExpiredTokenException: { code: "ExpiredToken", status: 400, message: "The provided token has expired." },
  IncompleteSignatureException: { code: "AuthorizationHeaderMalformed", status: 400 },
  InternalServiceError: { code: "InternalError", status: 500 },
  InvalidSignatureException: { code: "SignatureDoesNotMatch", status: 403 },
  ThrottlingException: { code: "SlowDown", status: 503, message: "Please reduce your request rate." },
  UnrecognizedClientException: {
    code: "InvalidAccessKeyId",
    status: 403,
    message: "The AWS Access Key Id you provided does not exist in our records.",
  },
};
