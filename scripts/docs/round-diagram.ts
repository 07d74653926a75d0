import type { Phase } from '../../node/ports/chain.ts'
import { PLACES, type PlaceName, playedPhases, rowFor } from './round-scene.ts'

/** What a site does in a phase, and what the chain then holds; who does it, and when, comes from the phase table. */
const PHASE_TEXTS: Readonly<Record<Phase, { readonly does: string; readonly after: string }>> = {
  Keying: { does: 'sends encrypted shares of its keys', after: 'who may be masked' },
  Contributing: { does: 'trains on its own rows, encrypts the update, commits to it', after: 'a root for every update' },
  Witnessing: { does: 'says which updates it holds whole', after: 'who is in; frozen once, never changed' },
  Publishing: { does: 'adds the frozen updates up', after: "the sum's root" },
  Attesting: { does: "checks the sum, takes the learner's step", after: 'the next model, when more than half agree' },
}

/** The round as text that any viewer shows. */
export function roundDiagram(): string {
  const phases = playedPhases()
  const lines = phases.flatMap((phase, i) => phaseLines(phase, i === 0, i === phases.length - 1))
  return ['```text', ...lines, '└─────────┘         the next site in turn leads the next round', '```'].join('\n')
}

function phaseLines(phase: Phase, first: boolean, last: boolean): readonly string[] {
  const { does, after } = PHASE_TEXTS[phase]
  return [
    `${first ? '┌─►' : '│  '} ${phase.toUpperCase().padEnd(14)}  ${whoIn(phase)}`,
    `│         │         ${does}`,
    `│         │         on chain: ${after}`,
    ...(last ? [] : ['│         ▼']),
  ]
}

const WHEN = ['', 'after ⅓ of the limit', 'after ⅔ of the limit'] as const

/** Who acts at once; then who may stand in, and when. */
function whoIn(phase: Phase): string {
  const places = Object.keys(PLACES) as PlaceName[]
  const turns = ([0, 1, 2] as const).map((thirds) => places.filter((place) => acts(phase, place, thirds)))
  const [atOnce = []] = turns
  const everyone = atOnce.length < places.length - 1 ? listed(atOnce) : atOnce.length === places.length ? 'every site' : 'every site of the frozen set'
  const later = turns.flatMap((now, i) => (i === 0 ? [] : now.filter((place) => !turns[i - 1]?.includes(place)).map((place) => `${place} ${WHEN[i]}`)))
  return [everyone, ...later].join('; ')
}

const acts = (phase: Phase, place: PlaceName, thirds: 0 | 1 | 2): boolean => !['wait', 'tick'].includes(rowFor(phase, place, thirds))

const listed = (places: readonly PlaceName[]): string =>
  places.length < 2 ? `${places[0] ?? 'nobody'}` : `${places.slice(0, -1).join(', ')} and ${places.at(-1)}`
