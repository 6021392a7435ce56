/** CloudWatch metrics of a time range. */
export type Measured = {
  readonly from: number;
  readonly to: number;
  /** The period of a data point. */
  readonly periodMs: number;
  readonly latency: readonly LatencyPoint[];
  readonly staleness: readonly (Point & { readonly ms: number })[];
  readonly drift: readonly (Point & {
    readonly found: number;
    readonly repaired: number;
    readonly refused: number;
    readonly failed: number;
  })[];
  readonly checked: readonly (Point & { readonly checked: number; readonly unknown: number })[];
};

export type Point = { readonly at: number };

export type LatencyPoint = Point & { readonly p50: number; readonly p99: number; readonly slowest: number };
