import type { TransportRequest, TransportResponse } from "../transport/message.ts";

export type TemporaryCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAt: number;
};

/**
 * Which temporary credentials are still valid. Some end before their expiry, while they are in use: a revoked session,
 * for example.
 */
export class Sessions {
  readonly counts = { issued: 0, endedInUse: 0 };
  readonly #issue: () => TemporaryCredentials;
  readonly #used = new Set<string>();
  readonly #ended = new Set<string>();

  constructor(issue: () => TemporaryCredentials) {
    this.#issue = issue;
  }

  issue(): TemporaryCredentials {
    this.counts.issued += 1;
    return this.#issue();
  }

  /** All credentials in use end now. */
  endAll(): void {
    this.counts.endedInUse += this.#used.size;
    for (const accessKeyId of this.#used) this.#ended.add(accessKeyId);
    this.#used.clear();
  }

  /** Called on each use. */
  hasEnded(accessKeyId: string): boolean {
    const isEnded = this.#ended.has(accessKeyId);
    if (!isEnded && accessKeyId.startsWith("ASIA")) this.#used.add(accessKeyId);
    return isEnded;
  }

  /** The response of AWS to a request with ended credentials. */
  refusalOf({ headers }: TransportRequest): TransportResponse | undefined {
    const accessKeyId = /Credential=([A-Z0-9]+)\//.exec(headers.authorization ?? "")?.[1];
    if (accessKeyId === undefined || !this.hasEnded(accessKeyId)) return undefined;
    return headers["x-amz-target"] === undefined ? EXPIRED_XML : EXPIRED_JSON;
  }
}

const CODE = "ExpiredTokenException";
const MESSAGE = "The security token included in the request is expired";

const EXPIRED_JSON: TransportResponse = {
  status: 400,
  headers: { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": CODE },
  body: JSON.stringify({ __type: CODE, message: MESSAGE }),
};

/** STS answers in XML; EKS, which answers in JSON, takes its code from the header. */
const EXPIRED_XML: TransportResponse = {
  status: 403,
  headers: { "content-type": "text/xml", "x-amzn-errortype": CODE },
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>${MESSAGE}</Message></Error></ErrorResponse>`,
};
