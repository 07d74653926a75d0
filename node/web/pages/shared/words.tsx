import { type ComponentChildren, createContext } from 'preact'
import { useContext, useLayoutEffect, useMemo, useState } from 'preact/hooks'
import { languages, type Texts, type Values } from './languages.ts'
import { translated } from './sentences.ts'

/** Texts in the reader's language. Values are put in as text, never as HTML. */
export interface Words<Key extends string = string> {
  readonly language: string
  choose(language: string): void
  /** `{name}` in the text is replaced by the value of that name. */
  (key: Key, values?: Values): string
  /** The same by number: keys `key.one` and `key.other`, as the language counts; the number is `{count}`. */
  count(key: string, count: number, values?: Values): string
  /** Whether the language has the key: texts that come by code, of errors for example. */
  has(key: string): boolean
  /** A reason that the server gives in English; itself where the language has no words for it. */
  reason(sentence: string): string
  /** A moment as people there write it, from ISO text, seconds or a Date. */
  date(at: string | number | Date): string
  /** A calendar day, as 2031-12-31, or that of a moment in UTC: terms count by it. */
  day(day: string): string
  number(value: number): string
}

const Context = createContext<Words | null>(null)

/** @param Key of the page's own texts */
export function useWords<Key extends string = string>(): Words<Key> {
  const words = useContext(Context)
  if (words === null) throw new TypeError('a page is inside <Language>')
  return words as Words<Key>
}

export function Language({ children, title }: { readonly children: ComponentChildren; readonly title: string }) {
  const [language, choose] = useState(firstLanguage)
  const words = useMemo(() => wordsIn(language, choose), [language])
  // Before the new words are painted: a screen reader reads them out in their own language.
  useLayoutEffect(() => {
    document.documentElement.lang = language
    document.title = words(title)
  }, [words, language, title])
  return <Context.Provider value={words}>{children}</Context.Provider>
}

/** The first that the browser asks for and that there is; else English. */
function firstLanguage(): string {
  const asked = new URLSearchParams(location.search).get('lang')
  const wanted = [...(asked === null ? [] : [asked]), ...navigator.languages].map((code) => code.split('-')[0] ?? '')
  return wanted.find((code) => Object.hasOwn(languages, code)) ?? 'en'
}

function wordsIn(language: string, choose: (language: string) => void): Words {
  const texts: Texts = languages[language] ?? {}
  const plural = new Intl.PluralRules(language)
  const dates = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' })
  const days = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' })
  const numbers = new Intl.NumberFormat(language)
  const say = (key: string, values: Values = {}): string => fill(texts[key] ?? languages['en']?.[key] ?? key, values)
  return Object.assign(say, {
    language,
    choose,
    has: (key: string) => Object.hasOwn(texts, key),
    reason: (sentence: string) => translated(sentence, texts) ?? sentence,
    count: (key: string, count: number, values: Values = {}) =>
      say(Object.hasOwn(texts, `${key}.${plural.select(count)}`) ? `${key}.${plural.select(count)}` : `${key}.other`, {
        ...values,
        count: numbers.format(count),
      }),
    date: (at: string | number | Date) => dates.format(typeof at === 'number' ? at * 1000 : new Date(at)),
    day: (day: string) => days.format(new Date(day)),
    number: (value: number) => numbers.format(value),
  })
}

const fill = (text: string, values: Values): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : whole))

/** Chooses among the languages that there are, each by its own name. */
export function LanguageChoice({ label }: { readonly label: string }) {
  const words = useWords()
  return (
    <select class="language" aria-label={words(label)} value={words.language} onChange={(e) => words.choose(e.currentTarget.value)}>
      {Object.entries(languages).map(([code, texts]) => (
        <option key={code} value={code} lang={code}>
          {texts['language'] ?? code}
        </option>
      ))}
    </select>
  )
}
