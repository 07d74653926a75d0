import { smallestDifference } from './smallest-difference.ts'

/**
 * A cohort in the two parts that exact learners have sums of, none over both: moments, steps of the fit, statistics and the loss of training are over
 * the rows that train; all else of the evaluation is over the rows that test. So each part by itself is held to the rule about cohorts: of ten patients
 * who changed and of whom nine only test, the tenth would show in the sums of training.
 */
export interface Parts {
  readonly train: ReadonlySet<string>
  readonly test: ReadonlySet<string>
}

export type Part = keyof Parts
export const PARTS: readonly Part[] = ['train', 'test']

export function partsOf(patients: Iterable<string>, testing: Iterable<string>): Parts {
  const test = new Set(testing)
  return { train: new Set([...patients].filter((patient) => !test.has(patient))), test }
}

/**
 * What a cohort may have been of which nobody wrote down who tested. Whoever is known from another cohort tells their part. Of the others any number
 * may have been in either: a part that is far enough from nobody of them and from one of them, however these are combined, is far enough from each.
 */
export function eitherPart(patients: ReadonlySet<string>, known: readonly Parts[]): readonly Parts[] {
  const within = (part: Part): readonly string[] => [...patients].filter((patient) => known.some((parts) => parts[part].has(patient)))
  const [train, test] = [within('train'), within('test')]
  const told = new Set([...train, ...test])
  const other = [...patients].find((patient) => !told.has(patient))
  const sure = { train: new Set(train), test: new Set(test) }
  return other === undefined ? [sure] : [sure, { train: new Set([...train, other]), test: new Set([...test, other]) }]
}

/** `smallestDifference` of each part by itself. @returns the smaller of the two, and of which part it is */
export function differenceInParts(now: Parts, earlier: readonly Parts[], enough: number): { readonly part: Part; readonly smallestDifference: number } {
  const of = (part: Part): number =>
    smallestDifference(
      now[part],
      earlier.map((cohort) => cohort[part]),
      enough,
    )
  const [train, test] = [of('train'), of('test')]
  return test < train ? { part: 'test', smallestDifference: test } : { part: 'train', smallestDifference: train }
}
