/**
 * given a directive with nested provisions
 *   it answers for all uses as asking each use alone would, for any tree of provisions
 *   where a condition holds for some of the uses it names the provision that parts them
 *   it says until when a permission holds, and from when one will
 *   a directive made to take forever is given up
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerAt, type Directive, type Rule, standpoint, type Use } from '#adapters/fhir/decide.ts'
import { Seeded } from '#core/model/seeded.ts'

const PURPOSES = ['p1', 'p2', 'p3']
const ACTIONS = ['access', 'use']
const PARTS = ['a', 'b']
const use: Use = { purposes: new Set(PURPOSES), actions: new Set(ACTIONS) }

const seeded = (seed: number): (() => number) => {
  const random = new Seeded(seed)
  return () => random.uniform()
}

function randomRule(random: () => number, path: string, depth: number): Rule {
  const some = (of: readonly string[]): Set<string> | null => (random() < 0.5 ? null : new Set([...of, 'else'].filter(() => random() < 0.6)))
  const span = (): Rule['period'] => {
    if (random() < 0.7) return null
    const from = random() < 0.3 ? null : Math.floor(random() * 8)
    return { from, to: random() < 0.3 ? null : (from ?? 0) + 1 + Math.floor(random() * 4) }
  }
  const nested = depth === 0 ? 0 : Math.floor(random() * 4)
  return {
    path,
    type: random() < 0.5 ? 'permit' : 'deny',
    period: span(),
    purposes: some(PURPOSES),
    actions: some(ACTIONS),
    concerns: random() < 0.9,
    part: random() < 0.75 ? null : { path: `${path}.class`, key: PARTS[Math.floor(random() * 2)] as string },
    except: Array.from({ length: nested }, (_, i) => randomRule(random, `${path}.provision[${i}]`, depth - 1)),
  }
}

/** What R4 says, asked of one use of one kind of row at one moment. */
function naive({ frame, otherwise, rules }: Directive, one: { purpose: string; action: string; parts: readonly string[]; at: number }): 'permit' | 'deny' {
  const within = (span: Rule['period']): boolean => span === null || ((span.from ?? -Infinity) <= one.at && one.at < (span.to ?? Infinity))
  const applies = (rule: Rule): boolean =>
    [
      rule.concerns,
      within(rule.period),
      rule.purposes === null || [...rule.purposes].includes(one.purpose),
      rule.actions === null || [...rule.actions].includes(one.action),
      rule.part === null || one.parts.includes(rule.part.key),
    ].every(Boolean)
  const wordOf = (rule: Rule): 'permit' | 'deny' => together(rule.except.filter(applies), rule.type)
  const together = (holding: readonly Rule[], if0: 'permit' | 'deny'): 'permit' | 'deny' => {
    const words = holding.map(wordOf)
    return words.length === 0 ? if0 : words.includes('deny') ? 'deny' : 'permit'
  }
  return within(frame) ? together(rules.filter(applies), otherwise) : 'deny'
}

function naiveAnswer(directive: Directive, at: number): 'permit' | 'deny' | 'parted' {
  const words = new Set<string>()
  for (const purpose of PURPOSES)
    for (const action of ACTIONS) for (const parts of [[], ['a'], ['b'], ['a', 'b']]) words.add(naive(directive, { purpose, action, parts, at }))
  return words.size > 1 ? 'parted' : ([...words][0] as 'permit' | 'deny')
}

test('2,000 random directives: as one by one', () => {
  const random = seeded(20261121)
  const seen = { permit: 0, deny: 0, parted: 0 }
  for (let i = 0; i < 2_000; i++) {
    const rules = Array.from({ length: Math.floor(random() * 4) }, (_, k) => randomRule(random, `Consent.provision[${k}]`, 3))
    const directive: Directive = { frame: random() < 0.8 ? null : { from: 1, to: 6 }, otherwise: random() < 0.6 ? 'permit' : 'deny', rules }
    const at = Math.floor(random() * 10)
    const answer = answerAt(directive, use, at)
    const expected = naiveAnswer(directive, at)
    assert.equal('word' in answer ? answer.word : 'parted', expected, JSON.stringify({ i, at }))
    seen[expected]++
    const told = standpoint(directive, use, at)
    const later = Array.from({ length: 15 - at }, (_, k) => [at + 1 + k, naiveAnswer(directive, at + 1 + k)] as const)
    if (told.says === 'permits') assert.equal(told.until, later.find(([, word]) => word !== 'permit')?.[0] ?? null, `${i}`)
    if (told.says === 'not yet') assert.equal(told.from, later.find(([, word]) => word === 'permit')?.[0], `${i}`)
  }
  assert.ok(Math.min(...Object.values(seen)) > 200, JSON.stringify(seen))
})

const rule = (over: Partial<Rule>): Rule => ({
  ...{ path: 'Consent.provision', type: 'permit', period: null, purposes: null, actions: null, concerns: true, part: null, except: [] },
  ...over,
})

test('names what parts the uses', () => {
  const except = [rule({ path: 'Consent.provision.provision[0]', type: 'deny', part: { path: 'Consent.provision.provision[0].class', key: 'x' } })]
  const directive: Directive = { frame: null, otherwise: 'deny', rules: [rule({ except })] }
  assert.deepEqual(answerAt(directive, use, 0), { parted: 'Consent.provision.provision[0].class' })
  assert.deepEqual(answerAt({ frame: null, otherwise: 'deny', rules: [rule({ purposes: new Set(['p1']) })] }, use, 0), { parted: 'Consent.provision.purpose' })
})

test('a denial beside a permission denies, in either order', () => {
  const [yes, no] = [rule({}), rule({ type: 'deny' })]
  for (const rules of [
    [yes, no],
    [no, yes],
  ])
    assert.deepEqual(answerAt({ frame: null, otherwise: 'deny', rules }, use, 0), { word: 'deny' })
})

test('sixty parts that permit all the same are not told apart; sixty that may differ are given up', () => {
  const part = (i: number) => ({ path: `p${i}.class`, key: `k${i}` })
  const same = Array.from({ length: 60 }, (_, i) => rule({ part: part(i) }))
  assert.deepEqual(answerAt({ frame: null, otherwise: 'permit', rules: same }, use, 0), { word: 'permit' })
  const hard = Array.from({ length: 60 }, (_, i) => rule({ path: `p${i}`, type: 'deny', part: part(i), except: [rule({ part: part(i) })] }))
  assert.ok('parted' in answerAt({ frame: null, otherwise: 'permit', rules: hard }, use, 0))
})
