/** What CloudWatch tells about a time range, besides a sweep. */
export type Measured = {
  readonly from: number;
  readonly to: number;
  /** The span that a point stands for. */
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
