import { askQuestion } from '#adapters/network/questions.ts'
import { type Probe, pullProbe } from '#adapters/store/link-probe.ts'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { CANARY_LIMIT_BYTES, CANARY_PROTOCOL, decodeAnswer, encodeQuestion, MOST_PROBE_BYTES, MOST_PROBES, type WayFound } from '#wire/canary.ts'
import type { CanaryParts } from './canary-parts.ts'

const SMALL_PROBE_BYTES = 256 * 1024

/** A vector that fits a small block is not measured with a large one: a slow line would be kept busy for nothing. */
export const probeBytes = (vectorBytes: number): number => (vectorBytes <= SMALL_PROBE_BYTES ? SMALL_PROBE_BYTES : MOST_PROBE_BYTES)

const HELLOS = 3
/** A first block that takes longer than this is answer enough: more of them would keep a slow line busy for minutes. */
const SLOW_MS = 2_000

/**
 * The way between this site and one other, by the blocks that rounds are made of.
 * @param bytes of the study's vector: as many blocks are sent as it has, at most 8 @throws ROTA-4xxx, or the signal's reason
 */
export async function measureLink(
  parts: Pick<CanaryParts, 'network'>,
  site: SiteId,
  probe: Omit<Probe, 'drop'>,
  bytes: number,
  signal: AbortSignal,
): Promise<WayFound> {
  const hellos = []
  for (let i = 0; i < HELLOS; i++) hellos.push(await parts.network.hello(site, signal))
  const { rttMs, clockOffsetMs } = hellos.reduce((a, b) => (b.rttMs < a.rttMs ? b : a))
  const first = await bothWays(parts, site, probe, 1, signal)
  const times = Math.min(MOST_PROBES, Math.ceil(bytes / probe.bytes))
  const { down, up } = times > 1 && first.slowestMs < SLOW_MS ? await bothWays(parts, site, probe, times, signal) : first
  const relayed = parts.network.route(site) === 'relayed'
  return { kind: 'way', problem: null, relayed, rttMs, clockOffsetMs, downBytesPerSecond: down, upBytesPerSecond: up }
}

/** One direction after the other, so that they do not share the line. */
async function bothWays(
  { network }: Pick<CanaryParts, 'network'>,
  site: SiteId,
  probe: Omit<Probe, 'drop'>,
  times: number,
  signal: AbortSignal,
): Promise<{ up: number; down: number; slowestMs: number }> {
  const question = encodeQuestion({ kind: 'link', probe: probe.digest, bytes: probe.bytes, times })
  const answer = decodeAnswer(await askQuestion(network, site, CANARY_PROTOCOL, CANARY_LIMIT_BYTES, question, signal))
  if (answer.kind !== 'link') throw new RotaError('ROTA-4001', { what: 'canary message' })
  const downMs = await pullProbe(network, site, { digest: answer.probe, bytes: answer.bytes }, times, signal)
  if (answer.ms === null) throw new RotaError('ROTA-4005', { site })
  const speed = (size: number, ms: number) => Math.round((times * size) / (Math.max(0.5, ms) / 1000))
  return { up: speed(probe.bytes, answer.ms), down: speed(answer.bytes, downMs), slowestMs: Math.max(downMs, answer.ms) }
}
