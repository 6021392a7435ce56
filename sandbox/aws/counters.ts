/** Counts for cost and least-privilege tests. */
export type Counters = {
  /** Requests that arrived, by operation, refused ones included. */
  readonly calls: ReadonlyMap<string, number>;
  readonly callsTotal: number;
  /** Values returned: one for each secret in a response of GetSecretValue or BatchGetSecretValue. */
  readonly secretValuesServed: number;
  callsOf(operation: string): number;
  reset(): void;
};

export type CounterWriter = Counters & { countCall(operation: string): void; countValue(): void };

export function createCounters(): CounterWriter {
  const calls = new Map<string, number>();
  let callsTotal = 0;
  let secretValuesServed = 0;
  return {
    calls,
    get callsTotal() {
      return callsTotal;
    },
    get secretValuesServed() {
      return secretValuesServed;
    },
    callsOf: (operation) => calls.get(operation) ?? 0,
    countCall(operation) {
      callsTotal += 1;
      calls.set(operation, (calls.get(operation) ?? 0) + 1);
    },
    countValue() {
      secretValuesServed += 1;
    },
    reset() {
      calls.clear();
      callsTotal = 0;
      secretValuesServed = 0;
    },
  };
}
