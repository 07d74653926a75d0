import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { catalogue } from '#base/errors.ts'

// given the languages of each page
// ├── every language has the keys of English, and fills the same values in
// ├── no text is empty, and none is HTML
// └── errors that a page has words for are in the catalogue

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

  it('patient: every fault that a portal answers has words', () => {
    const english = textsOf('patient', 'en.json')
    const own = Object.keys(catalogue).filter((code) => /^ROTA-65(0\d|10|16|17|19)$/.test(code))
    assert.equal(own.length, 13)
    for (const code of own) assert.ok(`error.${code}` in english && `error.${code}.remedy` in english, code)
  })
})
