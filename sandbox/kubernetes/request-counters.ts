import type { RequestSummary } from "./faults.ts";

/** The requests since the server started or was last reset. */
export class RequestCounters {
  #byVerbAndResource = new Map<string, number>();
  #secretValuesServed = 0;

  /** Secret objects returned with their data, in any response. */
  get secretValuesServed(): number {
    return this.#secretValuesServed;
  }

  /** By "verb resource", as in `{ "patch secrets": 3 }`. */
  get all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#byVerbAndResource);
  }

  get total(): number {
    return this.#byVerbAndResource.values().reduce((sum, count) => sum + count, 0);
  }

  count(verb: string, resource: string): number {
    return this.#byVerbAndResource.get(`${verb} ${resource}`) ?? 0;
  }

  reset(): void {
    this.#byVerbAndResource.clear();
    this.#secretValuesServed = 0;
  }

  addRequest({ verb, resource }: RequestSummary): void {
    const key = `${verb} ${resource}`;
    this.#byVerbAndResource.set(key, (this.#byVerbAndResource.get(key) ?? 0) + 1);
  }

  addSecretValues(count: number): void {
    this.#secretValuesServed += count;
  }
}
