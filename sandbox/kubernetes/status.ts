/** The body of every refusal: meta/v1 Status. */
export type Status = {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, never>;
  status: "Failure" | "Success";
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code?: number;
};

export type StatusDetails = {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
};

export type StatusCause = { reason: string; message: string; field: string };

/** Thrown to refuse a request; the server sends it as it is. */
export class ApiStatus extends Error {
  override readonly name = "ApiStatus";
  readonly code: number;
  readonly reason: string | undefined;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string | undefined, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  toStatus(): Status {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      ...(this.reason ? { reason: this.reason } : {}),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

/** The name of a resource or kind in messages: `deployments.apps`, `Role.rbac.authorization.k8s.io`. */
export type Named = { group: string; resource: string; kind: string };

export const notFound = (of: Named, name: string) =>
  new ApiStatus(404, "NotFound", `${resourceName(of)} "${name}" not found`, resourceDetails(of, name));

export const alreadyExists = (of: Named, name: string) =>
  new ApiStatus(
    409,
    "AlreadyExists",
    `${resourceName(of)} "${name}" already exists`,
    resourceDetails(of, name),
  );

export const conflict = (of: Named, name: string, why: string) =>
  new ApiStatus(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${resourceName(of)} "${name}": ${why}`,
    resourceDetails(of, name),
  );

/** A DELETE's unmet precondition names the kind where all others name the resource. */
export const preconditionFailed = (of: Named, name: string, why: string) =>
  new ApiStatus(409, "Conflict", `Operation cannot be fulfilled on ${of.kind} "${name}": ${why}`, {
    name,
    ...(of.group ? { group: of.group } : {}),
    kind: of.kind,
  });

export const stale = (of: Named, name: string) =>
  conflict(
    of,
    name,
    "the object has been modified; please apply your changes to the latest version and try again",
  );

export const badRequest = (message: string) => new ApiStatus(400, "BadRequest", message);

/** Errors that the real server has not classified become a bare 500, even for a fault of the client. */
export const unclassified = (message: string) => new ApiStatus(500, undefined, message);

export const unauthorized = () => new ApiStatus(401, "Unauthorized", "Unauthorized");

export const invalid = (of: Named, name: string, problems: FieldProblem[]) => {
  const kind = of.group ? `${of.kind}.${of.group}` : of.kind;
  // The same problem found twice makes two causes, and is mentioned once.
  const sentences = [...new Set(problems.map(({ field, message }) => `${field}: ${message}`))];
  const text = sentences.length === 1 ? sentences[0] : `[${sentences.join(", ")}]`;
  return new ApiStatus(422, "Invalid", `${kind} "${name}" is invalid: ${text}`, {
    ...(name ? { name } : {}),
    ...(of.group ? { group: of.group } : {}),
    kind: of.kind,
    causes: problems.map(({ field, reason, message }) => ({ reason, message, field })),
  });
};

export type FieldProblem = StatusCause;

export const required = (field: string, why = ""): FieldProblem => ({
  reason: "FieldValueRequired",
  message: why ? `Required value: ${why}` : "Required value",
  field,
});

export const invalidValue = (field: string, value: unknown, why: string): FieldProblem => ({
  reason: "FieldValueInvalid",
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
  field,
});

export const forbiddenField = (field: string, why: string): FieldProblem => ({
  reason: "FieldValueForbidden",
  message: `Forbidden: ${why}`,
  field,
});

export const tooLong = (field: string, bytesMax: number): FieldProblem => ({
  reason: "FieldValueTooLong",
  message: `Too long: may not be more than ${bytesMax} bytes`,
  field,
});

function resourceName({ group, resource }: Named): string {
  return group ? `${resource}.${group}` : resource;
}

export function resourceDetails({ group, resource }: Named, name?: string): StatusDetails {
  return { ...(name ? { name } : {}), ...(group ? { group } : {}), kind: resource };
}
