import { Argument } from "commander";
import type { SourceBindings } from "../../shared/bindings/binding-index.ts";
import { nameOfTarget } from "../../shared/bindings/name-of-target.ts";
import { parseIdentity, type RelayMetadata } from "../../shared/bindings/relay-identity.ts";
import { startTimeBudget, type TimeBudget } from "../../shared/runtime/time-budget.ts";
import type { TargetRow } from "../../shared/sweep/target-row.ts";
import { bindingsOption } from "../bindings-file.ts";
import type { Claimed, ClaimResult } from "../claim/claim-secrets.ts";
import type { AddCommand, CommandLine } from "../cli.ts";
import { UsageError } from "../errors.ts";
import { examples } from "../examples.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Session } from "../live/open-session.ts";
import { addAwsOptions, addClusterOptions, type SessionOptions } from "../live/options.ts";
import { printSync } from "../sync/print-sync.ts";
import { isDone, type SyncRow } from "../sync/sync-result.ts";
import { withProgress } from "../terminal/progress.ts";

type ClaimOptions = SessionOptions & {
  readonly from?: string;
  readonly yes?: boolean;
  readonly cluster?: readonly string[];
  readonly json?: boolean;
};

export const addClaim: AddCommand = (program, cli) => {
  const command = program
    .command("claim")
    .summary("take over bound Secrets whose ownership was lost")
    .description(
      "Takes over Secrets that the bindings name and this relay no longer owns: after a restore from a backup that lost managedFields (UNCLAIMED), after the relay was renamed, rebuilt or moved to another account or Region (OWNED_BY_ANOTHER_RELAY, with --from), and after another field manager kept changing a Secret (CONTESTED). Without --yes it shows what it would claim and changes nothing. With --yes it makes this relay the owner, removes the marks of the former one, and syncs.",
    )
    .addArgument(new Argument("[what]", "namespace/name of a Secret, or the name or ARN of a source"))
    .option(
      "--from <identity>",
      "also what belongs to this other relay: name.account.region, as its label says",
    )
    .option("--yes", "claim them")
    .option("--cluster <key...>", "only these clusters, by their keys in the bindings")
    .addOption(bindingsOption())
    .option("--json", "print one JSON object");
  addClusterOptions(addAwsOptions(command))
    .addHelpText(
      "after",
      `${examples(
        ["secret-relay claim", "what could be claimed"],
        ["secret-relay claim shop/db --yes", "one Secret, after you checked what it holds"],
        [
          "secret-relay claim --from pay.111122223333.eu-west-1 --yes",
          "everything bound that the former relay pay left behind",
        ],
      )}\n\nStop the other relay before you claim from it, or the two will fight. Ends with 1 when something bound cannot be claimed or is unknown; without --yes also when there is something to claim.`,
    )
    .action(cli.runs((what: string | undefined, options: ClaimOptions) => claim(cli, what, options)));
};

async function claim(cli: CommandLine, what: string | undefined, options: ClaimOptions): Promise<ExitCode> {
  const { from, yes = false } = options;
  if (from !== undefined && parseIdentity(from) === undefined) {
    throw new UsageError("--from must be name.account.region, such as secret-relay.111122223333.eu-west-1.");
  }
  const { openSession } = await import("../live/open-session.ts");
  const { selectBindings } = await import("../live/select-bindings.ts");
  const { claimSecrets } = await import("../claim/claim-secrets.ts");
  const { assessRows } = await import("../sync/sync-from-here.ts");
  const live = await openSession(cli, options);
  const groups = selectBindings(live.index, {
    ...(what !== undefined && { what }),
    ...(options.cluster && { clusters: options.cluster }),
  });
  const budget = startTimeBudget(CLAIM_MS_MAX);
  return withProgress(cli.terminal, yes ? "claiming" : "comparing", async () => {
    const before = await assessRows(live, groups, budget);
    const bindings = groups.flatMap((group) => group.bindings);
    const claims = await claimSecrets(live, bindings, { from, carryOut: yes, budget });
    const synced = yes ? await syncClaimed(live, groups, claims, budget) : [];
    const done = new Map(synced.map((row) => [nameOfTarget(row), row]));
    const rows = claims.flatMap(({ binding, claim }): ClaimRow[] => {
      const key = nameOfTarget(binding.target);
      const row = done.get(key) ?? before.get(key);
      return row === undefined ? [] : [{ ...row, claim }];
    });
    const isStuck = claims.some(({ claim: { kind } }) => kind === "refused" || kind === "unknown");
    const ok = !isStuck && (yes ? synced.every(isDone) : !claims.some(isClaimable));
    print(cli, live.index.marks, { rows, synced, ok }, options);
    return ok ? EXIT.done : EXIT.failed;
  });
}

type ClaimRow = (TargetRow | SyncRow) & { readonly claim: ClaimResult };

const CLAIM_MS_MAX = 300_000;

const isClaimable = ({ claim: { kind } }: Claimed): boolean =>
  kind === "unclaimed" || kind === "relay" || kind === "contested";

/** The marks are right now; what the Secrets hold comes through the fence, as in every sync. */
async function syncClaimed(
  live: Session,
  groups: readonly SourceBindings[],
  claims: readonly Claimed[],
  budget: TimeBudget,
): Promise<SyncRow[]> {
  const { syncFromHere } = await import("../sync/sync-from-here.ts");
  const taken = new Set(claims.filter(isClaimable).map(({ binding }) => binding));
  const claimed = groups
    .map(({ source, bindings }) => ({ source, bindings: bindings.filter((each) => taken.has(each)) }))
    .filter(({ bindings }) => bindings.length > 0);
  return claimed.length === 0 ? [] : syncFromHere(live, claimed, { budget, reportProgress: () => {} });
}

function print(
  { terminal, now }: CommandLine,
  { identity }: RelayMetadata,
  { rows, synced, ok }: { rows: readonly ClaimRow[]; synced: readonly SyncRow[]; ok: boolean },
  { yes = false, json = false }: ClaimOptions,
): void {
  if (json) {
    terminal.out(JSON.stringify({ ok, relay: identity, claimed: yes, targets: rows }));
    return;
  }
  const shown = rows.filter(({ claim }) => claim.kind !== "none");
  for (const row of shown) terminal.out(`${nameOfTarget(row)}: ${wordsOf(row.claim, identity)}`);
  const count = shown.filter(({ claim }) => "from" in claim || !("code" in claim)).length;
  terminal.out(`${count} of ${rows.length} bound Secret(s) ${yes ? "claimed" : "can be claimed"}.`);
  if (synced.length > 0) printSync(terminal, synced, now());
  if (!yes && count > 0) terminal.say("Nothing was changed. Check what they hold, then add --yes.");
}

function wordsOf(claim: ClaimResult, identity: string): string {
  switch (claim.kind) {
    case "unclaimed":
      return `UNCLAIMED. It carries the marks of ${identity}, and managedFields does not name that relay.`;
    case "relay":
      return `belongs to relay ${claim.from}, whose marks are replaced by those of ${identity}.`;
    case "contested":
      return "CONTESTED. The count of take-backs starts anew, and the relay puts its fields back.";
    case "none":
      return "nothing to claim";
    case "refused":
    case "unknown":
      return `${claim.code}: ${claim.advice}`;
  }
}
