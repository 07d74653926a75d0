import { useEffect, useRef, useState } from 'preact/hooks'
import { Action, Dialog, FaultNotice, Notice } from '#web/pages/shared/parts.tsx'
import { type Network, nameAt } from './network.ts'
import { saveFile } from './new-card.tsx'
import { type Attempt, type Progress, sendWithdrawal } from './send-withdrawal.ts'
import type { Standing } from './standing.ts'
import { useWords } from './words.ts'

interface WithdrawParts {
  readonly network: Network
  readonly standing: Standing
  readonly optOut: boolean
  readonly onProgress: (progress: Progress) => void
  /** Once the chain has it. */
  readonly onDone: () => void
}

/** One button, one question, and then what each relay did. */
export function Withdraw({ network, standing, optOut, onProgress, onDone }: WithdrawParts) {
  const t = useWords()
  const [asking, setAsking] = useState(false)
  const { progress, start, hurry } = useWithdrawal(network, standing, onProgress, onDone)
  const button = t(optOut ? 'withdraw.object' : 'withdraw.button')
  return (
    <section aria-labelledby="withdraw">
      <h2 id="withdraw">{t('withdraw.title')}</h2>
      {progress === null ? (
        <>
          <p>{t('withdraw.text')}</p>
          <div class="buttons">
            <Action kind={standing.waiting === null ? 'danger' : 'secondary outline'} onPress={() => setAsking(true)}>
              {standing.waiting === null ? button : t('withdraw.hurry')}
            </Action>
          </div>
        </>
      ) : (
        <Shown progress={progress} network={network} hurry={hurry} />
      )}
      <Dialog title={t('withdraw.sure')} open={asking} onClose={() => setAsking(false)}>
        <p>{t('withdraw.sure.text')}</p>
        <p class="muted">{t('withdraw.sure.model')}</p>
        <div class="buttons">
          <Action
            kind="danger"
            onPress={() => {
              setAsking(false)
              start()
            }}
          >
            {t('withdraw.confirm')}
          </Action>
          <Action kind="secondary outline" onPress={() => setAsking(false)}>
            {t('withdraw.cancel')}
          </Action>
        </div>
      </Dialog>
    </section>
  )
}

/** Runs while the page is open; the relays go on without it. */
function useWithdrawal(network: Network, standing: Standing, onProgress: (progress: Progress) => void, onDone: () => void) {
  const [progress, setProgress] = useState<Progress | null>(null)
  const left = useRef(new AbortController())
  const next = useRef<() => void>(() => undefined)
  useEffect(() => () => left.current.abort(), [])
  const start = () => {
    const told = (now: Progress) => {
      if (left.current.signal.aborted) return
      setProgress(now)
      onProgress(now)
      if (now.done !== null) onDone()
    }
    // A relay that has it already is asked for its word once more, and the next one at once.
    let isFirst = standing.waiting !== null
    const hurry = () =>
      new Promise<void>((resolve) => {
        next.current = resolve
        if (isFirst) resolve()
        isFirst = false
      })
    void sendWithdrawal(network, told, hurry, left.current.signal)
  }
  return { progress, start, hurry: () => next.current() }
}

interface ShownParts {
  readonly progress: Progress
  readonly network: Network
  readonly hurry: () => void
}

function Shown({ progress, network, hurry }: ShownParts) {
  const t = useWords()
  const { attempts, done, exhausted } = progress
  const asked = new Set(attempts.map(({ url }) => url))
  const others = network.sources.some(({ url }) => !asked.has(url))
  const sources = new Intl.ListFormat(t.language).format((done?.said ?? []).map((url) => nameAt(network, url)))
  // The button that had the keyboard's focus is gone: what it set off is read out from here.
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => ref.current?.focus(), [])
  return (
    <div role="status" tabIndex={-1} ref={ref}>
      {done === null ? null : (
        <Notice mood="good" title={t('withdraw.done.title')}>
          <p>{t('withdraw.done', { date: t.date(done.time), block: t.number(done.block), sources })}</p>
        </Notice>
      )}
      {exhausted ? (
        <Notice mood="bad" title={t('withdraw.failed.title')}>
          <p>{t('withdraw.failed')}</p>
        </Notice>
      ) : null}
      <h3>{t('withdraw.progress')}</h3>
      <ul class="relays">
        {attempts.map((attempt) => (
          <li key={attempt.url} data-state={attempt.state}>
            <Told attempt={attempt} />
          </li>
        ))}
      </ul>
      {attempts.some(({ word }) => word !== null) ? (
        <div class="buttons">
          <Action kind="secondary outline" onPress={() => saveFile('rota-withdrawal.json', evidence(progress), 'application/json')}>
            {t('withdraw.save')}
          </Action>
        </div>
      ) : null}
      {done === null && !exhausted ? (
        <>
          <p aria-busy="true">{t('withdraw.wait')}</p>
          {others && attempts.at(-1)?.state === 'promised' ? (
            <div class="buttons">
              <Action kind="secondary outline" onPress={hurry}>
                {t('withdraw.hurry')}
              </Action>
            </div>
          ) : null}
        </>
      ) : null}
    </div>
  )
}

/** What was signed, by the card and by the relays: whoever has it can put it on chain, and show who did not. */
const evidence = ({ signed, attempts, done }: Progress): string =>
  JSON.stringify({ withdrawal: signed, relays: attempts.map(({ url, name, state, word }) => ({ url, name, state, word })), onChain: done }, null, 2)

function Told({ attempt: { name, state, by, fault } }: { readonly attempt: Attempt }) {
  const t = useWords()
  return (
    <>
      {t(`withdraw.relay.${state}`, { name, by: by === null ? '' : t.date(by) })}
      {fault === null ? null : <FaultNotice fault={fault} />}
    </>
  )
}
