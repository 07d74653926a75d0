import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { Verdict } from '#core/consent/cohort-proof.ts'
import { whyKey } from '#web/pages/patient/why.ts'
import { translated } from '#web/pages/shared/sentences.ts'

// given the verifier's reasons, as its source writes them
// ├── each that comes with a valid verdict has words in the page's languages
// ├── each that comes with a wrong proof is said in the page's other languages, numbers included
// └── so is all that the page for auditors can say, of proofs, samples and whole cohorts

const SOURCE = readFileSync('node/core/consent/cohort-proof.ts', 'utf8')
const english: Record<string, string> = JSON.parse(readFileSync('node/web/pages/patient/languages/en.json', 'utf8'))

/** The texts of whyIn, whyNotIn, and what `told` is given. */
const reasons = (): string[] => {
  const told = [...SOURCE.matchAll(/told\(proof, '[^']*', '([^']*)'\)/g)].map(([, text]) => text ?? '')
  const made = ['whyIn', 'whyNotIn'].flatMap((name) => {
    const from = SOURCE.search(new RegExp(`(const|function) ${name}\\b`))
    const body = SOURCE.slice(from, SOURCE.indexOf('\n\n', from))
    return [...body.matchAll(/['`]([^'`]{20,})['`]/g)].map(([, text]) => text ?? '')
  })
  return [...told, ...made].map((text) => text.replace(/\$\{[^}]*\}/g, '7'))
}

describe("the verifier's reasons", () => {
  it('have words on the page', () => {
    const all = reasons()
    assert.ok(all.length >= 7, all.join('\n'))
    for (const reason of all) {
      const { key } = whyKey({ valid: true, run: 1, round: 1, state: 'not in the declared cohort', reason } as Verdict)
      assert.ok(key in english, `no words for: ${reason}`)
    }
  })

  it('what is wrong with a proof is said in every language', () => {
    const wrong = [...SOURCE.matchAll(/(?:bad\(|return |: )(['`])((?:it|the hospital) [^'`]*)\1/g)]
      .map(([, , text]) => (text ?? '').replace(/\$\{[^}]*\}/g, '7'))
      .filter((reason) => !reasons().includes(reason) || reason.includes('no cohort'))
    assert.ok(new Set(wrong).size >= 8, wrong.join('\n'))
    for (const file of readdirSync('node/web/pages/patient/languages').filter((name) => name !== 'en.json')) {
      const texts = JSON.parse(readFileSync(`node/web/pages/patient/languages/${file}`, 'utf8')) as Record<string, string>
      for (const reason of wrong) {
        const said = translated(reason, texts)
        assert.ok(said !== null && said.includes('7') === reason.includes('7'), `${file}: ${reason}`)
      }
    }
  })

  it('numbers are kept, and what is wrong is told with its reason', () => {
    const reason = 'withdrawn in block 12; the round opened in block 14'
    assert.deepEqual(whyKey({ valid: true, run: 1, round: 1, state: 'not in the declared cohort', reason }).values, { a: '12', b: '14' })
    assert.deepEqual(whyKey({ valid: false, run: 1, round: 1, state: null, reason: 'it is about another receipt' }), {
      key: 'why.wrong',
      values: { reason: 'it is about another receipt' },
    })
  })

  it('of samples and whole cohorts are said in every language of the page for auditors', () => {
    const sources = ['cohort-sample', 'cohort-opening']
      .map((name) => readFileSync(`node/core/consent/${name}.ts`, 'utf8').replace(/^ *(\/\*\*|\*|\/\/).*$/gm, ''))
      .join('\n')
    const sentences = [...sources.matchAll(/(['`])((?:[a-z]+|\$\{[^}]*\}) (?:[^'`\n]| {2})*)\1/g)]
      .map(([, , text]) => (text ?? '').replace(/\$\{[^}]*\}/g, '7'))
      .filter((text) => text.split(' ').length >= 4 && !text.includes(': undefined'))
    assert.ok(new Set(sentences).size >= 13, sentences.join('\n'))
    const others = [
      ...new Set(
        [...SOURCE.matchAll(/(?:bad\(|return |: )(['`])((?:it|the hospital) [^'`]*)\1/g)].map(([, , text]) => (text ?? '').replace(/\$\{[^}]*\}/g, '7')),
      ),
    ]
    for (const file of readdirSync('node/web/pages/check/languages').filter((name) => name !== 'en.json')) {
      const texts = JSON.parse(readFileSync(`node/web/pages/check/languages/${file}`, 'utf8')) as Record<string, string>
      for (const reason of [...sentences, ...reasons(), ...others]) {
        const said = translated(reason, texts)
        assert.ok(said !== null && said.includes('7') === reason.includes('7'), `${file}: ${reason}`)
      }
      for (const other of ['site', 'run', 'round', 'seed', 'number of draws']) assert.ok(translated(other, texts), other)
    }
  })
})
