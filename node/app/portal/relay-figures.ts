import { readIfThere, writeAtomic } from '#adapters/journal/atomic-file.ts'
import type { Clock } from '#ports/host.ts'
import type { Metrics } from '#web/metrics.ts'

/** What a relay did since it was first started. */
export interface RelayTotals {
  /** Withdrawals that it gave its word for. */
  readonly received: number
  /** Of them, on chain. */
  readonly sent: number
  /** Badly signed, of no programme here, too many. */
  readonly refused: number
}

/** Counts alone: no tag, no address, nothing of who asked. */
export interface RelayFigures extends RelayTotals {
  readonly waiting: number
  /** ISO: when the one that waits longest was taken; null: none waits. */
  readonly oldestAt: string | null
}

const NONE: RelayFigures = { received: 0, sent: 0, refused: 0, waiting: 0, oldestAt: null }
const KEEP_MS = 2_000

/** As a portal wrote them down; nothing yet where none ran here. @throws ROTA-1306 when the disk refuses */
export async function readRelayFigures(file: string): Promise<RelayFigures> {
  const bytes = await readIfThere(file)
  try {
    return { ...NONE, ...(JSON.parse(bytes?.toString() ?? '{}') as Partial<RelayFigures>) }
  } catch {
    return NONE
  }
}

/** Writes them down whenever they changed, until the signal aborts; a disk that refuses is no reason to take no withdrawals. */
export async function keepRelayFigures(file: string, relay: { figures(): RelayFigures }, clock: Clock, signal: AbortSignal): Promise<void> {
  let written = ''
  const keep = async (): Promise<void> => {
    const text = `${JSON.stringify(relay.figures())}\n`
    if (text === written) return
    await writeAtomic(file, text).then(
      () => (written = text),
      () => undefined,
    )
  }
  while (!signal.aborted) {
    await keep()
    await clock.sleep(KEEP_MS, signal).catch(() => undefined)
  }
  await keep()
}

/** The portal's figures among metrics. They stay where they were while it is down, and the oldest that waits grows older: that is the alarm. */
export function watchPortal(metrics: Metrics, { portalFigures }: { readonly portalFigures: string }, nowMs: () => number = Date.now): void {
  const received = metrics.counter('rota_portal_withdrawals_received_total', 'Withdrawals that the portal took, over restarts.')
  const sent = metrics.counter('rota_portal_withdrawals_sent_total', 'Of them, those that are on chain.')
  const refused = metrics.counter('rota_portal_withdrawals_refused_total', 'Withdrawals that the portal did not take: badly signed, of no programme, too many.')
  const waiting = metrics.gauge('rota_portal_withdrawals_waiting', 'Withdrawals that the portal took and that are not on chain yet.')
  const oldest = metrics.gauge('rota_portal_oldest_waiting_seconds', 'How long the oldest of them has waited: beyond the relay delay of the terms is an alarm.')
  metrics.onCollect(async () => {
    // What cannot be read is missing, and does not stand still at what it was: an alarm asks whether it is there.
    for (const gauge of [waiting, oldest]) gauge.clear()
    const figures = await readRelayFigures(portalFigures)
    received.set(figures.received)
    sent.set(figures.sent)
    refused.set(figures.refused)
    waiting.set(figures.waiting)
    oldest.set(figures.oldestAt === null ? 0 : Math.max(0, (nowMs() - Date.parse(figures.oldestAt)) / 1000))
  })
}
