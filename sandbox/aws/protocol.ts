import { AwsError } from "./aws-error.ts";
import type { Input, Service } from "./call.ts";
import type { InvokeResult } from "./lambda.ts";
import type { S3Result } from "./s3/operations.ts";
import { isS3Request, parseS3 } from "./s3/parse-s3.ts";
import { printS3Error, printS3Result } from "./s3/print-s3.ts";
import type { SignedRequest } from "./sigv4.ts";
import { toXml } from "./xml.ts";

/** The operation of a request, parsed by its service's protocol. */
export type Asked = { readonly service: Service; readonly operation: string; readonly input: Input };

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes only for an object of S3. */
  readonly body: string | Buffer;
};

/** One port serves every service, so the format of the request determines the service. */
export function parseAsked(request: SignedRequest): Asked {
  if (isS3Request(request)) return { service: "s3", ...parseS3(request) };
  const target = request.headers["x-amz-target"];
  if (target !== undefined) return parseJsonTarget(target, request.body);
  const [path = "/", query = ""] = request.target.split("?", 2);
  if (path === "/clusters" || path.startsWith("/clusters/")) return parseEks(request.method, path, query);
  const [, functionName] = LAMBDA_INVOKE.exec(path) ?? [];
  if (functionName !== undefined && request.method === "POST") {
    const { "x-amz-invocation-type": InvocationType } = request.headers;
    const input = {
      FunctionName: decodeURIComponent(functionName),
      InvocationType,
      Payload: textOf(request),
    };
    return { service: "lambda", operation: "Invoke", input };
  }
  const [, configuredName] = LAMBDA_CONFIGURATION.exec(path) ?? [];
  if (configuredName !== undefined && request.method === "GET") {
    const input = { FunctionName: decodeURIComponent(configuredName) };
    return { service: "lambda", operation: "GetFunctionConfiguration", input };
  }
  const form = request.method === "POST" ? textOf(request) : query;
  const { Action: operation, ...input } = Object.fromEntries(new URLSearchParams(form));
  if (path === "/" && operation !== undefined) return { service: queryService(operation), operation, input };
  throw new AwsError(
    "UnknownOperationException",
    "The requested operation is not recognized by the service.",
    404,
  );
}

const queryService = (operation: string): QueryService =>
  operation === "DescribeStacks" ? "cloudformation" : "sts";

/** The service of a request that could not be parsed, for the format of its error. */
export function guessService(request: SignedRequest): Service {
  if (isS3Request(request)) return "s3";
  const target = request.headers["x-amz-target"];
  if (target !== undefined) return JSON_TARGETS[target.split(".", 1)[0] ?? ""] ?? "secretsmanager";
  if (request.target.startsWith("/2015-03-31/functions/")) return "lambda";
  return request.target.startsWith("/clusters") ? "eks" : "sts";
}

export function printResult(asked: Asked, result: object, requestId: string, wantsJson: boolean): Answer {
  if (asked.service === "s3") return printS3Result(result as S3Result, requestId);
  if (asked.operation === "Invoke") return invoked(result as InvokeResult, requestId);
  if (!isQuery(asked.service)) return json(asked.service, 200, result, requestId);
  const response = {
    [`${asked.operation}Response`]: {
      [`${asked.operation}Result`]: result,
      ResponseMetadata: { RequestId: requestId },
    },
  };
  if (wantsJson) return json(asked.service, 200, response, requestId);
  return xml(200, toXml(response, NAMESPACES[asked.service]), requestId);
}

export function printError(service: Service, error: AwsError, requestId: string): Answer {
  if (service === "s3") return printS3Error(error, requestId);
  if (isQuery(service)) return xml(queryStatus(error), queryError(service, error, requestId), requestId);
  const answer = json(
    service,
    isRest(service) ? restStatus(error) : error.status,
    isRest(service) ? { message: error.message } : { __type: error.code, Message: error.message },
    requestId,
  );
  return { ...answer, headers: { ...answer.headers, "x-amzn-errortype": error.code } };
}

function invoked({ status, payload, functionError }: InvokeResult, requestId: string): Answer {
  const headers = {
    "content-type": "application/json",
    "x-amzn-requestid": requestId,
    ...(functionError !== undefined && { "x-amz-function-error": functionError }),
  };
  return { status, headers, body: payload };
}

const LAMBDA_INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
const LAMBDA_CONFIGURATION = /^\/2015-03-31\/functions\/([^/]+)\/configuration$/;
/** The services with the oldest protocol: form requests, XML responses. */
type QueryService = "sts" | "cloudformation";
const NAMESPACES: Readonly<Record<QueryService, string>> = {
  sts: "https://sts.amazonaws.com/doc/2011-06-15/",
  cloudformation: "http://cloudformation.amazonaws.com/doc/2010-05-15/",
};
type JsonService = Exclude<Service, "s3">;
const isQuery = (service: Service): service is QueryService => Object.hasOwn(NAMESPACES, service);
const JSON_TARGETS: Readonly<Record<string, Service>> = {
  secretsmanager: "secretsmanager",
  AmazonSQS: "sqs",
  GraniteServiceVersion20100801: "monitoring",
  AWSEvents: "events",
  Logs_20140328: "logs",
};
const CONTENT_TYPES: Readonly<Record<JsonService, string>> = {
  secretsmanager: "application/x-amz-json-1.1",
  sqs: "application/x-amz-json-1.0",
  eks: "application/json",
  lambda: "application/json",
  sts: "application/json",
  cloudformation: "application/json",
  monitoring: "application/x-amz-json-1.0",
  events: "application/x-amz-json-1.1",
  logs: "application/x-amz-json-1.1",
};

function parseJsonTarget(target: string, body: Uint8Array): Asked {
  const [prefix = "", operation = ""] = target.split(".", 2);
  const service = Object.hasOwn(JSON_TARGETS, prefix) ? JSON_TARGETS[prefix] : undefined;
  if (service === undefined) throw new AwsError("UnknownOperationException", `Unknown service for ${target}`);
  try {
    const input: unknown = body.length === 0 ? {} : JSON.parse(Buffer.from(body).toString());
    if (typeof input === "object" && input !== null) return { service, operation, input: input as Input };
  } catch {
    // Reported below.
  }
  throw new AwsError("SerializationException", "The request's body is not a JSON object");
}

function textOf({ body }: SignedRequest): string {
  return Buffer.from(body).toString();
}

function parseEks(method: string, path: string, query: string): Asked {
  const name = path.slice("/clusters/".length);
  const [, entryOf, principal] = /^([^/]+)\/access-entries\/([^/]+)$/.exec(name) ?? [];
  if (method === "GET" && entryOf !== undefined && principal !== undefined) {
    const input = { clusterName: decodeURIComponent(entryOf), principalArn: decodeURIComponent(principal) };
    return { service: "eks", operation: "DescribeAccessEntry", input };
  }
  if (method !== "GET" || name.includes("/")) {
    throw new AwsError("UnknownOperationException", "The sandbox has no such EKS operation", 404);
  }
  if (name !== "")
    return { service: "eks", operation: "DescribeCluster", input: { name: decodeURIComponent(name) } };
  return { service: "eks", operation: "ListClusters", input: Object.fromEntries(new URLSearchParams(query)) };
}

// Services with older protocols use another name and status for the same refusal.
const QUERY_CODES: Readonly<Record<string, string>> = {
  AccessDeniedException: "AccessDenied",
  ExpiredTokenException: "ExpiredToken",
  IncompleteSignatureException: "IncompleteSignature",
  InternalServiceError: "InternalFailure",
  InvalidSignatureException: "SignatureDoesNotMatch",
  MissingAuthenticationTokenException: "MissingAuthenticationToken",
  ThrottlingException: "Throttling",
  UnknownOperationException: "InvalidAction",
  UnrecognizedClientException: "InvalidClientTokenId",
  ValidationException: "ValidationError",
};
const REFUSALS = new Set([
  "AccessDeniedException",
  "ExpiredTokenException",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "UnrecognizedClientException",
]);

function queryStatus(error: AwsError): number {
  return REFUSALS.has(error.code) ? 403 : error.status;
}

const isRest = (service: Service): boolean => service === "eks" || service === "lambda";

function restStatus(error: AwsError): number {
  if (error.code === "ThrottlingException") return 429;
  return REFUSALS.has(error.code) ? 403 : error.status;
}

function queryError(service: QueryService, error: AwsError, requestId: string): string {
  const Code = QUERY_CODES[error.code] ?? error.code;
  const Type = error.status >= 500 ? "Receiver" : "Sender";
  return toXml(
    { ErrorResponse: { Error: { Type, Code, Message: error.message }, RequestId: requestId } },
    NAMESPACES[service],
  );
}

function json(service: JsonService, status: number, body: object, requestId: string): Answer {
  const headers = { "content-type": CONTENT_TYPES[service], "x-amzn-requestid": requestId };
  return { status, headers, body: JSON.stringify(body) };
}

function xml(status: number, body: string, requestId: string): Answer {
  return { status, headers: { "content-type": "text/xml", "x-amzn-requestid": requestId }, body };
}
