import { AbiCoder, id, keccak256, TypedDataEncoder, Wallet } from 'ethers'
import { SimWorld } from '#adapters/sim/world.ts'
import { address, type Digest, digest, type SiteId, siteId } from '#base/ids.ts'
import { type ChainWorld, chainCompliance } from './chain.ts'

chainCompliance('chain in memory', async (sites) => chainWorld(SimWorld.create({ seed: 'chain compliance', sites }), sites))

function chainWorld(world: SimWorld, sites: number): ChainWorld {
  const nodes = world.sites.map((site) => world.node(site))
  const desk = (site: SiteId) => world.steward(world.site(site)).studyDesk()
  let studies = 0
  return {
    chains: nodes,
    async makeStudy({ limit, mode = 'open', members = sites, policy, ...numbers }) {
      const rules = {
        ...numbers,
        wordBits: 64,
        slices: 1,
        mode,
        limits: Array.from({ length: 5 }, () => limit),
        arithmeticVersion: digest(id('golden outputs')),
      } as const
      const study = await world.publishStudy(digest(id(`protocol ${++studies}`)), digest(id('cid')), rules, [])
      if (policy !== undefined) await nodes[0]?.studyDesk().setPolicy(study, policy)
      for (const { id: site } of world.founders.slice(0, members)) await desk(site).approve(study, world.chain.study(study).protocolDigest)
      await nodes[0]?.publishEpoch(study, 0, digest(id('key')), digest(id('bundle')))
      return study
    },
    withdrawSite: (site, study) => desk(site).withdrawSite(study),
    approve: async (site, study) => desk(site).approve(study, world.chain.study(study).protocolDigest),
    advance: async (seconds, blocks) => world.chain.advance(seconds, blocks),
    signWithdrawal: async (programme, blind) => signWithdrawal(world, programme, blind),
    steward: async () => world.steward(world.site(siteId(0))),
    signAsOmbudsman: async (programme, tag) => ({
      ombudsman: address(OMBUDSMAN.address),
      signature: signed(world, OMBUDSMAN, 'OmbudsmanWithdraw', programme, tag),
    }),
    stop: async () => world.stop(),
  }
}

const OMBUDSMAN = new Wallet(id('ombudsman'))

function signWithdrawal(world: SimWorld, programme: Digest, blind: Digest) {
  const wallet = new Wallet(id(`patient ${blind}`))
  const patientKey = address(wallet.address)
  const tag = digest(keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32'], [blind]) + patientKey.slice(2)))
  return { patientKey, signature: signed(world, wallet, 'Withdraw', programme, tag), tag }
}

function signed(world: SimWorld, wallet: Wallet, kind: string, programme: Digest, tag: Digest): string {
  const domain = { name: 'Rota', version: '1', chainId: world.chain.chainId, verifyingContract: world.chain.consentRegistry }
  const types = {
    [kind]: [
      { name: 'programme', type: 'bytes32' },
      { name: 'tag', type: 'bytes32' },
    ],
  }
  return wallet.signingKey.sign(TypedDataEncoder.hash(domain, types, { programme, tag })).serialized
}
