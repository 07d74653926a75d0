import { join, resolve } from 'node:path'

/** Where a site keeps what. Everything but `steward`, `recovery` and receipts is the node's; those two may live on other machines. */
export const sitePaths = (folder: string) => ({
  folder: resolve(folder),
  config: join(folder, 'rota.yaml'),
  steward: join(folder, 'steward.json'),
  recovery: join(folder, 'recovery.json'),
  card: join(folder, 'site.json'),
  state: join(folder, 'state'),
  journal: join(folder, 'state', 'journal.jsonl'),
  events: join(folder, 'state', 'events'),
  blocks: join(folder, 'state', 'blocks'),
  consents: join(folder, 'state', 'consents.log'),
  /** Who was in which cohort that this site committed to. */
  cohorts: join(folder, 'state', 'cohorts.log'),
  differencing: join(folder, 'state', 'differencing.jsonl'),
  /** Runs that this site opened last. */
  opened: join(folder, 'state', 'opened.json'),
  /** What this site moved and how long it trained, round by round. */
  rounds: join(folder, 'state', 'rounds.jsonl'),
  /** What the last canary of each study measured. */
  canary: join(folder, 'state', 'canary'),
  /** Drawn by the running node: who can read it may ask that node to work. */
  control: join(folder, 'state', 'control'),
  /** What other sites said that runs had cost them. */
  shares: join(folder, 'state', 'shares.json'),
  /** Its being there announces maintenance. */
  resting: join(folder, 'state', 'resting'),
  /** There from `rota restore` until the node has brought its journal up to the chain. */
  restored: join(folder, 'state', 'restored'),
  /** What stewards did at the desk, and who they are; both sealed. */
  desk: join(folder, 'state', 'desk.log'),
  deskUsers: join(folder, 'state', 'desk-users.log'),
  /** Figures of the desk for status and metrics: no names. */
  deskFigures: join(folder, 'state', 'desk.json'),
  /** Where withdrawals wait that a portal took; and its figures for metrics: no tags. */
  portal: join(folder, 'state', 'portal'),
  portalFigures: join(folder, 'state', 'portal', 'figures.json'),
  results: join(folder, 'results'),
  /** Countersigned confirmations of withdrawals at the desk, with their sheets. */
  withdrawals: join(folder, 'withdrawals'),
})
export type SitePaths = ReturnType<typeof sitePaths>
