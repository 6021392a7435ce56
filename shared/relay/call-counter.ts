/** Counts the calls to AWS and to Kubernetes, and the answers that asked to slow down. */
export type CallCounter = {
  readonly counts: () => Counts;
  readonly onAwsCall: () => void;
  readonly onKubernetesCall: () => void;
  readonly onThrottled: () => void;
};

type Counts = { readonly aws: number; readonly kubernetes: number; readonly throttles: number };

export function callCounter(): CallCounter {
  const counts = { aws: 0, kubernetes: 0, throttles: 0 };
  const count = (kind: keyof Counts) => () => {
    counts[kind] += 1;
  };
  return {
    counts: () => ({ ...counts }),
    onAwsCall: count("aws"),
    onKubernetesCall: count("kubernetes"),
    onThrottled: count("throttles"),
  };
}
