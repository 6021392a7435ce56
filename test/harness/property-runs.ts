/**
 * The number of cases of a property: this many in `npm test`, and five times as many in `npm run test:long`, which
 * runs each test file that imports this. PROPERTY_RUNS_FACTOR sets another factor.
 */
export const runs = (few: number): number => few * Number(process.env.PROPERTY_RUNS_FACTOR ?? 1);
