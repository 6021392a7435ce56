import type { BindingsBucket } from "../../cli/publish/bindings-bucket.ts";
import type { ReconcileDependencies } from "../../functions/reconcile/dependencies.ts";
import type { RotationDependencies } from "../../functions/rotation/dependencies.ts";
import type { Handler, Invocation } from "./lambda/invocation.ts";
import type { Transport } from "./transport/transport.ts";

/**
 * A bug that is injected through the functions' dependencies; the functions themselves stay unchanged. The run must
 * find it: a harness that finds none of these bugs proves nothing when it reports none.
 */
export type Mutation = {
  readonly description: string;
  readonly rotation?: (real: RotationDependencies) => Partial<RotationDependencies>;
  readonly reconcile?: (real: ReconcileDependencies) => Partial<ReconcileDependencies>;
  /** Called once per run: its environments share what it keeps. */
  readonly rotationHandler?: () => (real: Handler) => Handler;
  readonly transport?: (transport: Transport) => void;
  /** Of the functions. */
  readonly env?: Readonly<Record<string, string>>;
  /** The bucket as a publisher uses it. */
  readonly bucket?: (real: BindingsBucket) => BindingsBucket;
  /** Selects what a redrive of the failure queue really sends. */
  readonly redriven?: (invocations: readonly Invocation[]) => readonly Invocation[];
};
