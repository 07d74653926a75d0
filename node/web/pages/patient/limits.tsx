import { Points } from '#web/pages/shared/parts.tsx'
import { useWords } from './words.ts'

const LIMITS = ['limits.key', 'limits.treatment', 'limits.pseudonymous', 'limits.declared', 'limits.models', 'limits.register'] as const

/** The limits, as plainly as the promises. */
export function Limits() {
  const t = useWords()
  return <Points id="limits" title={t('limits.title')} points={LIMITS.map((key) => t(key))} />
}
