/** A request as the wire carries it; header names in lower case. */
export type WireRequest = {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

export type WireAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
};

/** What Node says when the other side is gone in the middle, or was not there. */
export function connectionError(code: "ECONNRESET" | "ECONNREFUSED"): Error {
  return Object.assign(new Error(code === "ECONNRESET" ? "socket hang up" : "connect ECONNREFUSED"), {
    code,
  });
}

/** The AWS operation, or the verb and path on an API server; never a value, a token or a query. */
export function nameOf({ method, url, headers }: WireRequest): string {
  const target = headers["x-amz-target"];
  return target === undefined ? `${method} ${url.pathname}` : target.slice(target.indexOf(".") + 1);
}
