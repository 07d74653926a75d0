import { expect } from 'chai'
import { type Signer, Wallet } from 'ethers'
import { event, names, refused } from './support/expect.ts'
import { digest, ethers, read, World, ZERO } from './support/world.ts'

const PROGRAMME = digest('programme')
const BLIND = digest('blind')

describe('ConsentRegistry', () => {
  let w: World
  const patient = new Wallet(digest('patient'))

  beforeEach(async () => {
    w = await World.deploy(2)
  })

  const tagOf = (key: string, blind = BLIND) => ethers.solidityPackedKeccak256(['bytes32', 'address'], [blind, key])
  const sign = async (key: Wallet, tag: string, programme = PROGRAMME) => {
    const { chainId } = await ethers.provider.getNetwork()
    const domain = { name: 'Rota', version: '1', chainId, verifyingContract: String(w.consents.target) }
    const types = {
      Withdraw: [
        { name: 'programme', type: 'bytes32' },
        { name: 'tag', type: 'bytes32' },
      ],
    }
    return key.signTypedData(domain, types, { programme, tag })
  }
  const withdraw = (from: Signer, key: string, signature: string, programme = PROGRAMME) =>
    w.send(from, w.consents, 'withdraw', programme, BLIND, key, signature)
  const setRoot = (site: number, epoch: number, root = digest('root'), from = w.hospital(site).node) =>
    w.send(from, w.consents, 'setRoot', PROGRAMME, epoch, root)

  describe('when a site sets a root', () => {
    it('keeps the newest, of each site and programme', async () => {
      expect(await read(w.consents, 'rootOf', 0, PROGRAMME)).to.deep.equal([0n, ZERO])
      const outcome = await setRoot(0, 0)
      expect(event(outcome, 'ConsentRoot')).to.deep.equal({ site: 0n, programme: PROGRAMME, epoch: 0n, root: digest('root') })
      await setRoot(0, 5, digest('newer'))
      await setRoot(1, 2)
      expect(await read(w.consents, 'rootOf', 0, PROGRAMME)).to.deep.equal([5n, digest('newer')])
      expect(await read(w.consents, 'rootOf', 1, PROGRAMME)).to.deep.equal([2n, digest('root')])
      expect(await read(w.consents, 'sites')).to.equal(w.sites.target)
    })

    it('refuses an epoch that does not rise, and zero', async () => {
      await setRoot(0, 3)
      for (const epoch of [2, 3]) await refused(setRoot(0, epoch), w.consents, 'ConsentRegistry_EpochNotRising', [0, PROGRAMME, epoch, 3])
      await refused(setRoot(0, 4, ZERO), w.consents, 'ConsentRegistry_ZeroRoot')
    })

    it('refuses all but nodes of active sites', async () => {
      await refused(setRoot(0, 1, digest('r'), w.hospital(0).steward), w.consents, 'ConsentRegistry_NotActive')
      await w.send(w.hospital(0).node, w.sites, 'propose', 1, 1)
      for (const site of [0, 1]) await w.send(w.hospital(site).node, w.sites, 'vote', 1, true)
      await refused(setRoot(1, 1), w.consents, 'ConsentRegistry_NotActive')
    })
  })

  describe('when a patient withdraws', () => {
    it('takes it from the key itself without a signature', async () => {
      const key = w.spare[0]
      if (key === undefined) throw new Error('too few accounts')
      const account = await key.getAddress()
      const outcome = await withdraw(key, account, '0x')
      expect(event(outcome, 'ConsentWithdrawn')).to.deep.equal({ programme: PROGRAMME, tag: tagOf(account) })
      expect(await read(w.consents, 'withdrawnAt', PROGRAMME, tagOf(account))).to.equal(BigInt(outcome.receipt.blockNumber))
    })

    it("takes it relayed by anyone with the key's signature", async () => {
      const tag = tagOf(patient.address)
      expect(await read(w.consents, 'tagOf', BLIND, patient.address)).to.equal(tag)
      expect(names(await withdraw(w.hospital(1).node, patient.address, await sign(patient, tag)))).to.deep.equal(['ConsentWithdrawn'])
    })

    it('refuses a tag withdrawn before, in that programme alone', async () => {
      const tag = tagOf(patient.address)
      await withdraw(w.hospital(0).node, patient.address, await sign(patient, tag))
      await refused(withdraw(w.hospital(0).node, patient.address, await sign(patient, tag)), w.consents, 'ConsentRegistry_AlreadyWithdrawn', [PROGRAMME, tag])
      const other = digest('other programme')
      await withdraw(w.hospital(0).node, patient.address, await sign(patient, tag, other), other)
    })

    it('refuses signatures of others, over others, and no signatures', async () => {
      const tag = tagOf(patient.address)
      const forgeries = [
        await sign(new Wallet(digest('someone')), tag),
        await sign(patient, digest('another tag')),
        await sign(patient, tag, digest('another programme')),
        await patient.signMessage(tag),
        '0x',
        `0x${'00'.repeat(65)}`,
      ]
      for (const forged of forgeries)
        await refused(withdraw(w.hospital(0).node, patient.address, forged), w.consents, 'ConsentRegistry_BadSignature', [patient.address])
    })
  })
})
