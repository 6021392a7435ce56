/** What the caller's AWS bill would count, and what the least-privilege tests ask about. */
export type Counters = {
  /** Requests that arrived, by operation, the refused ones too. */
  readonly calls: ReadonlyMap<string, number>;
  readonly callsTotal: number;
  /** Values that left the building: one for each secret in an answer of GetSecretValue or BatchGetSecretValue. */
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
