import { holds, type Span } from './fhir-time.ts'

export type Word = 'permit' | 'deny'

/** A provision in our words. Absent conditions hold for everything. */
export interface Rule {
  /** FHIRPath of the provision. */
  readonly path: string
  readonly type: Word
  readonly period: Span | null
  /** Null: all. */
  readonly purposes: ReadonlySet<string> | null
  readonly actions: ReadonlySet<string> | null
  /** False: it is about others than this site, and never holds. */
  readonly concerns: boolean
  /** What it says of a part of the record alone, as one text: which rows have that part is not known here. Null: the whole record. */
  readonly part: { readonly path: string; readonly key: string } | null
  /** R4: a nested provision is an exception to its parent. */
  readonly except: readonly Rule[]
}

/** All that a Consent says of use. Outside its frame in time it says nothing, and nothing is not yes. */
export interface Directive {
  readonly frame: Span | null
  readonly otherwise: Word
  readonly rules: readonly Rule[]
}

/** The uses asked about: every one of these purposes by every one of these actions. */
export interface Use {
  readonly purposes: ReadonlySet<string>
  readonly actions: ReadonlySet<string>
}

interface Region extends Use {
  /** Of each part of the record that was asked about: whether a row has it. */
  readonly parts: ReadonlyMap<string, boolean>
  /** FHIRPaths by which it was cut off from the rest. */
  readonly cuts: readonly string[]
}

/** One word for all uses, or the FHIRPath of what parts them. */
export type Answer = { readonly word: Word } | { readonly parted: string }

/** Provisions that part uses in more ways are not followed any further. */
const MOST_PIECES = 4096

/**
 * What a directive says of a use at one moment. Nested provisions are exceptions to their parent; where two provisions side by side hold and
 * one denies, it is denied. Where a condition holds for some of the uses only, they are taken apart, and the answer is one word only if it is the same for each.
 */
export function answerAt({ frame, otherwise, rules }: Directive, use: Use, atMs: number): Answer {
  if (frame !== null && !holds(frame, atMs)) return { word: 'deny' }
  let first: Piece | null = null
  let pieces = 0
  for (const piece of piecesOf(rules, otherwise, { ...use, parts: new Map(), cuts: [] }, atMs)) {
    if (first !== null && piece.word !== first.word) return { parted: lastCommon(first.region.cuts, piece.region.cuts) }
    if (++pieces > MOST_PIECES) return { parted: piece.region.cuts[0] ?? 'Consent.provision' }
    first ??= piece
  }
  return { word: first?.word ?? otherwise }
}

interface Piece {
  readonly region: Region
  readonly word: Word
}

function* piecesOf(rules: readonly Rule[], otherwise: Word, region: Region, atMs: number): Generator<Piece> {
  const [rule, ...rest] = rules
  if (rule === undefined) {
    yield { region, word: otherwise }
  } else if (!rule.concerns || (rule.period !== null && !holds(rule.period, atMs)) || !matters(rule, rest, otherwise)) {
    yield* piecesOf(rest, otherwise, region, atMs)
  } else {
    const { inside, outside } = cut(region, rule)
    if (inside !== null)
      for (const piece of piecesOf(rule.except, rule.type, inside, atMs)) {
        if (piece.word === 'deny') yield piece
        else yield* piecesOf(rest, 'permit', piece.region, atMs)
      }
    for (const part of outside) yield* piecesOf(rest, otherwise, part, atMs)
  }
}

/** A provision that only repeats what holds without it parts nothing; a denial beside one that may permit does. */
function matters(rule: Rule, rest: readonly Rule[], otherwise: Word): boolean {
  if (otherwise === 'permit') return hasWord(rule, 'deny')
  return [rule, ...rest].some((one) => hasWord(one, 'permit'))
}

const hasWord = (rule: Rule, word: Word): boolean => rule.type === word || rule.except.some((nested) => hasWord(nested, word))

/** What of a region a rule is about, and the rest. */
function cut(region: Region, rule: Rule): { readonly inside: Region | null; readonly outside: readonly Region[] } {
  const outside: Region[] = []
  let inside = region
  for (const what of ['purposes', 'actions'] as const) {
    const about = rule[what]
    if (about === null) continue
    const [within, without] = [new Set([...inside[what]].filter((x) => about.has(x))), new Set([...inside[what]].filter((x) => !about.has(x)))]
    if (within.size === 0) return { inside: null, outside: [region] }
    if (without.size === 0) continue
    const cuts = [...inside.cuts, `${rule.path}.${what === 'purposes' ? 'purpose' : 'action'}`]
    outside.push({ ...inside, [what]: without, cuts })
    inside = { ...inside, [what]: within, cuts }
  }
  if (rule.part === null) return { inside, outside }
  const { key, path } = rule.part
  const known = inside.parts.get(key)
  if (known === true) return { inside, outside }
  if (known === false) return { inside: null, outside: [...outside, inside] }
  const cuts = [...inside.cuts, path]
  outside.push({ ...inside, parts: new Map([...inside.parts, [key, false]]), cuts })
  return { inside: { ...inside, parts: new Map([...inside.parts, [key, true]]), cuts }, outside }
}

/** Two pieces with different words lie on two sides of the last cut that both know. */
function lastCommon(a: readonly string[], b: readonly string[]): string {
  const differ = a.findIndex((path, i) => path !== b[i])
  const common = differ < 0 ? a : a.slice(0, differ)
  return common.at(-1) ?? a[0] ?? 'Consent.provision'
}

/** What it says now, and when that ends. */
export type Standpoint =
  | { readonly says: 'permits'; readonly until: number | null }
  | { readonly says: 'denies' }
  /** Permits from a later moment on. */
  | { readonly says: 'not yet'; readonly from: number }
  | { readonly says: 'ended' }
  | { readonly says: 'parted'; readonly path: string }

export function standpoint(directive: Directive, use: Use, nowMs: number): Standpoint {
  const answer = answerAt(directive, use, nowMs)
  if ('parted' in answer) return { says: 'parted', path: answer.parted }
  const later = moments(directive).filter((ms) => ms > nowMs)
  const permits = (ms: number): boolean => {
    const then = answerAt(directive, use, ms)
    return 'word' in then && then.word === 'permit'
  }
  if (answer.word === 'permit') return { says: 'permits', until: later.find((ms) => !permits(ms)) ?? null }
  const from = later.find(permits)
  if (from !== undefined) return { says: 'not yet', from }
  const { frame } = directive
  return { says: frame !== null && frame.to !== null && frame.to <= nowMs ? 'ended' : 'denies' }
}

/** When anything in it may change, oldest first. */
function moments({ frame, rules }: Directive): readonly number[] {
  const of = (span: Span | null): number[] => (span === null ? [] : [span.from, span.to].filter((ms) => ms !== null))
  const within = (rule: Rule): number[] => [...of(rule.period), ...rule.except.flatMap(within)]
  return [...new Set([...of(frame), ...rules.flatMap(within)])].sort((a, b) => a - b)
}
