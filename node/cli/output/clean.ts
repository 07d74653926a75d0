import { stripVTControlCharacters } from 'node:util'

/** Text that somebody else wrote, so that it moves no cursor and fakes no line. */
export const clean = (text: string): string => stripVTControlCharacters(text).replaceAll(/\p{Cc}|\p{Zl}|\p{Zp}/gu, ' ')
