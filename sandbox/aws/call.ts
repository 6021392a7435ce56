import { AwsError } from "./aws-error.ts";

export type Service =
  | "secretsmanager"
  | "sts"
  | "eks"
  | "sqs"
  | "lambda"
  | "cloudformation"
  | "monitoring"
  | "events"
  | "logs"
  | "s3";

export type Input = Readonly<Record<string, unknown>>;

/** One request, with its parsed operation and authenticated caller. */
export type Call = {
  readonly service: Service;
  readonly operation: string;
  readonly input: Input;
  readonly requestId: string;
  readonly accessKeyId: string;
  readonly callerArn: string;
  /** The name of the requested secret, whatever form its id had; absent for lists and unknown secrets. */
  readonly secretName?: string;
  /** The key of the requested object of S3. */
  readonly objectKey?: string;
};

export type Operation = (call: Call) => object | Promise<object>;

/**
 * Readers of a request's members: an absent member is undefined, a wrong type is a JSON service's serialization error.
 */
export function text(input: Input, member: string): string | undefined {
  return typed(input, member, "string");
}

export function requiredText(input: Input, member: string): string {
  const value = text(input, member);
  if (value !== undefined && value !== "") return value;
  throw new AwsError(
    "ValidationException",
    `1 validation error detected: Value at '${lowerFirst(member)}' failed to satisfy constraint: Member must not be null`,
  );
}

export function flag(input: Input, member: string): boolean {
  return typed<boolean>(input, member, "boolean") ?? false;
}

/** A number inside the limits of the API model. */
export function count(input: Input, member: string, min: number, max: number): number | undefined {
  const value = typed<number>(input, member, "number");
  if (value === undefined) return undefined;
  if (value >= min && value <= max) return value;
  const [word, bound] = value < min ? ["greater", min] : ["less", max];
  throw new AwsError(
    "ValidationException",
    `1 validation error detected: Value '${value}' at '${lowerFirst(member)}' failed to satisfy constraint: Member must have value ${word} than or equal to ${bound}`,
  );
}

export function list<Item>(input: Input, member: string): readonly Item[] | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value as readonly Item[];
  throw unreadable();
}

export function lowerFirst(word: string): string {
  return word.charAt(0).toLowerCase() + word.slice(1);
}

function typed<Value>(input: Input, member: string, type: string): Value | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value === type) return value as Value;
  throw unreadable();
}

function unreadable(): AwsError {
  return new AwsError("SerializationException", "The request could not be read: a member has the wrong type");
}
