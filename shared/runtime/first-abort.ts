/**
 * Aborts with the first of these signals. AbortSignal.any does not always: in Node 24 its signal without a listener
 * forgets an abort when the source of it is garbage-collected.
 */
export function firstAbortOf(...signals: readonly AbortSignal[]): AbortSignal {
  const first = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) return signal;
    const abort = () => first.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true, signal: first.signal });
  }
  return first.signal;
}
