/** Counts the calls to AWS and to Kubernetes, and the answers that asked to slow down. */
export type CallCounter = {
  readonly counts: () => CallCounts;
  readonly onAwsCall: () => void;
  readonly onKubernetesCall: () => void;
  readonly onThrottled: () => void;
};

export type CallCounts = { readonly aws: number; readonly kubernetes: number; readonly throttles: number };

export function callCounter(): CallCounter {
  const counts = { aws: 0, kubernetes: 0, throttles: 0 };
  const count = (kind: keyof CallCounts) => () => {
    counts[kind] += 1;
  };
  return {
    counts: () => ({ ...counts }),
    onAwsCall: count("aws"),
    onKubernetesCall: count("kubernetes"),
    onThrottled: count("throttles"),
  };
}
