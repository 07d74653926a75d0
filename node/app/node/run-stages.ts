import { heldModel, type ModelShelf } from '#app/model/model-shelf.ts'
import type { Digest, RunId } from '#base/ids.ts'

/**
 * The stage of each round of a run, '' where its base model is not here. Stages follow each other and never come back, so that
 * few models have to be opened.
 * @param bases roots of the models that the rounds began with, in order
 */
export async function stagesOf(shelf: ModelShelf, run: RunId, bases: readonly Digest[], signal: AbortSignal): Promise<readonly string[]> {
  const stages = new Array<string>(bases.length).fill('')
  const stageAt = async (i: number): Promise<string> => (await heldModel(shelf, run, bases[i] as Digest, signal))?.stage ?? ''
  const fill = async (from: number, to: number, first: string, last: string): Promise<void> => {
    stages[from] = first
    stages[to] = last
    if (first === last) stages.fill(first, from, to)
    if (first === last || to - from < 2) return
    const middle = (from + to) >> 1
    const between = await stageAt(middle)
    await fill(from, middle, first, between)
    await fill(middle, to, between, last)
  }
  if (bases.length > 0) await fill(0, bases.length - 1, await stageAt(0), await stageAt(bases.length - 1))
  return stages
}
