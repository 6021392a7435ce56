import type { Environment } from "../transport/environment.ts";
import type { Listener } from "../transport/transport.ts";

/** Outcomes of credentials that ended while they were in use. */
export class SessionWatch implements Listener {
  /** Refused by AWS or a cluster itself, not by a drawn fault. */
  readonly counts = { callsRefused: 0, tokensRefused: 0, renewals: 0 };
  readonly #equipped = new Set<Environment>();

  served: Listener["served"] = ({ host, answer, environment }) => {
    if (environment === undefined) return;
    if (host.kind === "cluster" && answer.status === 401) this.counts.tokensRefused += 1;
    if (host.kind === "aws" && String(answer.headers["x-amzn-errortype"]).startsWith("ExpiredToken"))
      this.counts.callsRefused += 1;
    if (host.kind !== "credentials") return;
    if (this.#equipped.has(environment)) this.counts.renewals += 1;
    this.#equipped.add(environment);
  };
}
