import type { NetworkView } from '#app/chain/network.ts'
import type { Style } from './style.ts'
import { facts, table } from './table.ts'

export function networkText(view: NetworkView, style: Style): string {
  const sites = table(
    ['site', 'name', 'state', 'node account', 'addresses'],
    view.sites.map((s) => [s.id, s.name, s.state, s.node, s.multiaddrs.join(' ') || '(dials out)']),
    style,
  )
  const open = view.proposals.filter((p) => p.state === 'open')
  const votes = open.map((p) => `  ${p.id}  ${p.kind} ${p.candidate?.name ?? `site ${p.subject}`}: \`rota admit ${p.candidate?.name ?? p.id}\``)
  return [
    facts(
      [
        ['chain', `${view.chainId}, block ${view.head}`],
        ['contracts', view.contracts],
      ],
      style,
    ),
    sites,
    open.length > 0 ? `Open votes\n${votes.join('\n')}` : 'No open votes',
  ].join('\n\n')
}
