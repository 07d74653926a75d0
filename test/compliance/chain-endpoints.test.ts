/** The chain's suite behind endpoints as they are: late, limited, broken now and then; and behind two that are compared. */
import { startAnvil } from '#adapters/devchain/anvil.ts'
import { jsonRpc } from '#adapters/devchain/machine.ts'
import { badEndpoint, type Habits } from '../support/bad-endpoint.ts'
import { chainCompliance } from './chain.ts'
import { type EndpointsOf, worldOn } from './ethers-world.ts'

async function behind(sites: number, habits: Partial<Habits>, endpoints: (bad: { url: string; httpUrl: string }, chain: { url: string }) => EndpointsOf) {
  const chain = await startAnvil()
  const bad = await badEndpoint(chain, habits)
  const control = (method: string, params: readonly unknown[]) => jsonRpc(chain.port, method, params)
  const stop = async () => {
    await bad.stop()
    await chain.stop()
  }
  return worldOn({ url: chain.url, endpoints: endpoints(bad, chain), control, stop }, sites)
}

chainCompliance('contracts behind a slow and lossy WebSocket', (sites) =>
  behind(sites, { lateMs: 3, pushes: 'twice', halfEvery: 197, closeEvery: 263, busyEvery: 149 }, ({ url }) => ({ url })),
)
chainCompliance('contracts behind HTTP that is busy, broken and cut short now and then', (sites) =>
  behind(sites, { busyEvery: 89, brokenEvery: 97, halfEvery: 83, closeEvery: 101 }, ({ httpUrl }) => ({ url: httpUrl })),
)
chainCompliance('contracts behind two endpoints that are compared', (sites) =>
  behind(sites, { lateMs: 5 }, ({ url }, chain) => ({ url: chain.url, witness: url })),
)
