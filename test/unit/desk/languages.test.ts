import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { FHIR_REASONS, say, sayAll } from '#adapters/fhir/reasons.ts'
import { catalogue } from '#base/errors.ts'
import { DESK_REASONS } from '#web/desk/refusal.ts'
import { translated } from '#web/pages/shared/sentences.ts'

/**
 * What the desk's page says
 * ├── every text of the English page is there in every other language, with the same {values}
 * ├── every fault that the files behind the desk name has words in them, and what to do, not only a code; another code has general words
 * ├── every reason of a refused request or FHIR element, and what becomes of a Consent, is said in them
 * └── a reason is found with its values and when several are joined; an unknown one is not guessed
 */
const FOLDER = new URL('../../../node/web/pages/desk/languages/', import.meta.url)
const texts = (name: string): Readonly<Record<string, string>> => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))
const valuesIn = (text: string): readonly string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).sort()

/** What a request to the desk runs through. */
const BEHIND = [
  ...['web/desk', 'app/desk', 'adapters/fhir', 'app/fhir/import-fhir.ts', 'app/fhir/import-plan.ts', 'app/fhir/fhir-mapping-file.ts'],
  ...['app/consent/consent-record.ts', 'app/consent/last-withdrawal.ts', 'app/consent/while-waiting.ts', 'app/consent/receipt-print.ts'],
  ...['app/consent/withdrawal-countersign.ts', 'app/consent/confirm-again.ts', 'adapters/cohort/consent-desk.ts', 'adapters/cohort/consent-store.ts'],
  ...['adapters/cohort/sealed-log.ts', 'adapters/cohort/durable-file.ts'],
]
/** Of the command line and of the desk's start alone. */
const NOT_ON_THE_PAGE = [
  ...['ROTA-6707', 'ROTA-6708', 'ROTA-6709', 'ROTA-6710', 'ROTA-6711', 'ROTA-6712', 'ROTA-6718', 'ROTA-6719', 'ROTA-1004'],
  // The desk gives names, never a file of names, and makes receipts of the newest version.
  ...['ROTA-3002', 'ROTA-6022'],
]

const filesIn = (path: string): readonly string[] =>
  statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(path, name))
    : [path]

const codes = [
  ...new Set(BEHIND.flatMap((path) => filesIn(join('node', path))).flatMap((file) => readFileSync(file, 'utf8').match(/'ROTA-\d{4}'/g) ?? [])),
].map((quoted) => quoted.slice(1, -1) as keyof typeof catalogue)

describe("the desk's languages", () => {
  const english = texts('en.json')
  for (const name of readdirSync(FOLDER).filter((file) => file !== 'en.json')) {
    const other = texts(name)

    it(`${name} says all that English says`, () => {
      for (const [key, text] of Object.entries(english)) {
        assert.ok(other[key], key)
        assert.deepEqual(valuesIn(other[key] ?? ''), valuesIn(text), key)
      }
    })

    it(`${name} has words for every fault`, () => {
      assert.ok(codes.length > 40, `${codes.length} codes`)
      for (const code of codes.filter((each) => !NOT_ON_THE_PAGE.includes(each))) {
        const { what, remedy } = catalogue[code]
        const [said, then] = [other[`error.${code}`], other[`error.${code}.remedy`]]
        assert.ok(said && then, code)
        for (const value of [...valuesIn(said), ...valuesIn(then)]) assert.ok(valuesIn(what + remedy).includes(value), `${code}: {${value}}`)
      }
      assert.ok(other['error.other'] && other['error.other.remedy'])
    })

    it(`${name} says every reason`, () => {
      for (const reason of [...DESK_REASONS, ...FHIR_REASONS]) {
        assert.ok(other[`reason.${reason}`], reason)
        assert.deepEqual(valuesIn(other[`reason.${reason}`] ?? ''), valuesIn(reason), reason)
      }
    })
  }

  it('finds a reason with its values, several in one, and guesses none', () => {
    const german = texts('de.json')
    assert.equal(translated(say('its status is {status}', { status: 'inactive' }), german), 'ihr Status ist inactive')
    assert.equal(translated(sayAll(say('its time has ended'), say('nothing stands here')), german), 'ihre Zeit ist um; hier steht keine')
    assert.equal(
      translated(sayAll(say('its status is {status}', { status: 'inactive' }), say('nothing stands here')), german),
      'ihr Status ist inactive; hier steht keine',
    )
    assert.equal(translated('more than 8 MiB: split it', german), 'mehr als 8 MiB: Teilen Sie sie')
    assert.equal(translated('something else; nothing stands here', german), null)
    assert.equal(translated('a new consent', english), null)
  })
})
