import { useEffect, useState } from 'preact/hooks'
import type { Card } from '#patient/card.ts'
import { type Fault, faultOf } from '#web/pages/shared/ask.ts'
import { Action, FaultNotice, Notice } from '#web/pages/shared/parts.tsx'
import { Again } from './again.tsx'
import { Details } from './details.tsx'
import { Doubts } from './doubts.tsx'
import { Hero } from './hero.tsx'
import { findNetwork, type Network } from './network.ts'
import type { ShownRounds } from './read-rounds.ts'
import { Rounds } from './rounds.tsx'
import type { Progress } from './send-withdrawal.ts'
import { readStanding, type Standing } from './standing.ts'
import { isExpired, TermsShown, termsOf } from './terms.tsx'
import { Verify } from './verify.tsx'
import { Withdraw } from './withdraw.tsx'
import { useWords } from './words.ts'

/** All about one card. */
export function WithCard({ card, onCard }: { readonly card: Card; readonly onCard: (card: Card) => void }) {
  const t = useWords()
  const [tries, setTries] = useState(0)
  const found = useFound(card, tries)
  if (found.state === 'loading')
    return (
      <p aria-busy="true" role="status">
        {t('loading')}
      </p>
    )
  if (found.state === 'none')
    return (
      <Notice mood="bad" live title={t('network.none.title')}>
        <p>{t('network.none')}</p>
        {found.faults.map((fault) => (
          <FaultNotice key={fault.message} fault={fault} />
        ))}
        <div class="buttons">
          <Action onPress={() => setTries(tries + 1)}>{t('again.try')}</Action>
        </div>
      </Notice>
    )
  return <Shown network={found.network} standing={found.standing} onCard={onCard} onChange={() => setTries(tries + 1)} />
}

type Found =
  | { readonly state: 'loading' }
  | { readonly state: 'none'; readonly faults: readonly Fault[] }
  | { readonly state: 'there'; readonly network: Network; readonly standing: Standing }

/** Asked anew after something was changed; what was there is shown until then. */
function useFound(card: Card, tries: number): Found {
  const [found, setFound] = useState<Found>({ state: 'loading' })
  useEffect(() => {
    let left = false
    const look = async (): Promise<Found> => {
      const network = await findNetwork(card)
      if (!('sources' in network)) return { state: 'none', faults: network.away.map(({ fault }) => fault) }
      return { state: 'there', network, standing: await readStanding(network) }
    }
    look()
      .catch((error: unknown): Found => ({ state: 'none', faults: [faultOf(error)] }))
      .then((next) => left || setFound(next))
    return () => {
      left = true
    }
  }, [card, tries])
  return found
}

interface ShownParts {
  readonly network: Network
  readonly standing: Standing
  readonly onCard: (card: Card) => void
  readonly onChange: () => void
}

function Shown({ network, standing, onCard, onChange }: ShownParts) {
  const { terms, differ } = termsOf(network)
  const isOver = isExpired(terms, network)
  const isGone = standing.withdrawn !== null
  // What each relay did stays to be read and printed when the chain has it.
  const [sent, setSent] = useState<Progress | null>(null)
  const [record, setRecord] = useState<ShownRounds['record']>(null)
  return (
    <>
      <Hero record={record} network={network} standing={{ ...standing, waiting: standing.waiting ?? waitingIn(sent) }} terms={terms} />
      <Doubts network={network} />
      {isGone && sent === null ? null : (
        <Withdraw network={network} standing={standing} optOut={terms?.lawfulBasis === 'opt-out'} onProgress={setSent} onDone={onChange} />
      )}
      {isGone && !isOver ? record?.again === false ? <NotAgain /> : <Again network={network} terms={terms} onCard={onCard} /> : null}
      <Rounds network={network} standing={standing} onRecord={setRecord} />
      <TermsShown terms={terms} differ={differ} programme={network.card.programme} />
      <Verify network={network} standing={standing} />
      <Details network={network} standing={standing} />
    </>
  )
}

/** Its own hospital would refuse it: better said before a card is made. */
function NotAgain() {
  const t = useWords()
  return (
    <Notice title={t('again.title')}>
      <p>{t('again.not')}</p>
    </Notice>
  )
}

/** The word that a relay gave just now. */
function waitingIn(sent: Progress | null): Standing['waiting'] {
  const promised = sent?.attempts.findLast(({ state }) => state === 'promised')
  return promised === undefined || promised.by === null ? null : { by: promised.by, at: promised.url }
}
