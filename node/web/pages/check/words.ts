import { useWords as shared, type Words } from '#web/pages/shared/words.tsx'
import type en from './languages/en.json'

/** Keys of this page's texts: a text that is missing does not compile. */
export type Key = keyof typeof en

export const useWords = (): Words<Key> => shared<Key>()
