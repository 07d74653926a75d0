import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ROW_NAMES, type RowName } from '#round/next.ts'
import type { Blow } from '../../support/blows.ts'
import * as masked from '../../support/masked-kills.ts'
import * as open from '../../support/open-kills.ts'
import type { Role, Strike } from '../../support/strikes.ts'

// given the rows of next.ts, and the kills that are played with real processes
// ├── each row is struck in each role, by whoever starts again at once and by whoever stays away; where not, it is said why
// ├── so in masked studies alone
// ├── nothing is said to be left out that is struck
// └── each list of kills is played by a test

const ROLES: readonly Role[] = ['leader', 'standby', 'site']
const OPEN = [open.openKills, open.slicedKills, open.atOnceKills, open.spoiltKills, open.tickKills].flat()
const MASKED = [
  masked.maskedKills,
  masked.maskedOfSeven,
  masked.heldBack,
  masked.chargedKills,
  masked.haltedKills,
  masked.justifyKills,
  masked.disputeKills,
].flat()
/** Of one site, whatever its place: it starts again until it is through. */
const OPEN_SINGLE: readonly Strike[] = Object.values(open.rareKills).flat()
const MASKED_SINGLE: readonly Strike[] = [...masked.fallenInTurn.strikes, ...masked.shownOther.away, ...masked.shownOther.strikes]

const ANYWHERE = 'it stops for good, whatever its place: the others go on as after any kill'
const TOO_FEW = 'the publisher of a wrong sum and both standbys are gone by then: without it too, four of seven are, until one is back'
const SPOILT = 'after a sum that was thrown out, behind masks as without: struck in open studies'
const OF_SLICES = 'a vector in slices is told of behind masks as without: struck in open studies'
const both = (row: RowName, role: Role, why: string): [string, string][] => [true, false].map((restart) => [`${row} ${role} ${restart}`, why])
/** Row, role and whether it starts again, in any study. */
const LEFT_OUT: ReadonlyMap<string, string> = new Map([...ROLES.flatMap((role) => both('halt-node', role, ANYWHERE)), ['publish site false', TOO_FEW]])
/** In masked studies beside those. */
const LEFT_OUT_MASKED: ReadonlyMap<string, string> = new Map([
  ...ROLES.flatMap((role) => both('tell-slices', role, OF_SLICES)),
  ...both('publish', 'site', SPOILT),
  ...both('witness', 'site', 'only a vector in slices has custodians beside the leader and its standbys'),
])

const roleOf = ({ strikes, as }: Blow, i: number): string => {
  const role = strikes[i]?.role
  return role === 'the same' ? (as ?? roleOf({ strikes, restart: true }, i - 1)) : `${role}`
}
const toldOf = (blow: Blow): string[] => blow.strikes.map(({ row }, i) => `${row} ${roleOf(blow, i)} ${blow.restart}`)
const struckBy = (blows: readonly Blow[]): ReadonlySet<string> => new Set(blows.flatMap(toldOf))

function lacking(struck: ReadonlySet<string>, single: readonly Strike[], leftOut: ReadonlyMap<string, string>): string[] {
  const named = new Set<RowName>(single.map(({ row }) => row))
  const isMissing = (row: RowName, role: Role, restart: boolean): boolean =>
    !struck.has(`${row} ${role} ${restart}`) && !leftOut.has(`${row} ${role} ${restart}`)
  const combinations = ROW_NAMES.flatMap((row) => ROLES.flatMap((role) => [true, false].map((restart) => ({ row, role, restart }))))
  const unnamed = ROW_NAMES.filter((row) => !named.has(row) && ![...struck].some((told) => told.startsWith(`${row} `)) && !leftOut.has(`${row} site true`))
  return [...unnamed, ...combinations.flatMap(({ row, role, restart }) => (isMissing(row, role, restart) ? [`${row} ${role} ${restart}`] : []))]
}

describe('rows at which nodes are killed', () => {
  it('are all, in each role, with and without a restart', () =>
    assert.deepEqual(lacking(struckBy([...OPEN, ...MASKED]), [...OPEN_SINGLE, ...MASKED_SINGLE], LEFT_OUT), []))

  it('are all that masked studies have', () => assert.deepEqual(lacking(struckBy(MASKED), MASKED_SINGLE, new Map([...LEFT_OUT, ...LEFT_OUT_MASKED])), []))

  it('are named where a role is left out', () => {
    for (const single of [OPEN_SINGLE, MASKED_SINGLE]) assert.ok(single.some(({ row }) => row === 'halt-node'))
    assert.ok([...struckBy(OPEN)].some((told) => told.startsWith('tell-slices ')))
  })

  it('are not left out where they are struck', () => {
    const all = struckBy([...OPEN, ...MASKED])
    const behindMasks = struckBy(MASKED)
    for (const what of LEFT_OUT.keys()) assert.ok(!all.has(what), what)
    for (const what of LEFT_OUT_MASKED.keys()) assert.ok(!behindMasks.has(what), what)
  })

  it('are played', async () => {
    const folder = join(import.meta.dirname, '../../e2e')
    const files = (await readdir(folder)).filter((name) => name.startsWith('chaos-'))
    const played = (await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))).map((text) => text.replace(/^import .*$/gm, '')).join('\n')
    const names = [...Object.keys(open), ...Object.keys(masked), ...Object.keys(open.rareKills).map((name) => `rareKills.${name}`)]
    assert.deepEqual(
      names.filter((name) => !new RegExp(`\\b${name}\\b`).test(played)),
      [],
    )
  })
})
