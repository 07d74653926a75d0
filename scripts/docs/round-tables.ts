import { ROW_NAMES, type RowName } from '../../node/round/next.ts'
import { markdownTable } from './markdown.ts'
import { PLACES, type PlaceName, playedPhases, rowFor } from './round-scene.ts'

/** What each row of node/round/next.ts does, in words; the compiler asks for one per row. */
const ROWS: Readonly<Record<RowName, string>> = {
  'halt-node': 'The frozen set that this node acted on has changed on the chain. It stops: a person has to look.',
  'halt-run':
    "An exact run, and this site's cohort has changed. It halts the run, for all: a difference of two sums could show one patient. Where patients may rest, whoever leads halts it for the site that wishes so: the leader, after a while a standby, and last the site itself.",
  wish: 'An exact run in which patients may rest: it tells the members, sealed and at fixed times, whether it wishes the run to be halted.',
  ready:
    'The run is paused. It says that it is there; more than half of the sites wake the run. Where a masked sum was published in vain again and again, it waits longer each time.',
  rest: 'Maintenance was announced. It abstains, so that nobody waits for it.',
  adopt: 'It lacks the model that the round starts from, and fetches it, checked against its root on the chain.',
  'hold-back':
    'Masked: a sum was refused and cannot be repeated in groups, or was already. It abstains until people have looked; when most do the run pauses. So does a site whose own shares were false, for the rest of the run.',
  'sit-out': 'Masked: its secrets of this round are gone, or it shares masks with too few. It abstains, so that nobody waits for it.',
  advertise: 'Masked: it draws secrets for this round, writes them sealed into its journal, and tells their public keys; again while others may lack them.',
  deal: 'Masked: it shares its secrets out, a parcel for each member that offered keys, and tells them. So in the first round, and where one opens otherwise than foreseen.',
  key: 'Masked: it says on the chain whose shares it holds. With whom it masks follows from that.',
  justify:
    'Masked: some who keyed do not hold the deals that others keyed with. It shows the shares of those that lack its own, on the chain, or says that it has none to show.',
  'key-again': 'Its journal says that it keyed, and the chain does not: it says the same again.',
  charge: 'A study with differential privacy: the round is charged to its dataset on the chain, before it trains. Beyond the limit it abstains.',
  contribute:
    'It computes its update from the consented rows, encrypts it, puts it in its store, writes the journal, commits to the root on the chain, and announces it.',
  'contribute-again': 'Its journal has a contribution that the chain lacks: it sends the same one again.',
  'abstain-again': 'The same for an abstention.',
  witness: 'A custodian says on the chain which updates it holds whole and well-formed.',
  'tell-slices': 'A custodian of a large model adds up its slices, keeps them for the others, and tells what they are.',
  publish: 'It puts the sum of the frozen set together and publishes its root.',
  prepare:
    'Masked: nothing to do in this round just now. It offers keys for the next one, and shares those secrets out once all whom it foresees there have offered theirs.',
  release: 'Masked: the sum stands on the chain. It shows the shares that take the masks off this frozen set, and off no other, ever.',
  attest: 'It checks the sum, takes the masks off where there are any, takes the step, and says on the chain which model comes out.',
  dispute:
    'Masked: it called a sum wrong that stands, of this round or the last that closed. It shows the contract one leaf of all updates and of that sum: the sum is thrown out, whatever others attest. Again later where the call does not come through.',
  tick: 'A limit has passed, the chain stands still, or all that a paused run waited for is there: it asks the contract to move on.',
  wait: 'Nothing to do now.',
}

/** Every row, in the order in which they are tried. */
export const rowsTable = (): string =>
  markdownTable(
    ['row', 'what the node does'],
    ROW_NAMES.map((row) => [`\`${row}\``, ROWS[row]]),
  )

/** Phase by place and time, each cell asked of the table. */
export function whoDoesWhat(): string {
  const places = Object.keys(PLACES) as PlaceName[]
  const rows = playedPhases().map((phase) => [
    `**${phase}**`,
    ...places.map((place) => course(([0, 1, 2, 3] as const).map((thirds) => rowFor(phase, place, thirds)))),
  ])
  return markdownTable(['phase', ...places], rows)
}

const WHEN = ['at once', 'after ⅓ of the limit', 'after ⅔ of the limit', 'at the limit']

/** `wait, after ⅓ of the limit publish`: only where it changes. */
function course(rows: readonly RowName[]): string {
  return rows
    .map((row, i) => (i > 0 && row === rows[i - 1] ? '' : i === 0 ? row : `${WHEN[i]} ${row}`))
    .filter((text) => text !== '')
    .join(', ')
}
