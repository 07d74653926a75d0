import type { RelayStarted } from '#app/portal/portal.ts'
import type { Style } from './style.ts'

export const portalText = ({ url, site }: { readonly url: string; readonly site: string }, style: Style): string =>
  `${style.good('Serving')} patients of ${site} at ${style.bold(url)} (Ctrl-C ends it; what waits stays on disk)`

export const relayText = ({ url, account, metrics }: RelayStarted, style: Style): string =>
  `${style.good('Relaying')} withdrawals at ${style.bold(url)}, its word signed by ${account} (Ctrl-C ends it; what waits stays on disk)${metrics === null ? '' : `\nFigures for Prometheus at ${metrics}`}`
