import type { Digest } from '#base/ids.ts'
import type { TermsRef } from '#core/consent/terms.ts'

/**
 * How a tag came on chain, as its transaction shows. relayed: by somebody else than the patient's key, with its signature, as portals and
 * `rota consent withdraw` do. unknown: by way of another contract, or the endpoint does not have the transaction any more.
 */
export type WithdrawalRoad = 'called by the key' | 'relayed' | 'relayed in a batch' | 'ombudsman' | 'unknown'

/** What happened with one receipt, oldest first; `at` in ISO time, of the site's clock for what it did, of the chain for the rest. */
export type HistoryEntry =
  | { readonly what: 'granted'; readonly at: string; readonly terms: TermsRef | null }
  | { readonly what: 'on chain'; readonly at: string; readonly epoch: number; readonly root: Digest; readonly block: number }
  | { readonly what: 'used'; readonly at: string; readonly run: number; readonly round: number; readonly rounds: number }
  /** This site's own stop; chain: it was withdrawn there, and the site took it over. */
  | { readonly what: 'stopped here'; readonly at: string; readonly road: 'desk' | 'page' | 'chain' }
  | { readonly what: 'withdrawn'; readonly at: string; readonly block: number; readonly road: WithdrawalRoad }
  /** By itself: its own time, or that of its terms, was over. */
  | { readonly what: 'ended'; readonly at: string }
  | { readonly what: 'root without'; readonly at: string; readonly epoch: number; readonly root: Digest; readonly block: number }
  /** The first round that opened after the withdrawal, and that the site was in. */
  | { readonly what: 'first round without'; readonly at: string; readonly run: number; readonly round: number; readonly openedAtBlock: number }
  /** Against the withdrawal. */
  | { readonly what: 'used after withdrawal'; readonly at: string; readonly run: number; readonly round: number; readonly openedAtBlock: number }
  /** The site's own copies of the updates that the record took part in: a day after their round they go. */
  | { readonly what: 'updates deleted'; readonly at: string; readonly updates: number }
  | { readonly what: 'updates kept'; readonly at: string; readonly updates: number; readonly of: number }

/** Whether it has the shape of one: a receipt's history was written by a site. */
export const isHistory = (value: unknown): value is readonly HistoryEntry[] =>
  Array.isArray(value) &&
  value.every((entry: Partial<HistoryEntry> | null) => typeof entry === 'object' && entry !== null && typeof entry.what === 'string' && isTime(entry.at))

const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value))
