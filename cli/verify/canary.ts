import type { Binding } from "../../shared/bindings/binding.ts";
import type { BindingIndex } from "../../shared/bindings/binding-index.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import type { SecretReference } from "../../shared/source/secret-id.ts";
import { CommandError, UsageError } from "../errors.ts";
import { selectBindings } from "../live/select-bindings.ts";

/**
 * The end of the name of every canary's source. `verify` overwrites that source, so no other name is accepted. It does
 * not end in a hyphen and six characters, which AWS advises against.
 */
export const CANARY_SOURCE = "secret-relay/canary";

/** The name of the Secret that `init` gives a canary. */
export const CANARY_SECRET = "secret-relay-canary";

export type Canary = { readonly binding: Binding; readonly source: SecretReference };

/** The canary that `what` names, or the only one. Throws if there is none, or if a test of it could do harm. Pure. */
export function findCanary(index: BindingIndex, what: string | undefined): Canary {
  const bound =
    what === undefined
      ? index.bindings.filter(isCanary)
      : selectBindings(index, { what }).flatMap(({ bindings }) => bindings);
  const [binding, other] = bound;
  if (binding === undefined) throw new CanaryNotBound();
  if (other !== undefined) {
    const names = bound.map(({ target, sources }) => `${nameOfTarget(target)} (source ${sources[0].id})`);
    throw new UsageError(
      `${what ?? "The name of the canary"} matches several Secrets: ${names.join(", ")}. Name one by its source or as namespace/name.`,
    );
  }
  const problems = problemsOf(binding, index);
  if (problems.length > 0) throw new CanaryUnsuitable(nameOfTarget(binding.target), problems);
  return { binding, source: binding.sources[0] };
}

const isCanary = ({ sources }: Binding): boolean => sources.some(isCanarySource);

const isCanarySource = ({ names }: SecretReference): boolean => names.some(isCanaryName);

/** Whether a source of this name is one of a canary. */
export const isCanaryName = (name: string): boolean =>
  name === CANARY_SOURCE || name.endsWith(`/${CANARY_SOURCE}`);

/** Why `verify` must not write this source and this Secret, or could not judge them. */
function problemsOf(binding: Binding, index: BindingIndex): readonly string[] {
  const { restart, nudge, type, namedKeys, immutable, ownership } = binding;
  const [source, ...others] = binding.sources;
  const { stage, versionId, keys } = source;
  const bound = index.find(source).flatMap(({ bindings }) => bindings);
  const problems: readonly (readonly [isProblem: boolean, says: string])[] = [
    [
      !isCanarySource(source),
      `its source ${source.id} is not named ${CANARY_SOURCE}, and verify overwrites the source`,
    ],
    [others.length > 0, "it has several sources"],
    [bound.some((each) => each !== binding), "its source has other targets"],
    [stage !== undefined || versionId !== undefined, "it does not follow AWSCURRENT"],
    [restart !== undefined, "it restarts workloads"],
    [nudge === true, "it nudges Pods"],
    [keys.kind !== "all" || namedKeys !== undefined || type !== "Opaque", "it has keys or a type of its own"],
    [immutable !== undefined, "its Secret is immutable"],
    [ownership === "keys", "others own keys of its Secret"],
  ];
  return problems.flatMap(([isProblem, says]) => (isProblem ? [says] : []));
}

/** The published bindings have no canary. */
export class CanaryNotBound extends CommandError {
  readonly code = "CANARY_NOT_BOUND";
  constructor() {
    super(
      `The published bindings have no canary, which is a binding of a source named ${CANARY_SOURCE}, or ending in /${CANARY_SOURCE} to be below SecretNamePrefix. Create the source: ${createSourceCommand("NAME")}. Then add it to bindings.yaml: {source: NAME, targets: [{namespace: NAMESPACE, name: ${CANARY_SECRET}}]}. Without a prefix, run secret-relay iam --parameters and deploy. Then run secret-relay rbac and secret-relay publish. A new bindings.yaml gets it with secret-relay init --canary.`,
    );
  }
}

/** A test of this binding could change something else, or prove nothing. */
export class CanaryUnsuitable extends CommandError {
  readonly code = "CANARY_UNSUITABLE";
  constructor(target: string, problems: readonly string[]) {
    super(
      `${target} cannot be the canary: ${problems.join("; ")}. Give the canary a source, a Secret and a binding of its own. Nothing was written.`,
    );
  }
}

/** The value is one that a binding without keys renders. `verify` replaces it. */
export const createSourceCommand = (name: string): string =>
  `aws secretsmanager create-secret --name ${name} --secret-string '{"verify":"new"}'`;
