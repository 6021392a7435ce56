/**
 * Whether a text is a duration of Go of zero or less, such as `0`, `0h0m0s` and `-5m`. External Secrets Operator then
 * never refreshes.
 */
export function isNoInterval(text: string): boolean {
  const found = /^([-+]?)(0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text);
  if (found === null) return false;
  const [, sign, amount = ""] = found;
  return sign === "-" || amount === "0" || [...amount.matchAll(PART)].every(isBelowNanosecond);
}

const PART = /([\d.]+)([a-zµμ]+)/g;

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Go drops the fraction of a nanosecond in each part. */
const isBelowNanosecond = ([, amount, unit = ""]: RegExpExecArray): boolean =>
  Number(amount) * (NANOSECONDS[unit] ?? 0) < 1;
