import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { catalogue } from '#base/errors.ts'
import { PORTAL_TELLS } from '#web/portal/fault-answer.ts'

// given the languages of each page
// ├── every language has the keys of English, and fills the same values in
// ├── no text is empty, and none is HTML
// ├── errors that a page has words for are in the catalogue
// └── every fault that a portal answers has words, and what to do, in every language

const PAGES = join('node', 'web', 'pages')
const pages = readdirSync(PAGES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && readdirSync(join(PAGES, entry.name)).includes('languages'))
  .map(({ name }) => name)

const textsOf = (page: string, file: string): Record<string, string> => JSON.parse(readFileSync(join(PAGES, page, 'languages', file), 'utf8'))
const valuesIn = (text: string): string => [...text.matchAll(/\{\w+\}/g)].map(String).sort().join()
/** Languages count in different ways: each has the forms that it needs. */
const withoutForm = (key: string): string => key.replace(/\.(zero|one|two|few|many|other)$/, '.count')

/** What the server itself says, in English, needs words in other languages alone. */
const keysOf = (texts: Record<string, string>, english: Record<string, string>): string[] =>
  [
    ...new Set(
      Object.keys(texts)
        .filter((key) => key in english || !/^(error|reason)\./.test(key))
        .map(withoutForm),
    ),
  ].sort()

describe('languages of the pages', () => {
  it('there are pages', () => assert.ok(pages.includes('patient')))

  for (const page of pages) {
    const english = textsOf(page, 'en.json')
    for (const file of readdirSync(join(PAGES, page, 'languages'))) {
      it(`${page}: ${file} says all that English says`, () => {
        const texts = textsOf(page, file)
        assert.deepEqual(keysOf(texts, english), keysOf(english, english))
        for (const [key, text] of Object.entries(texts)) {
          assert.ok(text.trim() !== '' && !/<\w/.test(text), key)
          if (key in english) assert.equal(valuesIn(text), valuesIn(english[key] ?? ''), key)
        }
      })
    }

    it(`${page}: errors that it has words for are in the catalogue`, () => {
      const all = readdirSync(join(PAGES, page, 'languages')).map((file) => textsOf(page, file))
      const codes = all.flatMap((texts) => Object.keys(texts)).flatMap((key) => /^error\.(ROTA-\d+)/.exec(key)?.[1] ?? [])
      for (const code of codes) assert.ok(code in catalogue, code)
    })
  }

  for (const file of readdirSync(join(PAGES, 'patient', 'languages')))
    it(`patient: ${file} has words for every fault that a portal answers, and for any other`, () => {
      const texts = textsOf('patient', file)
      for (const code of [...PORTAL_TELLS, 'other']) assert.ok(texts[`error.${code}`] && texts[`error.${code}.remedy`], code)
    })
})
