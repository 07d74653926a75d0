import type { Standing } from './consent-store.ts'

/**
 * Whether a consent is over by its own end, or that of the terms that it was given under. The one place that decides: cohorts, roots, counts and
 * pages ask here.
 * @param until ISO, the first moment at which it counts no more; none: it has no end
 */
export const hasEnded = (until: string | null | undefined, atMs: number): boolean => until !== undefined && until !== null && Date.parse(until) <= atMs

/** Whether a consent that nobody withdrew counts at a moment. What the chain says of its tag is asked besides. */
export const isStanding = ({ state, until }: Pick<Standing, 'state' | 'until'>, atMs: number): boolean => state === 'granted' && !hasEnded(until, atMs)

/** The first of several ends, ISO; none: there is no end. By time, not by letters: a year past 9999, as some systems write "for ever", comes last. */
export const firstEnd = (ends: readonly (string | undefined)[]): string | undefined =>
  ends.filter((end) => end !== undefined).sort((a, b) => Date.parse(a) - Date.parse(b))[0]
