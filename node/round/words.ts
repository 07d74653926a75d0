import type { Bitmap, RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { SliceWord } from '#wire/slice-word.ts'

/** What custodians said of their slices, in the rounds that are under way. */
export interface Words {
  /** Whether the round is near enough to matter, and the site has not said too much of the slice already. */
  take(from: SiteId, word: SliceWord): boolean
  hear(from: SiteId, word: SliceWord): void
  /** By site. A site that said two things is not listened to. */
  of(run: RunId, round: RoundNo, included: Bitmap, slice: number): ReadonlyMap<SiteId, SliceWord>
}

/** One for each frozen set that a chain may show; a chain goes back seldom. */
const MOST_OF_A_SLICE = 4

interface Heard {
  readonly from: SiteId
  readonly word: SliceWord
}

/** @param rounds the round that each run is in; rounds more than one away are late or too early to matter */
export function createWords(rounds: ReadonlyMap<RunId, number>): Words {
  const heard = new Map<RunId, Map<number, Heard[]>>()

  function near({ run, round }: SliceWord): boolean {
    const current = rounds.get(run)
    if (current === undefined) heard.delete(run)
    for (const past of heard.get(run)?.keys() ?? []) if (current !== undefined && past < current - 1) heard.get(run)?.delete(past)
    return current !== undefined && Math.abs(round - current) <= 1
  }

  const ofRound = (run: RunId, round: number): readonly Heard[] => heard.get(run)?.get(round) ?? []

  return {
    take(from, word) {
      if (!near(word)) return false
      const said = ofRound(word.run, word.round).filter((each) => each.from === from && each.word.slice === word.slice)
      return said.length < MOST_OF_A_SLICE || said.some((each) => sameWord(each.word, word))
    },
    hear(from, word) {
      if (!near(word) || ofRound(word.run, word.round).some((each) => each.from === from && each.word.slice === word.slice && sameWord(each.word, word))) return
      const ofRun = heard.get(word.run) ?? new Map<number, Heard[]>()
      heard.set(word.run, ofRun)
      ofRun.set(word.round, [...(ofRun.get(word.round) ?? []), { from, word }])
    },
    of(run, round, included, slice) {
      const said = ofRound(run, round).filter(({ word }) => word.slice === slice && word.included === included)
      return new Map(
        [...Map.groupBy(said, ({ from }) => from)].flatMap(([from, words]) => (words.length === 1 ? [[from, (words[0] as Heard).word] as const] : [])),
      )
    },
  }
}

export const sameWord = (a: SliceWord, b: SliceWord): boolean => a.included === b.included && sameList(a.units, b.units) && sameList(a.pieces, b.pieces)

const sameList = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((item, i) => item === b[i])
