import { command } from '../command-file.ts'
import { flag, number, text, whole } from '../options.ts'

const folder = text('DIR', "where the chain's state is kept (default ./chain)", './chain')

export const chain_start = command({
  name: 'chain start',
  group: 'Network',
  summary: 'start the embedded chain on this machine, in the background',
  description: `For trying Rota and for a single machine: one process decides, so it proves nothing to anyone who does not run it. A consortium runs
Besu QBFT on its own machines (docs/operating.md). Zero fees; the state is kept in the folder over restarts.`,
  options: {
    folder,
    port: whole('PORT', 'port on 127.0.0.1 (default: the one it had, or a free one)', { from: 1, to: 65535 }),
    blockTime: number('SECONDS', 'a block every so many seconds (default: one for each transaction, at once)', { from: 0.1, to: 3600 }),
    mixedMining: flag('with --block-time: transactions are mined at once too'),
  },
  example: 'rota chain start --folder ./chain --port 8545 --block-time 1 --mixed-mining',
  async run({ options, out, signal }) {
    const { startChain } = await import('#app/chain/dev-chain.ts')
    const chain = await startChain(options, signal)
    out.result(
      chain,
      () => `The chain ${chain.already ? 'runs already' : 'runs'} at ${out.style.bold(chain.url)} (process ${chain.pid}, state in ${chain.folder})`,
    )
  },
})

export const chain_stop = command({
  name: 'chain stop',
  group: 'Network',
  summary: 'stop the embedded chain; its state stays',
  options: { folder },
  example: 'rota chain stop --folder ./chain',
  async run({ options, out }) {
    const { stopChain } = await import('#app/chain/dev-chain.ts')
    const { pid } = await stopChain(options.folder)
    out.result({ pid }, () => `Stopped process ${pid}`)
  },
})
