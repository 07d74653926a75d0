import type { Verdict } from '#core/consent/cohort-proof.ts'
import type { Values } from '#web/pages/shared/languages.ts'

/** The verifier's reasons, which are English sentences, as keys of this page's texts. A test judges every kind of proof and finds each here. */
const REASONS: readonly (readonly [reason: RegExp, key: string])[] = [
  [/^the hospital declared it as used$/, 'why.used'],
  [/^against the withdrawal: it stood in block (\d+), and the round opened in block (\d+)$/, 'why.against'],
  [/^used under opt-out, before this consent was recorded$/, 'why.before'],
  [/^the hospital declared no cohort in this round$/, 'why.none-declared'],
  [/^withdrawn in block (\d+); the round opened in block (\d+)$/, 'why.withdrawn'],
  [/^consent stood, and the hospital did not use it$/, 'why.unused'],
  [/^no consent stood when the round was contributed to$/, 'why.no-consent'],
]

export function whyKey({ valid, reason }: Verdict): { readonly key: string; readonly values: Values } {
  if (!valid) return { key: 'why.wrong', values: { reason } }
  for (const [pattern, key] of REASONS) {
    const [found, a = '', b = ''] = pattern.exec(reason) ?? []
    if (found !== undefined) return { key, values: { a, b } }
  }
  return { key: reason, values: {} }
}
