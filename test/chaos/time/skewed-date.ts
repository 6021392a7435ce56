import { currentEnvironment } from "../transport/environment.ts";

/**
 * Replaces the process's Date so that each execution environment reads its own skewed clock, until the returned
 * function is called.
 */
export function installDate(now: () => number): () => void {
  const skewedNow = (): number => Math.floor(now() + (currentEnvironment()?.skewMs ?? 0));
  const RealDate = globalThis.Date;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [skewedNow()] : args, newTarget),
    apply: () => new RealDate(skewedNow()).toString(),
    get: (target, property, receiver) =>
      property === "now" ? skewedNow : Reflect.get(target, property, receiver),
  });
  return () => {
    globalThis.Date = RealDate;
  };
}
