import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { MARK } from "../../harness/canary.ts";
import { EXTRA, type ExpectedState, isGone, type Move, type Source } from "../expected-state.ts";
import type { Random } from "../random.ts";
import { SHARES } from "../settings.ts";
import type { StaleReplica } from "../transport/stale-replica.ts";

export type RotatorDependencies = {
  readonly secrets: SecretsManagerClient;
  readonly expected: ExpectedState;
  readonly replica: StaleReplica;
  readonly random: Random;
  readonly now: () => number;
  /** Called for each move after Secrets Manager has answered. */
  readonly moved: (source: Source, move: Move) => void;
};

/**
 * A team that rotates and rolls back: some sources often, some twice within seconds. Every move is recorded as
 * expected state.
 */
export class Rotator {
  readonly counts = {
    rotations: 0,
    rollbacks: 0,
    deleted: 0,
    recreatedWithValue: 0,
    recreatedWithoutValue: 0,
  };
  readonly #deps: RotatorDependencies;
  readonly #arns = new Map<string, string>();
  /** The moves of one source are sequential, as its owner makes them. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(deps: RotatorDependencies) {
    this.#deps = deps;
  }

  /**
   * The first version keeps a label of its own, because it may be pinned. A source whose AWSPREVIOUS is bound gets a
   * second version immediately; no event announces the first.
   */
  async create(name: string, firstVersion: string, wantsPrevious: boolean): Promise<void> {
    const { secrets, expected } = this.#deps;
    const source = expected.add(name);
    const version = this.#newVersion(source, firstVersion);
    const move = this.#begin(source, version.id);
    const command = new CreateSecretCommand({
      Name: name,
      SecretString: version.text,
      ClientRequestToken: version.id,
    });
    this.#arns.set(name, (await secrets.send(command)).ARN ?? "");
    const label = { SecretId: name, VersionStage: "FIRST", MoveToVersionId: version.id };
    await secrets.send(new UpdateSecretVersionStageCommand(label));
    if (!wantsPrevious) return this.#end(source, move);
    move.endedAt = this.#deps.now();
    await this.#put(source, this.#newVersion(source));
  }

  /** Moves AWSCURRENT this many times within the period, at moments drawn in advance. */
  async run(names: readonly string[], rotations: number, withinMs: number): Promise<void> {
    const { random, now } = this.#deps;
    const startedAt = now();
    const moments: { at: number; name: string }[] = [];
    while (moments.length < rotations) {
      const at = random.between(0, withinMs);
      const name = names[Math.floor(names.length * random.next() ** 2)] ?? ""; // some are rotated far more often
      moments.push({ at, name });
      if (random.chance(SHARES.bursts)) moments.push({ at: at + random.between(20, 2_000), name });
    }
    const inOrder = moments.slice(0, rotations).sort((one, other) => one.at - other.at);
    const moves: Promise<void>[] = [];
    for (const { at, name } of inOrder) {
      const waitMs = startedAt + at - now();
      if (waitMs > 0) await sleep(waitMs);
      const source = this.#deps.expected.get(name);
      const living = isGone(source) || source.isEmpty ? (names[0] ?? name) : name;
      moves.push(this.#inTurn(living, () => this.#move(living)));
    }
    await Promise.all(moves);
  }

  /** Three times, as fast as events arrive. */
  hurry(name: string): void {
    for (let time = 0; time < 3; time += 1) {
      void this.#inTurn(name, async () => {
        await this.#move(name);
        await sleep(this.#deps.random.between(20, 700));
      });
    }
  }

  /** Permanently, without a recovery window: only then is the source missing. */
  delete(name: string): Promise<void> {
    return this.#inTurn(name, async () => {
      const { secrets, expected, replica, now } = this.#deps;
      expected.get(name).gone.push({ from: now(), until: Number.POSITIVE_INFINITY });
      replica.moved(name);
      this.counts.deleted += 1;
      await secrets.send(new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }));
    });
  }

  /** Another secret with the same name, with or without a value. */
  recreate(name: string, withValue: boolean): Promise<void> {
    return this.#inTurn(name, async () => {
      const { secrets, expected, replica, now } = this.#deps;
      const source = expected.get(name);
      source.movesBefore = source.moves.length;
      source.isEmpty = !withValue;
      replica.moved(name);
      const version = withValue ? this.#newVersion(source) : undefined;
      const move = version && this.#begin(source, version.id);
      const value = version && { SecretString: version.text, ClientRequestToken: version.id };
      const { ARN = "" } = await secrets.send(new CreateSecretCommand({ Name: name, ...value }));
      this.#arns.set(name, ARN);
      const span = source.gone.at(-1);
      if (span !== undefined) span.until = now();
      if (move !== undefined) this.#end(source, move);
      this.counts[withValue ? "recreatedWithValue" : "recreatedWithoutValue"] += 1;
    });
  }

  /** The first value of a secret that was created without one. */
  fill(name: string): Promise<void> {
    return this.#inTurn(name, async () => {
      const source = this.#deps.expected.get(name);
      await this.#put(source, this.#newVersion(source));
      source.isEmpty = false;
    });
  }

  arnOf(name: string): string {
    return this.#arns.get(name) ?? "";
  }

  #inTurn(name: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(work);
    this.#turns.set(name, turn);
    return turn;
  }

  async #move(name: string): Promise<void> {
    const { expected, random } = this.#deps;
    const source = expected.get(name);
    if (isGone(source) || source.isEmpty) return;
    await this.#read(name);
    const previous = source.moves.slice(source.movesBefore).at(-2);
    const isRollback = previous !== undefined && random.chance(SHARES.rollbacks);
    // A rollback goes to AWSPREVIOUS, the only version that Secrets Manager is sure to have kept.
    if (isRollback && previous.versionId !== source.moves.at(-1)?.versionId) {
      this.counts.rollbacks += 1;
      return this.#moveLabel(source, previous.versionId);
    }
    const { secrets } = this.#deps;
    const version = this.#newVersion(source);
    if (!random.chance(0.5)) return this.#put(source, version);
    // As a rotation function does: the value waits under AWSPENDING, and the label moves last.
    this.counts.rotations += 1;
    await secrets.send(
      new PutSecretValueCommand({ ...putOf(source, version), VersionStages: ["AWSPENDING"] }),
    );
    await sleep(random.between(20, 400));
    return this.#moveLabel(source, version.id);
  }

  /** Gives a lagging replica something to answer. */
  async #read(name: string): Promise<void> {
    const { secrets } = this.#deps;
    const query = { SecretId: name };
    await secrets.send(new GetSecretValueCommand(query));
    await secrets.send(new DescribeSecretCommand(query));
  }

  async #put(source: Source, version: Version): Promise<void> {
    this.counts.rotations += 1;
    const move = this.#begin(source, version.id);
    await this.#deps.secrets.send(new PutSecretValueCommand(putOf(source, version)));
    this.#end(source, move);
  }

  async #moveLabel(source: Source, versionId: string): Promise<void> {
    const { secrets, expected } = this.#deps;
    const from = expected.currentOf(source).versionId;
    const move = this.#begin(source, versionId);
    await secrets.send(
      new UpdateSecretVersionStageCommand({
        SecretId: source.name,
        VersionStage: "AWSCURRENT",
        MoveToVersionId: versionId,
        RemoveFromVersionId: from,
      }),
    );
    this.#end(source, move);
  }

  #newVersion(source: Source, id = this.#deps.random.uuid()): Version {
    const password = `${MARK}-${source.name}-${source.passwords.size}`;
    source.passwords.set(id, password);
    const isExtended = source.passwords.size % 3 === 2;
    if (isExtended) source.extended.add(id);
    const more = isExtended ? { [EXTRA.key]: EXTRA.value } : {};
    return { id, text: JSON.stringify({ username: "app", password, ...more }) };
  }

  #begin(source: Source, versionId: string): Move {
    const { replica, now } = this.#deps;
    const move = { versionId, startedAt: now(), endedAt: Number.POSITIVE_INFINITY };
    replica.moved(source.name);
    source.moves.push(move);
    return move;
  }

  #end(source: Source, move: Move): void {
    move.endedAt = this.#deps.now();
    this.#deps.moved(source, move);
  }
}

type Version = { readonly id: string; readonly text: string };

const putOf = ({ name }: Source, { id, text }: Version) => ({
  SecretId: name,
  SecretString: text,
  ClientRequestToken: id,
});
