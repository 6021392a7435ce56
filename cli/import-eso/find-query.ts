/** A filter of ListSecrets. */
export type FindFilter = {
  readonly Key: "name" | "tag-key" | "tag-value";
  readonly Values: readonly string[];
};

/** What a `find` asks AWS. */
export type FindQuery = {
  /** Absent: the Region of the caller. */
  readonly region?: string;
  /** Whose secrets they are, if the stores or the options say so. */
  readonly accountId?: string;
  readonly filters: readonly FindFilter[];
};

export type ListedSecret = {
  readonly name: string;
  readonly arn: string;
  /** Has a version AWSCURRENT. */
  readonly hasValue: boolean;
};

/** The listed secrets, or the reason why they cannot be listed. */
export type FindAnswer = readonly ListedSecret[] | string;

/** Undefined for a query that was not asked. */
export type FindAnswers = (query: FindQuery) => FindAnswer | undefined;

/** The answers in a map by their queries. */
export const answersIn =
  (answers: ReadonlyMap<string, FindAnswer>): FindAnswers =>
  (query) =>
    answers.get(keyOfQuery(query));

export const keyOfQuery = (query: FindQuery): string => JSON.stringify(query);
