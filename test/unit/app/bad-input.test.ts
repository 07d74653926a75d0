/**
 * given bad input, each has one error of the catalogue (code, what, where, what to do), nothing is lost, and all else goes on;
 * behind each stand the tests that show it
 * given the rows of a site
 * ├── an unreadable CSV: ROTA-3001 · test/unit/cohort/bad-data.test.ts "a file that is not there, or a folder"
 * ├── an empty CSV: ROTA-3002 · test/unit/cohort/bad-data.test.ts "an empty file"
 * ├── a ragged row, with its line: ROTA-3003 · test/unit/cohort/bad-data.test.ts "a short row"
 * ├── text in a number column: ROTA-3004 · test/unit/cohort/bad-data.test.ts "text in a number column"
 * ├── a value out of the protocol's range: ROTA-3005 · test/unit/cohort/bad-data.test.ts "a value above the range" · test/e2e/bad-input.test.ts "go on without the one whose file is bad"
 * ├── a missing column: ROTA-3006 · test/unit/cohort/bad-data.test.ts "a missing column"
 * ├── an unknown unit: ROTA-3007 · test/unit/cohort/bad-data.test.ts "an unknown unit"
 * ├── a duplicate patient: ROTA-3009 · test/unit/cohort/bad-data.test.ts "a patient twice"
 * ├── a label with three values for a logistic study: ROTA-3010 · test/unit/cohort/bad-data.test.ts "a label with three values"
 * ├── fewer rows than minRows: ROTA-3019 · test/unit/app/bad-input-rounds.test.ts "abstains with ROTA-3019, and the others finish"
 * ├── a range in the protocol that does not hold in the data: ROTA-3005 · test/e2e/bad-input.test.ts "go on without the one whose file is bad"
 * └── the same where rows come another way: ROTA-2105 · test/rounds/learners-problems.test.ts "given a value that is out of range or missing"
 * given a protocol
 * └── one that would overflow the ring: ROTA-2104 · test/unit/protocol/protocol-file.test.ts "a protocol whose sums could overflow the ring is refused" · test/unit/core/check-protocol.test.ts "given sums that could wrap around"
 * given a site's folder
 * ├── a wrong password: ROTA-1301 · test/unit/vault/vault.test.ts "does not open with another password" · test/unit/app/bad-input-folder.test.ts "does not open with a wrong password, and is left as it was"
 * ├── a folder that cannot be written: ROTA-1306 · test/unit/app/bad-input-folder.test.ts "says so when something is in the way of its state"
 * ├── a full disk: ROTA-1306 · test/unit/app/bad-input-folder.test.ts "keeps what was written, and takes the rest once there is room" · test/unit/journal/journal.test.ts "leaves nothing of an entry that the disk refused"
 * └── a second node, or a folder that is locked: ROTA-1307 · test/unit/app/bad-input-folder.test.ts "lets no second node in" · test/e2e/bad-input.test.ts "are told why a second node cannot run, and the first goes on"
 * given a chain
 * ├── one of another id: ROTA-5004 · test/unit/chain/endpoint.test.ts "is refused when it is another chain" · test/e2e/bad-input.test.ts "are told why a second node cannot run"
 * ├── another one of the same id: ROTA-5005 · test/unit/chain/endpoint.test.ts "is refused when it is another chain"
 * ├── contracts that are not Rota's: ROTA-5006 · test/unit/chain/endpoint.test.ts "or has not our contracts" · test/e2e/bad-input.test.ts "are told why a second node cannot run"
 * ├── one that went back: ROTA-5012 · test/unit/chain/endpoint.test.ts "may have lost its last blocks" · test/unit/app/bad-input-folder.test.ts "a chain that went back" · test/e2e/kills.test.ts "survive the chain being killed"
 * └── one that went back behind a frozen set: ROTA-5504 · test/unit/round/next.test.ts "halts the node when the frozen set is another" · test/e2e/chain-consortium.test.ts "halt when a frozen set that they acted on is another"
 * given the other sites
 * ├── a clock 10 minutes off its peers': ROTA-1206 · test/unit/app/bad-input-network.test.ts "ROTA-1206 where the clock is ten minutes off the others" · test/unit/app/clock-watch.test.ts "alarms at ten minutes"
 * ├── a message from a non-member (it cannot reach a member): ROTA-4005 · test/compliance/gossip.ts "neither hears strangers nor talks to them" · test/unit/network/host.test.ts "says hello to members"
 * ├── a message of another round: ROTA-5101 · test/unit/app/bad-input-rounds.test.ts "of another round" · test/compliance/chain.ts "takes late and repeated calls for what they are"
 * ├── a message with a bad signature: ROTA-4017 · test/unit/app/bad-input-network.test.ts "hear nothing whose signature does not hold"
 * ├── an oversized message: ROTA-4002 · test/unit/app/bad-input-rounds.test.ts "oversized (8 MB)" · test/compliance/gossip.ts "refuses 8 MB"
 * ├── a truncated message: ROTA-4001 · test/unit/app/bad-input-rounds.test.ts "truncated"
 * ├── a message of an unknown version: ROTA-4003 · test/unit/app/bad-input-rounds.test.ts "of an unknown version"
 * ├── an own vector with NaN or Inf: ROTA-2101 · test/unit/core/ring.test.ts "among the weights, it is refused and the coordinate named"
 * ├── another's vector of the wrong length or beyond its range: ROTA-5506 · test/unit/app/bad-input-rounds.test.ts "is refused by name, the others are held"
 * ├── a vector that is not what its root names: ROTA-4011 · test/unit/app/bad-input-rounds.test.ts "under another root" · test/compliance/store.ts "rejects what is not what the reference names"
 * ├── a message's CID whose bytes don't hash to it: ROTA-4012 · test/compliance/store.ts "takes an object that came inside a message, if it hashes to its CID"
 * ├── a fetched CID whose bytes don't hash to it: ROTA-4015 · test/compliance/store.ts "takes nothing from a liar"
 * ├── a leader that publishes a wrong sum: ROTA-5507 · test/rounds/faults.test.ts "throws a wrong sum out, whoever published it" · test/unit/app/bad-input-folder.test.ts "a wrong sum of another site"
 * ├── a site that contributes and then serves nobody: ROTA-4010 · test/rounds/faults.test.ts "leaves out what a site commits and serves to nobody" · test/compliance/store.ts "says that nobody has an object"
 * ├── two contributions by one site: ROTA-5104 · test/compliance/chain.ts "takes late and repeated calls for what they are"
 * └── a withdrawn tag used again: ROTA-5401 · test/compliance/chain.ts "relays withdrawals once" · test/compliance/cohort.test.ts "takes a patient back with a new consent, and the old tag stays dead"
 * given a canary
 * ├── limits below what was measured, or too few able sites, at the start of a run: ROTA-1401 · test/unit/app/canary-limits.test.ts "refuses a start that could not finish" · test/e2e/canary.test.ts "keep a run from starting that could not finish"
 * ├── a site that never answers: ROTA-1402 · test/e2e/canary.test.ts "name who never answers" · test/unit/network/canary.test.ts "names who never answers, and keeps the others"
 * ├── a node that does not take it (wrong control key): ROTA-1403 · test/e2e/canary.test.ts "refuse what they should"
 * ├── a study that this site did not approve: ROTA-1404 · test/e2e/canary.test.ts "refuse what they should" · test/unit/network/canary.test.ts "says why a site would not take part"
 * ├── a member that comes to another sum than the known one: ROTA-1405 · test/unit/network/canary-round.test.ts "finds who publishes another sum, and has the next in turn publish the right one"
 * ├── a member that asks too often, or for a round that it does not lead: ROTA-1406 · test/unit/network/canary-round.test.ts "is one part among members of the study"
 * ├── a member that falls silent in the round: ROTA-1407 · test/unit/network/canary-round.test.ts "tells who falls silent in it, and what the others did"
 * └── a message that is malformed, too long or of another version: ROTA-4001 · test/unit/network/canary-wire.test.ts "are refused whole when anything is wrong"
 * given a dispute of a masked sum
 * ├── with a wrong path: ROTA-5121 · test/unit/round/dispute.test.ts "with a wrong path" · test/contracts/rounds/disputing.test.ts "refuses a leaf or a path that is not under its root, naming the site"
 * ├── of an absent site: ROTA-5122 · test/unit/round/dispute.test.ts "with an absent site" · test/contracts/rounds/disputing.test.ts "sites that are absent"
 * ├── without gas to finish: ROTA-5018 · test/unit/chain/gas.test.ts "for want of gas in a whole block is told, and done once it fits" · test/contracts/rounds/disputing.test.ts "changes nothing without gas to finish, however little is missing"
 * └── of a round past its window: ROTA-5119 · test/unit/round/dispute.test.ts "past the window" · test/contracts/rounds/disputing.test.ts "is over when a later round freezes"
 * given a backup
 * ├── of another site: ROTA-1321 · test/unit/app/backup.test.ts "folder, a newer journal, and whatever is not empty"
 * └── restored over a newer journal: ROTA-1322 · test/unit/app/backup.test.ts "folder, a newer journal, and whatever is not empty"
 * given an owner of a slice
 * └── that gives different bytes to different sites: ROTA-4015 · test/compliance/store.ts "takes nothing from a liar" · test/rounds/chaos-faults.test.ts "other-bytes"
 * given the catalogue itself
 * ├── each code is thrown somewhere, with all the details that its texts name
 * └── each says what happened and what to do
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { catalogue, type ErrorCode } from '#base/errors.ts'

const ROOT = new URL('../../../', import.meta.url).pathname
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const codes = Object.keys(catalogue) as ErrorCode[]

interface Row {
  readonly input: string
  readonly code: string
  readonly shown: readonly { readonly file: string; readonly name: string }[]
}

/** The tree above, as it stands. */
const rows: readonly Row[] = [...read('test/unit/app/bad-input.test.ts').matchAll(/^ \* [├└]── (.+?): (ROTA-\d{4}) · (.+)$/gm)].map(
  ([, input = '', code = '', shown = '']) => ({
    input,
    code,
    shown: shown.split(' · ').map((one) => {
      const [, file = '', name = ''] = /^(\S+) "(.+)"$/.exec(one) ?? assert.fail(`not FILE "NAME": ${one}`)
      return { file, name }
    }),
  }),
)

describe('bad input', () => {
  it('is in the tree as a whole', () => assert.equal(rows.length, read('test/unit/app/bad-input.test.ts').match(/^ \* [├└]── .+ · /gm)?.length))

  for (const { input, code, shown } of rows)
    it(`${code} ${input}: is shown where the tree says`, () => {
      for (const { file, name } of shown) assert.ok(read(file).includes(name), `${file} has no test "${name}"`)
      assert.ok(codes.includes(code as ErrorCode), `${code} is not in the catalogue`)
      assert.ok(
        shown.some(({ file }) => read(file).includes(code)),
        `no test of it looks for ${code}`,
      )
    })
})

const sources = readdirSync(join(ROOT, 'node'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(ts|mjs)$/.test(file) && !file.startsWith(join('base', 'errors')))
  .map((file) => ({ file, text: read(join('node', file)) }))
/** Looking at an error is not throwing it. */
const throwing = sources.map(({ text }) => text.replaceAll(/isRotaError\([^)]*\)/g, '')).join('\n')

describe('each code of the catalogue', () => {
  it('is thrown somewhere', () => {
    assert.deepEqual(
      codes.filter((code) => !throwing.includes(`'${code}'`)),
      [],
    )
  })

  it('says what happened and what to do', () => {
    for (const code of codes) {
      const { what, remedy } = catalogue[code]
      assert.ok(what.trim().length > 5 && remedy.trim().length > 5, code)
      assert.match(code, /^ROTA-[1-6]\d{3}$/)
    }
  })

  it('is thrown with what its texts name', () => {
    const wrong: string[] = []
    let looked = 0
    for (const { file, text } of sources)
      for (const { 0: start, 1: code = '', index } of text.matchAll(/new RotaError\(\s*'(ROTA-\d{4})'/g)) {
        const given = keysAt(text, index + start.length)
        if (given === null || !(code in catalogue)) continue
        looked += 1
        const { what, remedy } = catalogue[code as ErrorCode]
        const missing = [...`${what} ${remedy}`.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).filter((name) => !given.includes(name))
        if (missing.length > 0) wrong.push(`${file}: ${code} without ${missing.join(', ')}`)
      }
    assert.deepEqual(wrong, [])
    assert.ok(looked > 100, `only ${looked} were found`)
  })
})

/** Keys of the object literal that follows a code as second argument; none without one; null when it is made elsewhere or spread. */
function keysAt(text: string, from: number): readonly string[] | null {
  const [rest = ''] = /^[\s\S]{0,2000}/.exec(text.slice(from)) ?? []
  if (/^\s*\)/.test(rest)) return []
  const open = /^,\s*\{/.exec(rest)
  if (open === null) return null
  const parts = ['']
  let depth = 0
  for (const char of rest.slice(open[0].length)) {
    if ('})]'.includes(char) && depth-- === 0) break
    if ('{(['.includes(char)) depth += 1
    if (char === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += char
  }
  const keys = parts.map((part) => /^\s*(\.\.\.|\w+)/.exec(part)?.[1] ?? '')
  return keys.includes('...') ? null : keys
}
