import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { list, text } from '../options.ts'

const chain = text('URL', "JSON-RPC endpoint of the network's chain")

export const network_create = command({
  name: 'network create',
  group: 'Network',
  summary: 'put the contracts on a chain, with these founders',
  description: 'The key that deploys is made for this once and keeps no right: nobody owns the contracts, nobody can change them.',
  options: { chain, founders: list('CARD,…', "the founders' site.json files, at least one; their order is the order of turns") },
  example: 'rota network create --chain ws://127.0.0.1:8545 --founders a/site.json,b/site.json,c/site.json',
  async run({ options, out, signal }) {
    const { createNetwork } = await import('#app/chain/network.ts')
    const made = await createNetwork(
      {
        chain: needed('network create', '--chain', options.chain),
        founders: needed('network create', '--founders', options.founders.length > 0 ? options.founders : undefined),
      },
      signal,
    )
    out.result(
      made,
      () =>
        `Network at ${out.style.bold(made.contracts)}\nFounders: ${made.founders.join(', ')}\nNext, at each of them: rota join --folder DIR --contracts ${made.contracts}`,
    )
  },
})

export const network_show = command({
  name: 'network show',
  group: 'Network',
  summary: 'list the sites of a network and what is being voted on',
  options: { chain, contracts: text('ADDRESS', "the network's directory contract") },
  example: 'rota network show --chain ws://127.0.0.1:8545 --contracts 0x5FbDB2315678afecb367f032d93F642f64180aa3',
  async run({ options, out, signal }) {
    const { showNetwork } = await import('#app/chain/network.ts')
    const { networkText } = await import('#cli/output/network-text.ts')
    const view = await showNetwork(
      { chain: needed('network show', '--chain', options.chain), contracts: needed('network show', '--contracts', options.contracts) },
      signal,
    )
    out.result(view, () => networkText(view, out.style))
  },
})
