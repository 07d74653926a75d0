import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import { firstDifferentLeaf } from './merkle-tree.ts'
import type { Fault } from './report.ts'
import type { Finding } from './stored-object.ts'
import type { DamagedBlock } from './unixfs-object.ts'

type About = Fault['about']

/** Faults and notes of one round, as they are found. */
export class FaultList {
  readonly list: Fault[] = []
  readonly notes: string[] = []
  readonly #run: RunId
  readonly #round: RoundNo

  constructor(run: RunId, round: RoundNo) {
    this.#run = run
    this.#round = round
  }

  get none(): boolean {
    return this.list.length === 0
  }

  summary(): string {
    return this.list.map((fault) => fault.message).join('; ')
  }

  add(about: About, message: string, where: Partial<Pick<Fault, 'object' | 'block' | 'source' | 'leaf'>> = {}): void {
    this.list.push({ run: this.#run, round: this.#round, about, message, object: null, block: null, source: null, leaf: null, ...where })
  }

  note(text: string): void {
    this.notes.push(`run ${this.#run} round ${this.#round}: ${text}`)
  }

  /** A plain object (a protocol, an epoch's bundle): damaged, not what the chain commits to, or merely gone. */
  blocks(
    kind: 'protocol' | 'bundle',
    cid: Digest | null,
    found: { readonly damaged: readonly DamagedBlock[]; readonly wrong: boolean; readonly why: string },
  ): void {
    const about = kind === 'bundle' ? 'key' : 'protocol'
    const object = cid && { kind, cid, site: null }
    for (const { block, source } of found.damaged)
      this.add(about, `${kind} ${cid}: block ${block} in ${source} does not hash to its name`, { object, block, source })
    if (found.wrong) this.add(about, found.why, { object })
    else if (found.damaged.length === 0 && found.why !== '') this.note(found.why)
  }

  /**
   * An encrypted object that is damaged, or not what the chain names.
   * @param expected the plaintext that it should hold, from elsewhere: the first leaf in which it differs is named
   */
  object(finding: Finding, expected: { readonly bytes: Uint8Array; readonly named: string } | null): void {
    const { object, damaged, untrusted, wrong } = finding
    if (object.kind === 'protocol' || object.kind === 'bundle') return
    const leaf = untrusted && expected ? firstDifferentLeaf(untrusted, expected.bytes) : null
    const about = object.kind === 'masking' ? 'masks' : object.kind
    const which = `${object.kind === 'masking' ? 'deal' : object.kind}${object.site === null ? '' : ` of site ${object.site}`} (CID ${object.cid})`
    const named = { object: { kind: object.kind, cid: object.cid, site: object.site }, leaf }
    for (const { block, source, mended } of damaged) {
      const tail = mended ? 'another store has it sound' : leafText(leaf, untrusted !== null, expected?.named ?? null)
      this.add(about, `${which}: block ${block} in ${source} no longer hashes to its CID; ${tail}`, {
        ...named,
        leaf: mended ? null : leaf,
        block,
        source,
      })
    }
    if (wrong !== null) this.add(about, `${which}: ${wrong}; ${leafText(leaf, untrusted !== null, expected?.named ?? null)}`, named)
  }
}

function leafText(leaf: number | null, decrypted: boolean, expected: string | null): string {
  if (!decrypted) return 'it cannot be decrypted'
  if (expected === null) return 'nothing is left to compare it with'
  return leaf === null
    ? `decrypted without its tag, it equals ${expected}: only the seal was changed`
    : `decrypted without its tag, leaf ${leaf} differs from ${expected}`
}
