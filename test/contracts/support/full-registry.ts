import type { Contract, Signer } from 'ethers'
import { details, digest, ethers, type Hospital } from './world.ts'

/** A registry that admits without votes, so that it can be filled. */
export interface FilledRegistry {
  readonly sites: Contract
  readonly first: Hospital
  /** Up to 256 sites; the accounts are the last one's, nobody has the others'. */
  fill(last: readonly Signer[]): Promise<Hospital>
  admit(sites: readonly object[]): Promise<unknown>
}

const MOST = 256
const AT_ONCE = 32

const wallet = (i: number, role: string): string => ethers.getAddress(`0x${digest(`${i} ${role}`).slice(26)}`)

/** Details of a site whose accounts nobody has. */
export const bareSite = (i: number): object => ({
  ...{ name: 's', node: wallet(i, 'n'), steward: wallet(i, 's'), recovery: wallet(i, 'r') },
  ...{ peerId: 'p', encryptionKey: digest('k'), multiaddrs: [] },
})

export async function fullRegistry(founder: readonly Signer[]): Promise<FilledRegistry> {
  const first = hospitalOf(0, founder)
  const sites = (await ethers.deployContract('FullRegistry', [await details(first, 'first')])) as unknown as Contract
  const admit = (some: readonly object[]) => sites.getFunction('fill').send(some)
  return {
    sites,
    first,
    admit,
    async fill(last) {
      const hospital = hospitalOf(MOST - 1, last)
      const all = [...Array.from({ length: MOST - 2 }, (_, i) => bareSite(i + 1)), await details(hospital, 'last')]
      for (let i = 0; i < all.length; i += AT_ONCE) await (await admit(all.slice(i, i + AT_ONCE))).wait()
      return hospital
    },
  }
}

function hospitalOf(id: number, [node, steward, recovery]: readonly Signer[]): Hospital {
  if (node === undefined || steward === undefined || recovery === undefined) throw new RangeError('too few accounts')
  return { id, node, steward, recovery }
}
