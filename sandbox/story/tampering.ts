import type { FindingCode } from "../../shared/assess/catalogue.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
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

/** Another field manager edits the Secret: the sweep names the key and the manager, and restores the value. */
export const tampering: StoryStep = {
  name: "tampering",
  title: "a password is changed by hand in the cluster",
  async run(world) {
    const { admin, bindings, narrator } = world;
    const { data, managedFields } = await readShopSecret(world, "before it is tampered with");
    const right = data.password ?? "";
    const tampered = anyPassword();
    const edit = { data: { password: Buffer.from(tampered).toString("base64") } };

    await admin.patchSecret(NAMESPACE, NAME, edit, "kubectl-edit");
    const reconcile = await world.deploySweep(bindings);
    const { report: plan, requests } = await reconcile.sweep({ sweep: "metadata", plan: true });
    const [planned] = plan.targets;
    const valuesRead = requests.sourceValues + requests.secretValues;
    expectThat(planned?.action === "update", `The plan for the edit is ${planned?.action ?? "nothing"}`);
    expectThat(valuesRead === 0, `The plan read ${valuesRead} values`);
    await expectPassword(world, tampered, "after a plan");
    narrator.done(`a sweep by metadata finds it without reading a value, TAMPERED: ${fieldsOf(planned)}`);

    const { row, ms } = await sweepFor(reconcile, { sweep: "metadata" }, "TAMPERED");
    expectRepaired(row);
    await expectPassword(world, right, "after the sweep");
    narrator.done("the sweep restores it: the Secret holds the password of the source again");

    await admin.patchSecret(NAMESPACE, NAME, edit, "kubectl-edit");
    await admin.patchSecret(NAMESPACE, NAME, { metadata: { managedFields } }, "kubectl-edit");
    const { report } = await reconcile.sweep({ sweep: "metadata" });
    expectThat(
      report.targets.length === 0,
      "A sweep by metadata unexpectedly found the edit behind forged managedFields",
    );
    narrator.done("the same edit again, hidden by forged field owners: a sweep by metadata does not find it");
    const { row: uncovered } = await sweepFor(reconcile, { sweep: "values" }, "VALUE_DIFFERS");
    expectRepaired(uncovered);
    await expectPassword(world, right, "after the sweep by values");
    narrator.done(
      `the daily sweep by values finds it, VALUE_DIFFERS: ${fieldsOf(uncovered)}, and repairs it`,
    );

    expectNoLeak([right, tampered], [reconcile.log, planned, row, uncovered]);
    narrator.result(ms, "for the sweep that restored it (measured, on this sandbox)");
    return { ms };
  },
};

async function sweepFor(reconcile: DeployedSweep, input: SweepInput, code: FindingCode) {
  const { report, ms } = await reconcile.sweep(input);
  const [row] = report.targets;
  const found = row?.finding ?? row?.code ?? "nothing";
  expectThat(row?.finding === code, `The sweep found ${found} instead of ${code}`);
  return { row, ms };
}

function expectRepaired({ finding, action, outcome }: TargetRow): void {
  expectThat(outcome === "written", `${finding} is ${outcome ?? action} instead of written`);
}

function fieldsOf({ fields = [], changes = [] }: TargetRow): string {
  // With forged owners, only the comparison of values finds the difference.
  if (fields.length === 0) return changes.map(({ key, what }) => `data.${key} ${what}`).join(", ");
  const data = fields.filter(({ field }) => field.startsWith("data."));
  return data
    .map(({ field, what, manager }) => `${field} ${what}${manager ? ` by ${manager}` : ""}`)
    .join(", ");
}
