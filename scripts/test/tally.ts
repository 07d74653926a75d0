/** Counts of tests; a check counts as one. */
export interface Tally {
  passed: number
  failed: number
  skipped: number
}

export const nothing = (): Tally => ({ passed: 0, failed: 0, skipped: 0 })

export function add(into: Tally, more: Tally): void {
  into.passed += more.passed
  into.failed += more.failed
  into.skipped += more.skipped
}

export const tell = ({ passed, failed, skipped }: Tally): string => `${passed} passed, ${failed} failed, ${skipped} skipped`
