import { AbiCoder, type Contract, getBytes, keccak256, Signature, type Signer, sha256 as sha256Of, Wallet, ZeroAddress } from 'ethers'
import { fullRegistry } from './full-registry.ts'
import { bytesOf, sha256 } from './masked.ts'
import { bits, connect, digest, ethers, type Outcome, pass, type RunDriver, read, rulesFor, STATUS, World, ZERO } from './world.ts'

/** Gas by the name of the call. Transactions are real: their 21,000 and calldata are in it. */
export type Gas = Record<string, number>

interface RoundCost {
  readonly total: number
  readonly calls: Gas
}

/** One round of sites 0 to n - 1 with every site's calls. Site 0 contributes and serves nobody, so that all three custodians witness. */
async function wholeRound(run: RunDriver, number: number, n: number): Promise<RoundCost> {
  const all = Array.from({ length: n }, (_, i) => i)
  const [leader, calls, costs]: [number, Gas, number[]] = [(number - 1) % n, {}, []]
  const note = (name: string, { gas }: Outcome): void => {
    calls[name] = gas
    costs.push(gas)
  }
  const opening = await run.opening()
  for (const site of all)
    note(
      site === 0 ? 'contribute, first of its round' : site === n - 1 ? 'contribute, last awaited' : 'contribute',
      await run.contribute(site, number, opening),
    )
  const served = all.slice(1)
  note('witness', await run.witness(leader, number, bits(...served)))
  note('witness, second', await run.witness((leader + 1) % n, number, bits(...served)))
  note('witness, freezing', await run.witness((leader + 2) % n, number, bits(...all)))
  note('publish', await run.publish(leader, number))
  const majority = Math.floor(served.length / 2) + 1
  for (const [i, site] of served.entries()) {
    const name = i === 0 ? 'attest, first of its round' : i + 1 === majority ? 'attest, closing and opening' : i + 1 < majority ? 'attest' : 'attest, late'
    note(name, await run.attest(site, number))
  }
  return { total: costs.reduce((sum, gas) => sum + gas, 0), calls }
}

/** Rounds of 23 sites; the first eight fill the ring, the ninth is steady. In the tenth a site asks for more time. */
export async function twentyThree(): Promise<{ readonly first: RoundCost; readonly steady: RoundCost }> {
  const run = await (await World.deploy(23)).run({ minSites: 12, quorum: 12 })
  const first = await wholeRound(run, 1, 23)
  for (let number = 2; number <= 8; number++) await wholeRound(run, number, 23)
  const steady = await wholeRound(run, 9, 23)
  await run.contribute(0, 10)
  return { first, steady: { ...steady, calls: { ...steady.calls, extend: (await run.send(5, 'extend', 10)).gas } } }
}

/** Of masked rounds of 23 sites: a site's keys, and what else differs from an open round. The first eight rounds fill the ring; in the tenth a site lacks a deal. */
export async function masked(): Promise<Gas> {
  const all = Array.from({ length: 23 }, (_, i) => i)
  const run = await (await World.deploy(23)).run({ mode: 1, minSites: 12, quorum: 12 })
  let calls: Gas = {}
  for (let number = 1; number <= 9; number++) {
    const costs: number[] = []
    for (const site of all) costs.push((await run.key(site, number)).gas)
    const began = await run.began()
    for (const site of all) costs.push((await run.contribute(site, number, began)).gas)
    const leader = (number - 1) % 23
    for (const place of [0, 1]) await run.witness((leader + place) % 23, number, bits(...all))
    const publish = (await run.publish(leader, number)).gas
    for (const site of all.slice(0, 12)) await run.attest(site, number)
    const names = { 'key, first of its round': 0, key: 1, 'key, last awaited': 22, 'contribute, masked': 24 }
    calls = { ...Object.fromEntries(Object.entries(names).map(([name, i]) => [name, costs[i] as number])), 'publish, masked': publish }
  }
  return { ...calls, ...(await justified(run, 10)) }
}

/** Site 1 does not hold the deal of site 4, which shows 2 kB. Site 2 shows as much as is taken. The others have nothing to show. */
async function justified(run: RunDriver, number: number): Promise<Gas> {
  const [differing, ...same] = [1, ...run.world.hospitals.map(({ id }) => id).filter((id) => id !== 1)] as [number, ...number[]]
  await run.key(differing, number, run.allBut(differing, 4))
  let last = 0
  for (const site of same) last = (await run.key(site, number)).gas
  const began = await run.began()
  const shown = (await run.justify(4, number, hex(bytesOf('file and share', 2048)), began)).gas
  const longest = (await run.justify(2, number, hex(bytesOf('file and shares', 115_200)), began)).gas
  const costs: number[] = []
  for (const { id } of run.world.hospitals) if (id !== 2 && id !== 4) costs.push((await run.justify(id, number, '0x', began)).gas)
  return {
    'key, last awaited, deals differ': last,
    'justify, first of its round, 2 kB': shown,
    'justify, longest': longest,
    'justify, nothing to show': costs[0] as number,
    'justify, last awaited': costs.at(-1) as number,
  }
}

/** Witnessing of a deep round of 23 sites in so many slices, its words written for the first time. One update is missing, so that all witness. */
export async function deepRound(slices: number): Promise<{ readonly dearest: number; readonly freezing: number }> {
  const all = Array.from({ length: 23 }, (_, i) => i)
  const run = await (await World.deploy(23)).run({ minSites: 12, quorum: 12, slices, limits: Array(5).fill({ seconds_: 300, blocks: 200 }) })
  for (const site of all) await run.contribute(site, 1)
  for (let slice = 0; slice < slices; slice++) for (const place of [0, 1]) await run.witness(slice + place, 1, bits(...all), slice)
  await pass(23 * 5)
  await run.tick()
  for (const site of all) await run.contribute(site, 2)
  const costs: number[] = []
  for (const site of all) for (let slice = 0; slice < slices; slice++) costs.push((await run.witness(site, 2, bits(...all.slice(1)), slice)).gas)
  if ((await run.view()).round.included !== bits(...all.slice(1))) throw new Error('not frozen')
  return { dearest: Math.max(...costs.slice(0, -1)), freezing: costs.at(-1) as number }
}

/**
 * Of an accounted study of nine sites, the eighth of which is the first of its word of the ledger: charges of datasets that were prepared, the first of each
 * run and word too, and of one that was not; and what pays for the words instead.
 */
export async function charges(): Promise<Gas> {
  const world = await World.deploy(9)
  const { node } = world.hospital(0)
  const [cost, limit] = [1n, 255n].map((lane) => Array.from({ length: 8 }, (_, i) => lane << BigInt(32 * i)).reduce((all, one) => all | one)) as [
    bigint,
    bigint,
  ]
  const open = async (accounted: boolean): Promise<readonly [run: number, gas: number]> => {
    await world.send(node, world.studies, 'publish', digest('protocol'), digest('cid'), rulesFor(9))
    const study = Number(await read(world.studies, 'studyCount'))
    if (accounted) await world.send(node, world.privacy, 'setPolicy', study, cost, limit)
    for (const { steward } of world.hospitals) await world.send(steward, world.studies, 'approve', study, digest('protocol'))
    await world.send(node, world.studies, 'publishEpoch', study, 0, digest('commitment'), digest('bundle'))
    const { gas } = await world.send(node, world.rounds, 'openRun', study, digest('model'), digest('model cid'))
    return [Number(await read(world.rounds, 'runCount')), gas]
  }
  const call = async (site: number, method: string, ...args: readonly unknown[]): Promise<number> =>
    (await world.send(world.hospital(site).node, world.privacy, method, ...args, digest(`rows of ${site}`))).gas
  const [, plain] = await open(false)
  const [first, accounted] = await open(true)
  const prepared = await call(7, 'prepare')
  const veryFirst = await call(7, 'charge', first, 1)
  const steady = await call(7, 'charge', first, 2)
  const notPrepared = await call(1, 'charge', first, 1)
  const [second] = await open(true)
  return {
    'charge, very first': veryFirst,
    charge: steady,
    'charge, first of a run': await call(7, 'charge', second, 1),
    'charge, first of a dataset that was not prepared': notPrepared,
    'preparing a dataset': prepared,
    'opening a run of 9 sites': plain,
    'opening an accounted run of 9 sites': accounted,
  }
}

/** A leaf of 1 KiB in the tree of a model of 40 MB, and the root over it: siblings are any hashes, so that nothing of 40 MB is hashed. */
const LEAF = { leaf: 12_345, leaves: Math.ceil(40_000_000 / 1024), levels: 16 }

function branch(name: string, start: Uint8Array): { readonly path: Uint8Array; readonly root: string } {
  const path = bytesOf(`path of ${name}`, 32 * LEAF.levels)
  let here = start
  for (let level = 0; level < LEAF.levels; level++) {
    const sibling = path.subarray(32 * level, 32 * (level + 1))
    here = (LEAF.leaf >> level) & 1 ? sha256(Uint8Array.of(1), sibling, here) : sha256(Uint8Array.of(1), here, sibling)
  }
  return { path, root: hex(here) }
}

function disputedVectors(count: number) {
  const updates = Array.from({ length: count }, (_, i) => {
    const leaf = bytesOf(`leaf ${i}`, 1024)
    const { path, root } = branch(`update ${i}`, sha256(Uint8Array.of(0), leaf))
    return { site: i, root, bytes: hex(leaf) + hex(path).slice(2) }
  })
  const found = bytesOf('wrong leaf', 32)
  const sum = branch('sum', found)
  const joined = (list: readonly string[]) => `0x${list.map((one) => one.slice(2)).join('')}`
  const evidence = {
    ...{ leaf: LEAF.leaf, leaves: LEAF.leaves, sum: hex(found) + hex(sum.path).slice(2), updates: joined(updates.map((u) => u.bytes)) },
    contributions: joined(updates.map((u) => `0x${u.site.toString(16).padStart(2, '0')}${u.root.slice(2)}`)),
  }
  return { roots: updates.map((u) => u.root), sumRoot: sum.root, evidence }
}

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`

export interface DisputeCost {
  readonly attested: number
  readonly closed: number
  readonly calldata: number
}

/** The sum of 23 masked updates of 40 MB, disputed while it is attested, and after its round closed. */
export async function disputes(): Promise<DisputeCost> {
  const all = Array.from({ length: 23 }, (_, i) => i)
  const { roots, sumRoot, evidence } = disputedVectors(23)
  const run = await (await World.deploy(23)).run({ mode: 1, minSites: 12, quorum: 12 })
  for (const site of all) await run.key(site, 1)
  for (const site of all) await run.send(site, 'contribute', 1, roots[site], digest('cid'), digest('cohort'), ZERO)
  for (const site of [0, 1]) await run.witness(site, 1, bits(...all))
  await run.send(0, 'publish', 1, 0, sumRoot, digest('cid'))
  const attested = await run.send(22, 'dispute', 1, evidence)
  await run.send(1, 'publish', 1, 1, sumRoot, digest('cid'))
  for (const site of all.slice(0, 12)) await run.attest(site, 1, STATUS.continue, 1)
  const closed = await run.send(22, 'dispute', 1, evidence)
  const calldata = run.world.rounds.interface.encodeFunctionData('dispute', [1, 1, evidence])
  return { attested: attested.gas, closed: closed.gas, calldata: (calldata.length - 2) / 2 }
}

/** What a part of 64 sites of 256 costs to weigh, calldata included. */
export async function part(): Promise<number> {
  const { evidence, roots } = disputedVectors(256)
  const judge = (await ethers.deployContract('LeafJudge')) as unknown as Contract
  const stride = 2 * (1024 + 32 * LEAF.levels)
  const one = { ...evidence, updates: evidence.updates.slice(0, 2 + 64 * stride), sum: '0x' }
  const facts = { run: 1, round: 1, wordBits: 32, included: (1n << 256n) - 1n, sumRoot: digest('sum'), kept: digest('none'), accumulator: accumulatorOf(roots) }
  return Number(await judge.getFunction('weigh').estimateGas(facts, one, 0, '0x'))
}

const accumulatorOf = (roots: readonly string[]): string =>
  roots.reduce(
    (chain, root, site) => keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32', 'uint256', 'bytes32'], [chain, site, root])),
    `0x${'00'.repeat(32)}`,
  )

/** Consents withdrawn through a relay, alone and twenty at once; sites' roots with and without terms; terms of the greatest length. */
export async function consents(): Promise<Gas> {
  const world = await World.deploy(2)
  const { node, steward } = world.hospital(0)
  const programme = digest('programme')
  const sign = await withdrawalSigner(world, programme)
  const alone = await sign('patient')
  const batch = await Promise.all(Array.from({ length: 20 }, (_, i) => sign(`patient ${i}`)))
  const callOf = async (of: string, from: Signer, method: string, ...args: readonly unknown[]) =>
    (await world.send(from, world.consents, method, of, ...args)).gas
  const call = (from: Signer, method: string, ...args: readonly unknown[]) => callOf(programme, from, method, ...args)
  const compact = batch.map(({ blind, patientKey, signature }) => ({ blind, patientKey, r: signature.r, vs: signature.yParityAndS }))
  const text = getBytes(
    digest('text')
      .repeat(512)
      .replaceAll(/(?!^)0x/g, ''),
  )
  const publish = (version: number) =>
    call(steward, 'publishTerms', { ...{ version, digest: sha256Of(text), basis: 0, ombudsman: alone.patientKey, expiresAt: 4_102_444_800, text } })
  return {
    'withdraw, relayed': await call(node, 'withdraw', alone.blind, alone.patientKey, alone.signature.serialized),
    'withdraw, one of a batch of 20': Math.ceil((await call(node, 'withdrawMany', compact)) / compact.length),
    'terms of 16 KiB, first version': await publish(1),
    'terms of 16 KiB': await publish(2),
    "site's root, first of a programme": await call(node, 'setRoot', 1, digest('root 1')),
    "site's root": await call(node, 'setRoot', 2, digest('root 2')),
    "site's root, its first of a programme": await call(world.hospital(1).node, 'setRoot', 1, digest('root 3')),
    "site's root, first of three without terms": await callOf(digest('no terms'), node, 'setRoot', 1, digest('root 1')),
  }
}

/** The first root of the 256th site, admitted after the terms. */
export async function lastSitesRoot(): Promise<number> {
  const signers = await ethers.getSigners()
  const full = await fullRegistry(signers.slice(0, 3))
  const consents = (await ethers.deployContract('ConsentRegistry', [full.sites])) as unknown as Contract
  const [programme, text] = [digest('programme'), getBytes('0x07')]
  const terms = { version: 1, digest: sha256Of(text), basis: 0, ombudsman: ZeroAddress, expiresAt: 4_102_444_800, text }
  await (await connect(consents, full.first.steward).getFunction('publishTerms').send(programme, terms)).wait()
  const last = await full.fill(signers.slice(3, 6))
  const receipt = await (await connect(consents, last.node).getFunction('setRoot').send(programme, 1, digest('root'))).wait()
  return Number(receipt?.gasUsed)
}

async function withdrawalSigner(world: World, programme: string) {
  const { chainId } = await ethers.provider.getNetwork()
  const domain = { name: 'Rota', version: '1', chainId, verifyingContract: String(world.consents.target) }
  const types = {
    Withdraw: [
      { name: 'programme', type: 'bytes32' },
      { name: 'tag', type: 'bytes32' },
    ],
  }
  return async (patient: string) => {
    const [key, blind] = [new Wallet(digest(patient)), digest(`blind of ${patient}`)]
    const tag = await read(world.consents, 'tagOf', blind, key.address)
    return { blind, patientKey: key.address, signature: Signature.from(await key.signTypedData(domain, types, { programme, tag })) }
  }
}

/** The same site's calls in round 10 and in round 1,000 of a run of two sites. */
export async function tenAndThousand(): Promise<{ readonly ten: Gas; readonly thousand: Gas }> {
  const world = await World.deploy(2)
  const run = await world.run()
  const rush = await rusher(world, run)
  const measured = async (number: number): Promise<Gas> => ({
    contribute: (await run.contribute(0, number)).gas,
    'contribute, last awaited': (await run.contribute(1, number)).gas,
    witness: (await run.witness(0, number, bits(0, 1))).gas,
    'witness, freezing': (await run.witness(1, number, bits(0, 1))).gas,
    publish: (await run.publish((number - 1) % 2, number)).gas,
    attest: (await run.attest(0, number)).gas,
    'attest, closing and opening': (await run.attest(1, number)).gas,
  })
  for (let number = 1; number < 10; number++) await rush(number)
  const ten = await measured(10)
  for (let number = 11; number < 1000; number++) await rush(number)
  return { ten, thousand: await measured(1000) }
}

/** Plays a round of two sites as fast as the chain mines: no estimate, no receipt. */
async function rusher(world: World, run: RunDriver): Promise<(number: number) => Promise<void>> {
  const accounts = await Promise.all(world.hospitals.map((h) => h.node.getAddress()))
  const [to, gas] = [String(world.rounds.target), '0x7a120']
  const call = (site: number, method: string, ...args: readonly unknown[]): Promise<unknown> => {
    const data = world.rounds.interface.encodeFunctionData(method, [run.run, ...args])
    return ethers.provider.send('eth_sendTransaction', [{ from: accounts[site], to, gas, data }])
  }
  const [root, cid] = [digest('root'), digest('cid')]
  return async (number) => {
    for (const site of [0, 1]) await call(site, 'contribute', number, root, cid, root, ZERO)
    for (const site of [0, 1]) await call(site, 'witness', number, 0, bits(0, 1))
    await call((number - 1) % 2, 'publish', number, 0, root, cid)
    for (const site of [0, 1]) await call(site, 'attest', number, 0, root, cid, 0, root)
  }
}
