import process from 'node:process'

/**
 * How much of a matrix of cases on real processes is played. `npm test` plays a few, one of every kind, and is over within ten minutes on two cores;
 * continuous integration (`ROTA_CHAOS=drawn`) plays what a seed draws; `ROTA_CHAOS=all` plays everything.
 */
const LEVELS = ['few', 'drawn', 'all'] as const
export type HowMuch = (typeof LEVELS)[number]

const asked = process.env['ROTA_CHAOS'] ?? 'few'
if (!(LEVELS as readonly string[]).includes(asked)) throw new Error(`ROTA_CHAOS is ${asked}: it is one of ${LEVELS.join(', ')}`)

export const howMuch = asked as HowMuch

/** What is played at this level. */
export const played = <T>(of: Readonly<Record<HowMuch, T>>): T => of[howMuch]

/** Why a case is left out here, or false. @param from the first level that plays it @param because what is played in its place, or what it costs */
export const leftOut = (from: HowMuch, because: string): string | false =>
  LEVELS.indexOf(howMuch) >= LEVELS.indexOf(from) ? false : `${because}: ROTA_CHAOS=${from} plays this too`

/** For the line that says how many of how many are played. */
export const more = 'ROTA_CHAOS=drawn for more, all for all'
