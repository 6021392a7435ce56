/** A request as the transport carries it; header names in lower case. */
export type TransportRequest = {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

export type TransportResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
};

/** Node's error when the server is gone in the middle, or was unreachable. */
export function connectionError(code: "ECONNRESET" | "ECONNREFUSED"): Error {
  return Object.assign(new Error(code === "ECONNRESET" ? "socket hang up" : "connect ECONNREFUSED"), {
    code,
  });
}

/** The kind of a call, without the object: `apply Secret`, `GetSecretValue`. */
export function kindOf(request: TransportRequest): string {
  const { method, url, headers } = request;
  if (headers["x-amz-target"] !== undefined) return nameOf(request);
  const [, kind] = /^\/[^/]+-bindings\/(bindings\.json|parts\/)/.exec(url.pathname) ?? [];
  if (kind !== undefined) return `${method} ${kind === "parts/" ? "part" : "pointer"}`;
  const [, resource = "", name] = /\/namespaces\/[^/]+\/([a-z]+)(\/[^/]+)?/.exec(url.pathname) ?? [];
  if (resource !== "") {
    const verb = method === "GET" && name === undefined ? "list" : (VERBS[method] ?? method);
    return `${verb} ${resource === "secrets" ? "Secret" : resource}`;
  }
  if (/^\/clusters\//.test(url.pathname)) return "DescribeCluster";
  return url.pathname === "/" ? "AssumeRole" : "credentials";
}

const VERBS: Readonly<Record<string, string>> = { GET: "read", PATCH: "apply", DELETE: "delete" };

/** The AWS operation, or the verb and path on an API server; never a value, a token or a query. */
export function nameOf({ method, url, headers }: TransportRequest): string {
  const target = headers["x-amz-target"];
  return target === undefined ? `${method} ${url.pathname}` : target.slice(target.indexOf(".") + 1);
}
