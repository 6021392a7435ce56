import type { Finding } from "../../shared/sweep/finding.ts";
import type { DeployedSweep, SweepInput } from "./deploy-sweep.ts";
import {
  anyPassword,
  expectNoLeak,
  expectPassword,
  NAME,
  NAMESPACE,
  readShopSecret,
} from "./shop-database.ts";
import { expectThat } from "./story-problem.ts";
import type { StoryStep } from "./story-step.ts";

/** Somebody edits the Secret: the sweep says which key and who, and takes it back where the binding asks for that. */
export const tampering: StoryStep = {
  name: "tampering",
  title: "somebody changes a password in the cluster by hand",
  async run(world) {
    const { admin, bindings, tell } = world;
    const { data, managedFields } = await readShopSecret(world, "before it is tampered with");
    const right = data.password ?? "";
    const tampered = anyPassword();
    const edit = { data: { password: Buffer.from(tampered).toString("base64") } };

    await admin.patchSecret(NAMESPACE, NAME, edit, "kubectl-edit");
    const cautious = await world.deploySweep(bindings);
    const refused = await findOne(cautious, { sweep: "metadata" }, "TAMPERED");
    const because = refused.action.kind === "refused" ? refused.action.code : refused.action.kind;
    expectThat(because === "FIELD_OWNED_BY_ANOTHER", `The edit was not left alone: ${because}`);
    await expectPassword(world, tampered, "without adopt");
    tell.done(`a sweep by metadata finds it, TAMPERED: ${fieldsOf(refused)}; no value is compared for that`);
    tell.done(`the binding does not say adopt, so it is left to a person: ${because}`);

    const adopting = await world.deploySweep(withAdopt(bindings));
    const { finding, ms } = await sweepFor(adopting, { sweep: "metadata" }, "TAMPERED");
    expectRepaired(finding);
    await expectPassword(world, right, "with adopt");
    tell.done("with adopt: true the next sweep takes it back: the Secret holds the source's password again");

    await admin.patchSecret(NAMESPACE, NAME, edit, "kubectl-edit");
    await admin.patchSecret(NAMESPACE, NAME, { metadata: { managedFields } }, "kubectl-edit");
    const { report } = await adopting.sweep({ sweep: "metadata" });
    expectThat(
      report.findings.length === 0,
      "A sweep by metadata sees through a forged ledger, which is news",
    );
    tell.done("now the edit is covered up, field owners forged: a sweep by metadata sees nothing");
    const uncovered = await findOne(adopting, { sweep: "values" }, "VALUE_DIFFERS");
    expectRepaired(uncovered);
    await expectPassword(world, right, "after the sweep by values");
    tell.done(`the daily sweep by values does, VALUE_DIFFERS: ${fieldsOf(uncovered)}, and repairs it`);

    expectNoLeak([right, tampered], [cautious.log, adopting.log, refused, finding, uncovered]);
    tell.result(
      ms,
      "for the sweep that took it back, its first connection included (measured, on this sandbox)",
    );
    return { ms };
  },
};

function withAdopt(bindings: string): string {
  return bindings.replace(/^( +)- source: .*$/m, "$&\n$1  adopt: true");
}

async function sweepFor(reconcile: DeployedSweep, input: SweepInput, code: Finding["code"]) {
  const { report, ms } = await reconcile.sweep(input);
  const [finding] = report.findings;
  const told = finding?.code ?? report.unchecked[0]?.code ?? "nothing";
  expectThat(finding?.code === code, `The sweep found ${told} instead of ${code}`);
  return { finding, ms };
}

async function findOne(reconcile: DeployedSweep, input: SweepInput, code: Finding["code"]): Promise<Finding> {
  return (await sweepFor(reconcile, input, code)).finding;
}

function expectRepaired({ code, action }: Finding): void {
  expectThat(action.kind === "repaired", `What was found (${code}) is ${action.kind} instead of repaired`);
}

function fieldsOf({ details: { fields = [] } }: Finding): string {
  const data = fields.filter(({ field }) => field.startsWith("data."));
  return data
    .map(({ field, what, manager }) => `${field} ${what}${manager ? ` by ${manager}` : ""}`)
    .join(", ");
}
