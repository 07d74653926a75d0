import type { SimEvent } from '#adapters/sim/chain/ledger.ts'
import { sitesOf } from '#base/bitmap.ts'

/** What the chain says, in a few words; null for what the story can do without. */
export function eventText(event: SimEvent): string | null {
  switch (event.kind) {
    case 'RunOpened':
      return `run ${event.run} is opened by site ${event.site}`
    case 'RoundOpened':
      return `round ${event.round} opens: site ${event.leader} leads, awaited ${list(event.awaited)}`
    case 'Contributed':
      return 'contributes'
    case 'Abstained':
      return 'abstains'
    case 'Witnessed':
      return `says that it holds ${list(event.held)}${event.slice > 0 ? ` of slice ${event.slice}` : ''}`
    case 'Frozen':
      return `round ${event.round} is frozen: ${list(event.included)} are in`
    case 'Published':
      return `publishes sum ${short(event.sumRoot)} (attempt ${event.attempt + 1})`
    case 'Attested':
      return `attests ${event.status}${event.status === 'wrongSum' ? '' : ` ${short(event.modelRoot)}`} (attempt ${event.attempt + 1})`
    case 'PublicationDiscarded':
      return `the sum of site ${event.publisher} is discarded${event.wrongSum ? ': it is wrong' : ''}`
    case 'RoundClosed':
      return `round ${event.round} closes with model ${short(event.modelRoot)}${event.status === 'finished' ? ', the last' : ''}`
    case 'RoundRefused':
      return `round ${event.round} is refused`
    case 'RoundVoid':
      return `round ${event.round} is void in ${event.phase}`
    case 'RunStateChanged':
      return `the run is ${event.state}`
    case 'ContributingExtended':
      return 'asks for more time'
    case 'SiteChanged':
      return event.state === 'Active' ? null : `is ${event.state}`
    case 'SiteReady':
      return 'is ready'
    case 'EpochPublished':
      return `draws the key of epoch ${event.epoch}`
    case 'EpochReported':
      return `reports that it cannot have the key of epoch ${event.epoch}, or by it not those before`
    default:
      return null
  }
}

const short = (digest: string): string => digest.slice(2, 8)
const list = (set: bigint): string => `{${sitesOf(set as never).join(' ')}}`
