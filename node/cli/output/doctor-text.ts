import type { Check, Diagnosis } from '#app/site/examination.ts'
import type { Style } from './style.ts'

export function diagnosisText({ checks, ready }: Diagnosis, style: Style): string {
  const widest = Math.max(...checks.map(({ name }) => name.length))
  const bad = checks.filter(({ state }) => state === 'bad')
  return [
    ...checks.map((check) => `${mark(check, style)} ${check.name.padEnd(widest)}  ${check.what}`),
    '',
    ...(ready ? [style.good(style.bold('ready'))] : [style.bold('What to do:'), ...bad.map(({ code, remedy }) => `  ${style.bad(code ?? '')} → ${remedy}`)]),
  ].join('\n')
}

const mark = ({ state }: Check, style: Style): string => (state === 'ok' ? style.good('✓') : state === 'warn' ? style.warn('!') : style.bad('✗'))
