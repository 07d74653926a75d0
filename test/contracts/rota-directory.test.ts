import { expect } from 'chai'
import { refused } from './support/expect.ts'
import { ethers, read, World } from './support/world.ts'

describe('RotaDirectory', () => {
  it('names the contracts of a network and their version', async () => {
    const w = await World.deploy(2)
    expect(await read(w.directory, 'version')).to.equal('rota-contracts/7')
    const { sites, studies, rounds, consents, ledger, audits, privacy } = w
    const addresses = (await read(w.directory, 'addresses')) as string[]
    expect([...addresses].slice(0, 7)).to.deep.equal([sites, studies, rounds, consents, ledger, audits, privacy].map((c) => c.target))
    expect(addresses[7]).to.equal(await read(sites, 'deployedAtBlock'))
  })

  it('refuses contracts that do not belong together', async () => {
    const [a, b] = [await World.deploy(2), await World.deploy(2)]
    const deploy = (...args: unknown[]) => ethers.deployContract('RotaDirectory', args)
    await refused(deploy(a.rounds, b.consents, a.audits), a.directory, 'RotaDirectory_Mismatch', [b.consents.target])
    await refused(deploy(a.rounds, a.consents, b.audits), a.directory, 'RotaDirectory_Mismatch', [b.audits.target])
    const crossed = await ethers.deployContract('RoundCoordinator', [a.sites, b.studies])
    await refused(deploy(crossed, a.consents, a.audits), a.directory, 'RotaDirectory_Mismatch', [b.studies.target])
  })
})
