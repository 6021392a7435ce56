/** A span as Go writes it, `1h0m0s` or `1.5h`, in ms; undefined when it is none. */
export function parseDuration(text: unknown): number | undefined {
  if (typeof text !== "string" || text.length > LENGTH_MAX) return undefined;
  const unsigned = text.replace(/^[+-]/, "");
  if (unsigned === "0") return 0;
  if (!/^(?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|μs|ms|s|m|h))+$/.test(unsigned)) return undefined;
  let ms = 0;
  for (const [, amount = "", unit = ""] of unsigned.matchAll(/([0-9.]+)([^0-9.]+)/g)) {
    ms += Number(amount) * (MS_OF[unit] ?? Number.NaN);
  }
  return text.startsWith("-") ? -ms : ms;
}

const LENGTH_MAX = 100;

const MS_OF: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
