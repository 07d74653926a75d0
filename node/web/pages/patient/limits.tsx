import { useWords } from './words.ts'

const LIMITS = ['limits.key', 'limits.treatment', 'limits.pseudonymous', 'limits.declared', 'limits.models', 'limits.register'] as const

/** The limits, as plainly as the promises. */
export function Limits() {
  const t = useWords()
  return (
    <section aria-labelledby="limits">
      <h2 id="limits">{t('limits.title')}</h2>
      <ul>
        {LIMITS.map((key) => (
          <li key={key}>{t(key)}</li>
        ))}
      </ul>
    </section>
  )
}
