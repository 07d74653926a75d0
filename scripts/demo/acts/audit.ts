import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditReport, Fault } from '#app/audit/audit.ts'
import { blockFile } from '#audit/folder-source.ts'
import { type Digest, digest } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { must } from '../demo-error.ts'
import type { AuditResult, NeuralResult } from '../results.ts'
import type { Network, Scene } from '../scene.ts'

/** Past the first 1 KiB leaf, so that the leaf to be named is not the only one. */
const CHANGED_BYTE = 1_024 + 40

/** Act 7. Another process, with a reader's key and nothing else, recomputes every closed round; then a byte of a stored sum is changed. */
export async function actAudit(scene: Scene, network: Network, neural: NeuralResult): Promise<AuditResult> {
  const { stage } = scene
  stage.act(7, 'The audit', 'The auditor has the chain, the stores and a reader’s key, no site’s key, and sums with code of its own.')
  const [first] = network.hospitals
  must(first !== undefined, 'there is no hospital')
  stage.command(`rota audit verify --chain ${network.chain} --contracts ${network.contracts.slice(0, 10)}… --reader auditor/reader.json --store ${first.name}`)
  stage.now('every closed round is recomputed from the log and the store')
  const whole = await verify(scene, network, first.folder)
  must(whole.ok, `the audit finds faults: ${whole.faults[0]?.message}`)
  const verdicts: Record<string, number> = {}
  for (const { verdict } of whole.rounds) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1
  stage.good(
    `all ${whole.rounds.length} rounds hold: ${Object.entries(verdicts)
      .map(([verdict, times]) => `${times} ${verdict}`)
      .join(', ')}`,
  )

  const { round, sum } = await lastSum(scene, network, neural)
  const { mend, report } = await withChangedByte(join(first.folder, 'state', 'blocks'), sum, () => verify(scene, network, first.folder, neural.run))
  stage.line(stage.style.warn(`   one byte of the sum of run ${neural.run} round ${round}, stored at ${first.name}, was changed`))
  const fault = report.faults.find((found) => found.round === round && found.about === 'sum')
  must(!report.ok && fault !== undefined, 'the audit does not notice the changed byte')
  must(
    fault.object?.cid === sum && fault.leaf === Math.floor(CHANGED_BYTE / 1_024),
    `the audit names object ${fault.object?.cid} and leaf ${fault.leaf}`,
    fault.message,
  )
  stage.line(`   ${stage.style.bad('✗')} ${shortened(fault)}`)
  stage.good('that is the byte; it was put back')
  await mend()
  return {
    rounds: whole.rounds.length,
    ok: whole.ok,
    verdicts,
    tampered: { run: neural.run, round, object: sum, leaf: fault.leaf ?? -1, ok: report.ok, message: fault.message },
  }
}

const verify = ({ rota }: Scene, { chain, contracts, reader }: Network, store: string, run?: number): Promise<AuditReport> =>
  rota<AuditReport>(
    [
      'audit',
      'verify',
      '--chain',
      chain,
      '--contracts',
      contracts,
      '--reader',
      reader.keystore,
      '--password-file',
      reader.passwordFile,
      '--store',
      store,
      ...(run === undefined ? [] : ['--run', String(run)]),
    ],
    { expect: [0, 1] },
  )

/** The sum that the last round of training published, by the chain's own log. */
async function lastSum({ rota }: Scene, { chain, contracts }: Network, neural: NeuralResult): Promise<{ readonly round: number; readonly sum: Digest }> {
  const trained = neural.rounds.findLast(({ stage }) => stage === 'fit')
  const { events } = await rota<{ events: readonly ChainEvent[] }>(['audit', 'log', '--chain', chain, '--contracts', contracts, '--run', String(neural.run)])
  const published = events.findLast((event) => event.kind === 'Published' && event.round === trained?.round)
  must(published?.kind === 'Published', `the log tells of no sum of run ${neural.run} round ${trained?.round}`)
  return { round: published.round, sum: published.sumCid }
}

/** Plays the vandal: changes a byte of the object in one store while `look` looks, and puts it back whatever it finds. */
async function withChangedByte<T>(blocks: string, object: Digest, look: () => Promise<T>): Promise<{ readonly report: T; readonly mend: () => Promise<void> }> {
  const file = join(blocks, blockFile(await leafOf(blocks, object)))
  const bytes = await readFile(file)
  const broken = Uint8Array.from(bytes)
  broken[CHANGED_BYTE] = (broken[CHANGED_BYTE] ?? 0) ^ 1
  const mend = () => writeFile(file, bytes)
  await writeFile(file, broken)
  try {
    return { report: await look(), mend }
  } catch (error) {
    await mend()
    throw error
  }
}

/** An object's root block names its one leaf: CIDv1, raw, SHA-256. */
async function leafOf(blocks: string, object: Digest): Promise<Digest> {
  const root = await readFile(join(blocks, blockFile(object)))
  const at = root.indexOf(Buffer.from([0x01, 0x55, 0x12, 0x20]))
  must(at >= 0, `the object ${object} is not stored as one leaf`)
  return digest(`0x${root.subarray(at + 4, at + 36).toString('hex')}`)
}

const shortened = ({ message, source }: Fault): string =>
  message.replaceAll(/0x([0-9a-f]{12})[0-9a-f]{52}/g, '0x$1…').replaceAll(`in ${source}`, 'in the store')
