import { fromHex } from '#base/bytes.ts'
import { type CohortProof, judgeCohortProof, readCohortProof, type Verdict } from '#core/consent/cohort-proof.ts'
import { programmeId } from '#patient/keys.ts'
import { ASK_ROUNDS, type ProvenRounds, type ToldRecords } from '#patient/portal-api.ts'
import { signRequest } from '#patient/request.ts'
import { sha256 } from '#patient/sha256.ts'
import { askJson } from '#web/pages/shared/ask.ts'
import type { Network, Source } from './network.ts'
import type { Standing } from './standing.ts'

/** A round as the page shows it. */
export interface ShownRound {
  readonly run: number
  readonly round: number
  /** Unix seconds; null: no portal says. */
  readonly openedAt: number | null
  /** Null: it could not be checked, `why` says by which code. */
  readonly verdict: Verdict | null
  readonly why: string | null
  /** Portals whose chains said the same. */
  readonly sources: readonly string[]
}

export interface ShownRounds {
  readonly record: ProvenRounds['record'] | null
  readonly rounds: readonly ShownRound[]
  readonly next: number | null
}

/** The own hospital's proofs, newest first, each checked here against what the portals' chains say. @throws FaultError where it does not answer */
export async function readRounds(network: Network, standing: Standing, page: number): Promise<ShownRounds> {
  const { own, card, domain } = network
  if (own === null) return { record: null, rounds: [], next: null }
  const request = signRequest(card.secret, card.programme, { what: ASK_ROUNDS, at: network.now() }, domain)
  const { record, rounds, next } = await askJson<ProvenRounds>(`${own.url}/api/proofs?page=${page}`, { body: request, timeoutMs: 120_000 })
  // What comes over the wire is read as strictly as a file.
  const proofs = rounds.map(({ proof }) => (proof === null ? null : readCohortProof(JSON.stringify(proof))))
  const known = await recordsOf(
    network,
    proofs.flatMap((proof) => proof ?? []),
  )
  const shown = rounds.map(({ run, round, openedAt, why }, i): ShownRound => {
    const proof = proofs[i] ?? null
    const at = { run, round, openedAt }
    if (proof === null || proof.run !== run || proof.round !== round) return { ...at, verdict: null, why: why ?? 'no-proof', sources: [] }
    return { ...at, ...judge(proof, known, standing) }
  })
  return { record, rounds: shown, next }
}

/** One proof from a file. Null: it is none. */
export async function checkProof(network: Network, standing: Standing, text: string): Promise<(ShownRound & { readonly isOther: boolean }) | null> {
  const proof = readCohortProof(text)
  if (proof === null) return null
  const known = await recordsOf(network, [proof])
  const isOther = proof.tag !== standing.tag
  return { run: proof.run, round: proof.round, openedAt: openedAt(known, proof), isOther, ...judge(proof, known, standing) }
}

interface Known {
  readonly url: string
  readonly records: ToldRecords
}

/** What each portal's chain says about the rounds; portals that do not answer are left out. */
async function recordsOf({ card, sources }: Network, proofs: readonly CohortProof[]): Promise<readonly Known[]> {
  if (proofs.length === 0) return []
  const query = new URLSearchParams({
    programme: programmeId(card.programme),
    site: String(card.site),
    rounds: proofs.map(({ run, round }) => `${run}.${round}`).join(','),
    epochs: [...new Set(proofs.flatMap(({ granted, standing }) => [granted.epoch, ...(standing === null ? [] : [standing.epoch])]))].join(','),
  })
  const asked = async ({ url }: Source): Promise<Known> => ({ url, records: await askJson<ToldRecords>(`${url}/api/records?${query}`) })
  const told = await Promise.all(sources.map((source) => asked(source).catch(() => null)))
  return told.flatMap((each) => each ?? [])
}

const openedAt = (known: readonly Known[], proof: CohortProof): number | null =>
  known.flatMap(({ records }) => records.rounds.find((r) => isRound(r, proof))?.openedAt ?? []).at(0) ?? null

const isRound = (a: { readonly run: number; readonly round: number }, b: { readonly run: number; readonly round: number }): boolean =>
  a.run === b.run && a.round === b.round

/** The hospital's proof against the chain, as all portals tell it: where they differ nothing is concluded. */
function judge(proof: CohortProof, known: readonly Known[], { tag, withdrawn }: Standing): Pick<ShownRound, 'verdict' | 'why' | 'sources'> {
  const told = known.flatMap(({ url, records }) => {
    const round = records.rounds.find((r) => isRound(r, proof))
    return round === undefined ? [] : [{ url, round, network: records.network, epochs: records.epochs }]
  })
  const [first] = told
  if (first === undefined) return { verdict: null, why: 'no-record', sources: [] }
  const same = ({ round, network, epochs }: typeof first): string =>
    JSON.stringify([network, round.openedAtBlock, round.contributed?.root, round.contributed?.block, epochs.map((e) => [e.epoch, e.root, e.block])])
  if (told.some((each) => same(each) !== same(first))) return { verdict: null, why: 'disagree', sources: told.map(({ url }) => url) }
  const record = {
    network: fromHex(first.network),
    openedAtBlock: first.round.openedAtBlock,
    contributed: first.round.contributed,
    epochs: first.epochs,
    withdrawnAtBlock: withdrawn?.block ?? null,
  }
  return { verdict: judgeCohortProof(proof, tag, record, sha256), why: null, sources: told.map(({ url }) => url) }
}
