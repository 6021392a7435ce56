/** Cents where they matter, and never so many digits that nobody reads them. */
export function dollars(usd: number): string {
  if (usd > 0 && usd < 0.005) return "under $0.01";
  const digits = usd >= 1_000 ? 0 : 2;
  return `$${usd.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return "0 %";
  if (value < 0.01) return "<0.01 %";
  return `${value.toLocaleString("en-US", { maximumSignificantDigits: value >= 100 ? 4 : 2 })} %`;
}

export function count(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}

export const plural = (number: number, noun: string): string =>
  `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
