/** The same suite on Hardhat's own chain, which answers in other ways: it refuses at once what would fail, and nests its error data. */
import { network } from 'hardhat'
import { chainCompliance } from './chain.ts'
import { worldOn } from './ethers-world.ts'

async function hardhatWorld(sites: number) {
  const server = await network.createServer({ override: { initialBaseFeePerGas: 0, chainId: 7042 } }, '127.0.0.1', 0)
  const { port } = await server.listen()
  const control = async (method: string, params: readonly unknown[]) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    return (await fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json()
  }
  return worldOn({ url: `ws://127.0.0.1:${port}`, control, stop: () => server.close() }, sites)
}

chainCompliance("contracts behind ethers, on Hardhat's chain", hardhatWorld)
