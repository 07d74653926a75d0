import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { deskErrors } from '#base/errors/desk.ts'

/**
 * What the desk's page says
 * ├── every text of the English page is there in every other language, with the same {values}
 * └── every fault that its server can answer with has words in them, not only a code
 */
const FOLDER = new URL('../../../node/web/pages/desk/languages/', import.meta.url)
const texts = (name: string): Readonly<Record<string, string>> => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))
const valuesIn = (text: string): readonly string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).sort()
/** Of the command line and of the desk's start alone. */
const NOT_ON_THE_PAGE = ['ROTA-6707', 'ROTA-6708', 'ROTA-6709', 'ROTA-6710', 'ROTA-6711', 'ROTA-6712', 'ROTA-6718', 'ROTA-6719']

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
      for (const [code, { what, remedy }] of Object.entries(deskErrors)) {
        if (NOT_ON_THE_PAGE.includes(code)) continue
        const [said, then] = [other[`error.${code}`], other[`error.${code}.remedy`]]
        assert.ok(said && then, code)
        for (const value of [...valuesIn(said), ...valuesIn(then)]) assert.ok(valuesIn(what + remedy).includes(value), `${code}: {${value}}`)
      }
    })
  }
})
