import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { parseIdentity } from "../../shared/bindings/relay-identity.ts";
import { startTimeBudget, type TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import type { Claimed, ClaimResult } from "../claim/claim-secrets.ts";
import { type AddCommand, type CommandLine, finish } from "../cli.ts";
import { defineCommand } from "../define-command.ts";
import { UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-code.ts";
import type { Session } from "../live/open-session.ts";
import { addSelectionOptions, type SelectionOptions, targetArgument } from "../live/options.ts";
import { printSync } from "../sync/print-sync.ts";
import { isDone, type SyncRow } from "../sync/sync-result.ts";
import { groupByCause, nameOfGroup } from "../targets/group-by-cause.ts";
import { withProgress } from "../terminal/progress.ts";

type ClaimOptions = SelectionOptions & { readonly from?: string; readonly yes?: boolean };

export const addClaim: AddCommand = (program, cli) => {
  const command = defineCommand(program, "claim", {
    summary: "take over bound Secrets that the relay no longer owns",
    description:
      "Takes over bound Secrets that this relay no longer owns: after a restore from a backup that lost managedFields (UNCLAIMED), after the relay was renamed, rebuilt or moved to another account or Region (OWNED_BY_ANOTHER_RELAY, with --from), and after another field manager kept changing a Secret (CONTESTED). Without --yes it shows what it would claim and changes nothing. With --yes it makes this relay the owner, removes the label and annotations of the former one, and syncs.",
    examples: [
      ["secret-relay claim", "show what can be claimed"],
      ["secret-relay claim shop/db --yes", "one Secret, after you have checked its content"],
      [
        "secret-relay claim --from pay.111122223333.eu-west-1 --yes",
        "all bound Secrets of the former relay pay",
      ],
    ],
    note: "Stop the other relay before you claim from it. Otherwise both keep changing the Secret. Ends with 1 if a bound Secret cannot be claimed or is unknown; without --yes also if there is something to claim.",
  })
    .addArgument(targetArgument())
    .option("--from <identity>", "also Secrets of this other relay: name.account.region, as in its label")
    .option("--yes", "claim them");
  addSelectionOptions(command).action(
    cli.runs((what: string | undefined, options: ClaimOptions) => claim(cli, what, options)),
  );
};

async function claim(cli: CommandLine, what: string | undefined, options: ClaimOptions): Promise<ExitCode> {
  const { from, yes = false } = options;
  if (from !== undefined && parseIdentity(from) === undefined) {
    throw new UsageError("--from must be name.account.region, such as secret-relay.111122223333.eu-west-1.");
  }
  const { openSelection } = await import("../live/open-session.ts");
  const { claimSecrets } = await import("../claim/claim-secrets.ts");
  const { assessRows } = await import("../sync/sync-from-here.ts");
  const { session, groups } = await openSelection(cli, what, options, { writes: yes });
  const { identity: relay } = session.index.ownMetadata;
  const { announceWrites, clustersOf } = await import("../live/announce-writes.ts");
  if (yes) announceWrites(cli, session, clustersOf(groups.flatMap(({ bindings }) => bindings)));
  const budget = startTimeBudget(CLAIM_MS_MAX);
  return withProgress(cli.terminal, yes ? "claiming" : "comparing", async () => {
    const before = await assessRows(session, groups, budget);
    const bindings = groups.flatMap((group) => group.bindings);
    const claims = await claimSecrets(session, bindings, { from, dryRun: !yes, budget });
    const synced = yes ? await syncClaimed(session, groups, claims, budget) : [];
    const after = new Map(synced.map((row) => [nameOfTarget(row), row]));
    const targets = claims.flatMap(({ binding, claim }): ClaimRow[] => {
      const key = nameOfTarget(binding.target);
      const row = after.get(key) ?? before.get(key);
      return row === undefined ? [] : [{ ...row, claim }];
    });
    const isRefused = claims.some(({ claim: { kind } }) => kind === "refused" || kind === "unknown");
    const ok = !isRefused && (yes ? synced.every(isDone) : !claims.some(isClaimable));
    return finish(cli, options, { ok, relay, claimed: yes, targets }, () => {
      printClaims(cli, targets, { relay, yes });
      if (synced.length > 0) printSync(cli.terminal, synced, cli.now());
    });
  });
}

type ClaimRow = (TargetRow | SyncRow) & { readonly claim: ClaimResult };

const CLAIM_MS_MAX = 300_000;

const isClaimable = ({ claim: { kind } }: Claimed): boolean =>
  kind === "unclaimed" || kind === "relay" || kind === "contested";

/** A claim changes only metadata. The data is written through the fence, as in every sync. */
async function syncClaimed(
  session: Session,
  groups: readonly SourceBindings[],
  claims: readonly Claimed[],
  budget: TimeBudget,
): Promise<SyncRow[]> {
  const { syncFromHere } = await import("../sync/sync-from-here.ts");
  const claimed = new Set(claims.filter(isClaimable).map(({ binding }) => binding));
  const selected = groups
    .map(({ source, bindings }) => ({ source, bindings: bindings.filter((each) => claimed.has(each)) }))
    .filter(({ bindings }) => bindings.length > 0);
  return selected.length === 0 ? [] : syncFromHere(session, selected, { budget, reportProgress: () => {} });
}

function printClaims(
  { terminal }: CommandLine,
  rows: readonly ClaimRow[],
  { relay, yes }: { relay: string; yes: boolean },
): void {
  const shown = rows.filter(({ claim }) => claim.kind !== "none");
  const causeOf = (row: ClaimRow) => ("code" in row.claim ? explain(row.claim, relay) : nameOfTarget(row));
  for (const group of groupByCause(shown, causeOf)) {
    const [first] = group;
    if (first !== undefined) terminal.out(`${nameOfGroup(group)}: ${explain(first.claim, relay)}`);
  }
  const count = shown.filter(({ claim }) => "from" in claim || !("code" in claim)).length;
  terminal.out(`${count} of ${rows.length} bound Secret(s) ${yes ? "claimed" : "can be claimed"}.`);
  if (!yes && count > 0) terminal.say("Nothing was changed. Check what they hold, then add --yes.");
}

function explain(claim: ClaimResult, relay: string): string {
  switch (claim.kind) {
    case "unclaimed":
      return `UNCLAIMED. Its label names ${relay}, but managedFields does not.`;
    case "relay":
      return `belongs to relay ${claim.from}. Its label and annotations are replaced by those of ${relay}.`;
    case "contested":
      return "CONTESTED. The relay takes its fields back, and counts the changes of others from zero.";
    case "none":
      return "nothing to claim";
    case "refused":
    case "unknown":
      return `${claim.code}: ${claim.advice}`;
  }
}
