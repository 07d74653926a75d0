import { expect } from 'chai'
import { Signature, type Signer, sha256, toUtf8Bytes, Wallet } from 'ethers'
import { event, names, refused } from './support/expect.ts'
import { digest, ethers, read, World, ZERO } from './support/world.ts'

const PROGRAMME = digest('programme')
const BLIND = digest('blind')
const IN_2100 = 4_102_444_800
const NOBODY = `0x${'00'.repeat(20)}`

describe('ConsentRegistry', () => {
  let w: World
  const patient = new Wallet(digest('patient'))
  const ombudsman = new Wallet(digest('ombudsman'))

  beforeEach(async () => {
    w = await World.deploy(2)
  })

  const tagOf = (key: string, blind = BLIND) => ethers.solidityPackedKeccak256(['bytes32', 'address'], [blind, key])
  const sign = async (key: Wallet, tag: string, programme = PROGRAMME, kind = 'Withdraw') => {
    const { chainId } = await ethers.provider.getNetwork()
    const domain = { name: 'Rota', version: '1', chainId, verifyingContract: String(w.consents.target) }
    const types = {
      [kind]: [
        { name: 'programme', type: 'bytes32' },
        { name: 'tag', type: 'bytes32' },
      ],
    }
    return key.signTypedData(domain, types, { programme, tag })
  }
  const compact = async (key: Wallet, blind = BLIND, programme = PROGRAMME) => {
    const { r, yParityAndS: vs } = Signature.from(await sign(key, tagOf(key.address, blind), programme))
    return { blind, patientKey: key.address, r, vs }
  }
  const termsOf = (change: Record<string, unknown> = {}) => {
    const text = toUtf8Bytes('what is agreed to')
    return { version: 1, digest: sha256(text), basis: 0, ombudsman: ombudsman.address, expiresAt: IN_2100, text, ...change }
  }
  const publishTerms = (site: number, change: Record<string, unknown> = {}, from = w.hospital(site).steward) =>
    w.send(from, w.consents, 'publishTerms', PROGRAMME, termsOf(change))
  const withdraw = (from: Signer, key: string, signature: string, programme = PROGRAMME) =>
    w.send(from, w.consents, 'withdraw', programme, BLIND, key, signature)
  const setRoot = (site: number, epoch: number | bigint, root = digest('root'), from = w.hospital(site).node) =>
    w.send(from, w.consents, 'setRoot', PROGRAMME, epoch, root)

  describe('when a steward publishes terms', () => {
    it('keeps the newest version, and tells the text', async () => {
      expect(await read(w.consents, 'termsOf', PROGRAMME)).to.deep.equal([0n, 0n, 0n, 0n, NOBODY, ZERO])
      const { digest: sum, text } = termsOf()
      expect(event(await publishTerms(1), 'TermsPublished')).to.deep.equal({
        ...{ programme: PROGRAMME, site: 1n, version: 1n, digest: sum, basis: 0n, ombudsman: ombudsman.address, expiresAt: BigInt(IN_2100) },
        text: ethers.hexlify(text),
      })
      const longer = new Uint8Array(16_384).fill(7)
      await publishTerms(1, { version: 2, text: longer, digest: sha256(longer), basis: 1, ombudsman: NOBODY, expiresAt: IN_2100 + 1 })
      expect(await read(w.consents, 'termsOf', PROGRAMME)).to.deep.equal([2n, 1n, 1n, BigInt(IN_2100 + 1), NOBODY, sha256(longer)])
    })

    it("refuses all but stewards of active sites, and of later versions all but the keeper's", async () => {
      for (const from of [w.hospital(0).node, w.hospital(0).recovery, w.spare[0]])
        await refused(publishTerms(0, {}, from), w.consents, 'ConsentRegistry_NotSteward')
      await publishTerms(0)
      await refused(publishTerms(1, { version: 2 }), w.consents, 'ConsentRegistry_NotKeeper', [PROGRAMME, 1, 0])
      await w.send(w.hospital(0).node, w.sites, 'propose', 1, 0)
      for (const site of [0, 1]) await w.send(w.hospital(site).node, w.sites, 'vote', 1, true)
      await refused(publishTerms(0, { version: 2 }), w.consents, 'ConsentRegistry_NotSteward')
    })

    it('refuses a version that is not the next', async () => {
      for (const version of [0, 2]) await refused(publishTerms(0, { version }), w.consents, 'ConsentRegistry_NotNextVersion', [PROGRAMME, version, 1])
      await publishTerms(0)
      for (const version of [1, 3]) await refused(publishTerms(0, { version }), w.consents, 'ConsentRegistry_NotNextVersion', [PROGRAMME, version, 2])
    })

    it('refuses another text than the digest says, none, one that is too long, and terms that have expired', async () => {
      await refused(publishTerms(0, { digest: digest('other') }), w.consents, 'ConsentRegistry_OtherText', [digest('other'), termsOf().digest])
      for (const length of [0, 16_385]) {
        const text = new Uint8Array(length)
        await refused(publishTerms(0, { text, digest: sha256(text) }), w.consents, 'ConsentRegistry_BadLength', [length])
      }
      await refused(publishTerms(0, { expiresAt: 1 }), w.consents, 'ConsentRegistry_Expired', [1])
    })
  })

  describe('when a site sets a root', () => {
    it('keeps the newest, of each site and programme', async () => {
      expect(await read(w.consents, 'epochOf', 0, PROGRAMME)).to.deep.equal([0n, false])
      const outcome = await setRoot(0, 0)
      expect(await read(w.consents, 'epochOf', 0, PROGRAMME)).to.deep.equal([0n, true])
      expect(event(outcome, 'ConsentRoot')).to.deep.equal({ site: 0n, programme: PROGRAMME, epoch: 0n, root: digest('root') })
      await setRoot(0, 5, digest('newer'))
      await setRoot(1, 2)
      expect(await read(w.consents, 'epochOf', 0, PROGRAMME)).to.deep.equal([5n, true])
      expect(await read(w.consents, 'epochOf', 1, PROGRAMME)).to.deep.equal([2n, true])
      expect(await read(w.consents, 'sites')).to.equal(w.sites.target)
    })

    it('keeps those from before the first terms', async () => {
      await setRoot(0, 3)
      await publishTerms(1)
      expect(await read(w.consents, 'epochOf', 0, PROGRAMME)).to.deep.equal([3n, true])
      expect(await read(w.consents, 'epochOf', 1, PROGRAMME)).to.deep.equal([0n, false])
      await refused(setRoot(0, 3), w.consents, 'ConsentRegistry_EpochNotRising', [0, PROGRAMME, 3, 3])
      await setRoot(1, 0)
      await publishTerms(1, { version: 2 })
      expect(await read(w.consents, 'epochOf', 1, PROGRAMME)).to.deep.equal([0n, true])
    })

    it('refuses an epoch that does not rise, and zero', async () => {
      await setRoot(0, 3)
      for (const epoch of [2, 3]) await refused(setRoot(0, epoch), w.consents, 'ConsentRegistry_EpochNotRising', [0, PROGRAMME, epoch, 3])
      await refused(setRoot(0, 4, ZERO), w.consents, 'ConsentRegistry_ZeroRoot')
      const most = 2n ** 64n - 1n
      await refused(setRoot(0, most), w.consents, 'ConsentRegistry_EpochNotRising', [0, PROGRAMME, most, 3])
      await setRoot(0, most - 1n)
      expect(await read(w.consents, 'epochOf', 0, PROGRAMME)).to.deep.equal([most - 1n, true])
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

  describe('when withdrawals come in a batch', () => {
    const others = ['a', 'b', 'c'].map((name) => new Wallet(digest(name)))
    const [first, second, third] = others as [Wallet, Wallet, Wallet]
    const batch = (withdrawals: readonly unknown[], programme = PROGRAMME) => w.send(w.hospital(0).node, w.consents, 'withdrawMany', programme, withdrawals)

    it('takes all of them, in one event', async () => {
      const outcome = await batch([await compact(first), await compact(second)])
      expect(names(outcome)).to.deep.equal(['ConsentsWithdrawn'])
      expect(event(outcome, 'ConsentsWithdrawn')).to.deep.equal({ programme: PROGRAMME, tags: [tagOf(first.address), tagOf(second.address)] })
      for (const { address } of [first, second])
        expect(await read(w.consents, 'withdrawnAt', PROGRAMME, tagOf(address))).to.equal(BigInt(outcome.receipt.blockNumber))
    })

    it('passes over what was withdrawn before, comes twice or is not signed', async () => {
      await withdraw(w.hospital(0).node, first.address, await sign(first, tagOf(first.address)))
      const good = await compact(second)
      const [forged, unsigned] = [
        { ...good, patientKey: third.address },
        { ...(await compact(third)), r: ZERO, vs: ZERO },
      ]
      const tooHigh = { ...(await compact(third)), vs: '0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1' }
      const outcome = await batch([await compact(first), forged, good, unsigned, tooHigh, good])
      expect(event(outcome, 'ConsentsWithdrawn')).to.deep.equal({ programme: PROGRAMME, tags: [tagOf(second.address)] })
      expect(await read(w.consents, 'withdrawnAt', PROGRAMME, tagOf(third.address))).to.equal(0n)
      expect(names(await batch([await compact(third)]))).to.deep.equal(['ConsentsWithdrawn'])
    })

    it('says nothing where there is none, nor of a signature for another programme or of nobody', async () => {
      expect(names(await batch([]))).to.deep.equal([])
      const nobody = { blind: BLIND, patientKey: NOBODY, r: ZERO, vs: ZERO }
      expect(names(await batch([await compact(first, BLIND, digest('other programme')), nobody]))).to.deep.equal([])
    })
  })

  describe('when an ombudsman withdraws', () => {
    const tag = digest('tag')
    const byOmbudsman = (from: Signer, signature = '0x') => w.send(from, w.consents, 'withdrawByOmbudsman', PROGRAMME, tag, signature)

    it('takes it from the key that the newest terms name', async () => {
      await publishTerms(0, { ombudsman: await w.hospital(1).recovery.getAddress() })
      const outcome = await byOmbudsman(w.hospital(1).recovery)
      expect(event(outcome, 'ConsentWithdrawn')).to.deep.equal({ programme: PROGRAMME, tag })
      expect(await read(w.consents, 'withdrawnAt', PROGRAMME, tag)).to.equal(BigInt(outcome.receipt.blockNumber))
      await refused(byOmbudsman(w.hospital(1).recovery), w.consents, 'ConsentRegistry_AlreadyWithdrawn', [PROGRAMME, tag])
    })

    it("takes it relayed by anyone with that key's signature", async () => {
      await publishTerms(0)
      expect(names(await byOmbudsman(w.hospital(1).node, await sign(ombudsman, tag, PROGRAMME, 'OmbudsmanWithdraw')))).to.deep.equal(['ConsentWithdrawn'])
    })

    it('refuses it where there are no terms, the newest name nobody, or the key is of earlier ones', async () => {
      const signature = await sign(ombudsman, tag, PROGRAMME, 'OmbudsmanWithdraw')
      await refused(byOmbudsman(w.hospital(0).node, signature), w.consents, 'ConsentRegistry_NoOmbudsman', [PROGRAMME])
      await publishTerms(0)
      await publishTerms(0, { version: 2, ombudsman: patient.address })
      await refused(byOmbudsman(w.hospital(0).node, signature), w.consents, 'ConsentRegistry_BadSignature', [patient.address])
      await publishTerms(0, { version: 3, ombudsman: NOBODY })
      await refused(byOmbudsman(w.hospital(0).node, signature), w.consents, 'ConsentRegistry_NoOmbudsman', [PROGRAMME])
    })

    it('refuses a signature over something else, or none', async () => {
      await publishTerms(0)
      const forgeries = [
        await sign(ombudsman, tag),
        await sign(ombudsman, digest('another tag'), PROGRAMME, 'OmbudsmanWithdraw'),
        await sign(ombudsman, tag, digest('another programme'), 'OmbudsmanWithdraw'),
        '0x',
      ]
      for (const forged of forgeries) await refused(byOmbudsman(w.hospital(0).node, forged), w.consents, 'ConsentRegistry_BadSignature', [ombudsman.address])
    })
  })
})
