/** The Status in the body of a failed response. Pure. */
export type ServerStatus = {
  readonly causes: readonly Cause[];
  /** What the beginning of the message says, if it has one of the fixed forms of kube-apiserver. */
  readonly said?: Said;
};

export type Cause = { readonly reason?: unknown; readonly field?: unknown };

export type Said =
  | { readonly kind: "denied"; readonly by: Denier }
  | { readonly kind: "webhook-failed"; readonly webhook: string }
  | { readonly kind: "conversion-failed"; readonly type: string }
  | { readonly kind: "quota-exceeded"; readonly quota?: string }
  | { readonly kind: "quota-unknown"; readonly quota?: string }
  | { readonly kind: "starting" }
  | { readonly kind: "too-large" };

export type Denier =
  | { readonly kind: "webhook"; readonly name: string }
  | { readonly kind: "policy"; readonly name: string; readonly binding?: string };

/** A body that is not a Status, such as the error page of a proxy, has neither causes nor a form. */
export function parseStatus(body: string): ServerStatus {
  let status: unknown;
  try {
    status = JSON.parse(body);
  } catch {
    return { causes: [] };
  }
  const { message, details } = (status ?? {}) as { message?: unknown; details?: { causes?: unknown } | null };
  const causes = Array.isArray(details?.causes) ? details.causes : [];
  const said = typeof message === "string" ? parseMessage(message) : undefined;
  return {
    causes: causes.filter((cause): cause is Cause => typeof cause === "object" && cause !== null),
    ...(said && { said }),
  };
}

/**
 * The reason of most refusals is only in the message. Its rest may quote the object, so only the name in its fixed
 * beginning is taken. A webhook cannot imitate another form: kube-apiserver puts the webhook's name before its words.
 */
function parseMessage(message: string): Said | undefined {
  const text = message.slice(0, MESSAGE_LENGTH_MAX).replace(SUBJECT, "");
  for (const [form, meaning] of FORMS) {
    const match = form.exec(text);
    if (match !== null) return meaning(match.slice(1).map(readableName));
  }
  return undefined;
}

/** The form, and its meaning with the names that the form captures. */
type Form = readonly [RegExp, (names: readonly string[]) => Said];

// kube-apiserver 1.36: pkg/admission of k8s.io/apiserver, and pkg/apiserver/conversion of k8s.io/apiextensions-apiserver.
const FORMS: readonly Form[] = [
  [
    /^admission webhook "([^"]*)" denied the request(?::| without explanation)/,
    ([name = ""]) => ({ kind: "denied", by: { kind: "webhook", name } }),
  ],
  [
    /^(?:ValidatingAdmissionPolicy|policy) '([^']*)' with binding '([^']*)' denied request: /,
    ([name = "", binding = ""]) => ({ kind: "denied", by: { kind: "policy", name, binding } }),
  ],
  [
    /^(?:ValidatingAdmissionPolicy|policy) ['"]([^'"]*)['"] denied request: /,
    ([name = ""]) => ({ kind: "denied", by: { kind: "policy", name } }),
  ],
  [
    /^Internal error occurred: failed calling webhook "([^"]*)"[:;]/,
    ([webhook = ""]) => ({ kind: "webhook-failed", webhook }),
  ],
  [
    /^(?:Internal error occurred: )?conversion webhook for [^ /]+\/[^ ,]+, Kind=([A-Za-z]+) /,
    ([type = ""]) => ({ kind: "conversion-failed", type }),
  ],
  [/^exceeded quota: ([^ ,]*), requested: /, ([quota = ""]) => ({ kind: "quota-exceeded", quota })],
  [/^failed quota: ([^ :]*): /, ([quota = ""]) => ({ kind: "quota-exceeded", quota })],
  [/^insufficient quota to (?:consume|match)/, () => ({ kind: "quota-exceeded" })],
  [/^status unknown for quota: ([^ ,]*), /, ([quota = ""]) => ({ kind: "quota-unknown", quota })],
  [/^Internal error occurred: resource quota evaluation timed out$/, () => ({ kind: "quota-unknown" })],
  [/^not yet ready to handle request$/, () => ({ kind: "starting" })],
  [/(?:^| desc = )etcdserver: request is too large$/, () => ({ kind: "too-large" })],
];

/** `secrets "db" is forbidden: `, as most plugins begin. */
const SUBJECT = /^[a-z][a-z0-9.-]*(?: "[^"]*")? is forbidden: /;

const MESSAGE_LENGTH_MAX = 2_000;

/** Webhooks, policies, bindings and quotas have DNS names, and kinds have letters. */
const readableName = (name: string): string =>
  /^[A-Za-z0-9][-a-z0-9.A-Z]{0,252}$/.test(name) ? name : "unreadable";
