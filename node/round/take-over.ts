import { giveMemoryBack, LARGE_BYTES } from '#base/large-memory.ts'
import type { Model } from '#core/model/model.ts'
import type { Play } from './play.ts'
import type { BaseModel } from './study.ts'

/**
 * Goes on from `next`. Memory that only the model before it held is used again, where it was this site's alone.
 */
export function takeOver(play: Play, next: BaseModel): void {
  const before = play.base
  play.base = next
  if (before === null || before === next || before.isOwn !== true) return
  const kept = new Set(largeParts(next.model).map(({ buffer }) => buffer))
  for (const part of largeParts(before.model)) if (!kept.has(part.buffer)) giveMemoryBack(part.buffer)
}

/** Whether nobody but this site holds what the step from `base` made. Of a refused sum the base's weights stay. */
export function isOwnStep(base: BaseModel, next: Model): boolean {
  const shared = base.isOwn === true ? [] : largeParts(base.model).map(({ buffer }) => buffer)
  return largeParts(next).every(({ buffer }) => !shared.includes(buffer))
}

const largeParts = ({ state }: Model): Uint8Array[] =>
  Object.values(state).filter((value): value is Uint8Array => value instanceof Uint8Array && value.length >= LARGE_BYTES)
