import type { Identifier, Reference } from './consent-shape.ts'
import { patientShape } from './consent-shape.ts'
import type { Placed } from './fhir-file.ts'
import type { FhirMapping, OwnNames } from './fhir-mapping.ts'
import { momentOf } from './fhir-time.ts'
import { withoutPrimitiveExtensions } from './plain-json.ts'
import { refused } from './refusal.ts'

/** A patient as this site's data names them, or by the pseudonym of an export of this site. */
export type Who = { readonly name: string } | { readonly pseudonym: string }

export const sameWho = (a: Who, b: Who): boolean => whoKey(a) === whoKey(b)
export const whoKey = (who: Who): string => ('name' in who ? `name ${who.name}` : `pseudonym ${who.pseudonym}`)

interface From {
  readonly path: string
  /** Of the resource that holds the reference: what a relative one is relative to. */
  readonly fullUrl: string | null
  readonly contained: readonly Readonly<Record<string, unknown>>[]
}

/** The Patient resources that came with the consents, found by what points to them. */
export class FhirPatients {
  readonly #mapping: FhirMapping['patient']
  readonly #own: OwnNames
  readonly #nowMs: number
  readonly #byUrl = new Map<string, Placed>()
  readonly #byId = new Map<string, Placed[]>()
  readonly #who = new Map<Placed, Who>()
  #known: ReadonlySet<string> | null = null

  constructor(patients: readonly Placed[], mapping: FhirMapping['patient'], own: OwnNames, nowMs: number) {
    this.#mapping = mapping
    this.#own = own
    this.#nowMs = nowMs
    for (const patient of patients) {
      if (patient.fullUrl !== null) this.#byUrl.set(patient.fullUrl, patient)
      const id = String(patient.resource.id ?? '')
      this.#byId.set(id, [...(this.#byId.get(id) ?? []), patient])
    }
  }

  /**
   * Who a reference means. What it says in more than one way must agree.
   * @throws ROTA-6058 when this site cannot know, 6052 when it is none of the patients that came with it, or two at once
   */
  who(reference: Reference, from: From): Who {
    const { path } = from
    if (reference.type !== undefined && reference.type !== 'Patient') throw refused('ROTA-6058', `${path}.type`, 'it is no Patient')
    const literal = reference.reference === undefined ? null : this.#literal(reference.reference, from)
    const logical = reference.identifier === undefined ? null : this.#named([reference.identifier], `${path}.identifier`)
    if (literal !== null && logical !== null && !sameWho(literal, logical))
      throw refused('ROTA-6052', path, 'its reference and its identifier mean two patients')
    const who = literal ?? logical
    if (who === null)
      throw refused('ROTA-6058', path, reference.reference === undefined ? 'no identifier of a system that names patients here' : 'the Patient is not there')
    if (this.#byId.size > 0 && !this.#all().has(whoKey(who))) throw refused('ROTA-6052', path, 'it is none of the patients that came with it')
    return who
  }

  /** Whether a reference is the address of a patient that came with it. */
  has(reference: string): boolean {
    return this.#byUrl.has(reference)
  }

  /** Null: the Patient is not there, and the reference alone names nobody. */
  #literal(text: string, { path, fullUrl, contained }: From): Who | null {
    if (text.startsWith('#')) {
      const found = contained.find(({ id }) => id === text.slice(1))
      if (found === undefined || found.resourceType !== 'Patient') throw refused('ROTA-6058', `${path}.reference`, 'it contains no such Patient')
      return this.#of({ place: path, root: `${path}.resolve()`, fullUrl: null, resource: found })
    }
    const plain = text.replace(/\/_history\/[^/]*$/, '')
    const found = this.#find(plain, fullUrl)
    if (found.length > 1) throw refused('ROTA-6052', `${path}.reference`, 'it may mean more than one of the patients that came with it')
    if (found[0] !== undefined) return this.#of(found[0])
    if (this.#byId.size > 0) throw refused('ROTA-6052', `${path}.reference`, 'it is none of the patients that came with it')
    const id = /(?:^|\/)Patient\/([A-Za-z0-9.-]{1,64})$/.exec(plain)?.[1]
    return this.#mapping.id && id !== undefined ? { name: id } : null
  }

  #find(text: string, fullUrl: string | null): readonly Placed[] {
    const absolute = /^[a-z][a-z0-9+.-]*:/i.test(text)
    const base = absolute ? null : /^(https?:.*\/)[A-Z][A-Za-z]+\/[^/]+$/.exec(fullUrl ?? '')?.[1]
    const exact = this.#byUrl.get(absolute ? text : `${base ?? ''}${text}`)
    if (exact !== undefined) return [exact]
    const id = /(?:^|\/)Patient\/([A-Za-z0-9.-]{1,64})$/.exec(text)?.[1]
    const named = id === undefined ? [] : (this.#byId.get(id) ?? [])
    // One with an address of its own is only found by it, unless the reference is relative to no known address.
    return named.filter((patient) => !/^https?:/.test(patient.fullUrl ?? '') || (!absolute && base == null))
  }

  #of(placed: Placed): Who {
    const known = this.#who.get(placed)
    if (known !== undefined) return known
    const who = this.#read(placed)
    this.#who.set(placed, who)
    return who
  }

  #read({ resource, root }: Placed): Who {
    const patient = patientShape.safeParse(withoutPrimitiveExtensions(resource, root))
    if (!patient.success) throw refused('ROTA-6058', `${root}.${patient.error.issues[0]?.path.join('.') ?? ''}`, 'the Patient is not as R4 has it')
    const { id, identifier = [], active, link = [] } = patient.data
    if (active === false || link.some(({ type }) => type === 'replaced-by'))
      throw refused('ROTA-6058', root, 'the Patient is not in use any more, or was merged into another')
    const named = this.#named(identifier, `${root}.identifier`)
    if (this.#mapping.id && id !== undefined) {
      if (named !== null && 'name' in named && named.name !== id) throw refused('ROTA-6058', root, 'its id and its identifier are two names')
      return { name: id }
    }
    if (named === null) throw refused('ROTA-6058', `${root}.identifier`, 'none of them is of a system that names patients here')
    return named
  }

  #named(identifiers: readonly Identifier[], path: string): Who | null {
    const of = (system: string | null): readonly string[] => [
      ...new Set(identifiers.filter((one) => one.system === system && this.#isInUse(one)).flatMap(({ value }) => (value === undefined ? [] : [value]))),
    ]
    const { system } = this.#mapping
    const names = [...new Set([...of(this.#own.patients), ...(system === null ? [] : of(system))])]
    const pseudonyms = of(this.#own.pseudonyms)
    if (names.length > 1 || pseudonyms.length > 1) throw refused('ROTA-6058', path, 'more than one is of the system that names patients here')
    if (names[0] !== undefined) return { name: names[0] }
    return pseudonyms[0] === undefined ? null : { pseudonym: pseudonyms[0] }
  }

  #isInUse({ use, period }: Identifier): boolean {
    const end = period?.end === undefined ? null : momentOf(period.end)
    return use !== 'old' && (end === null || end.to > this.#nowMs)
  }

  /** All that can be named; who cannot is refused where a consent points to them. */
  #all(): ReadonlySet<string> {
    this.#known ??= new Set(
      [...this.#byId.values()].flat().flatMap((patient) => {
        try {
          return [whoKey(this.#of(patient))]
        } catch {
          return []
        }
      }),
    )
    return this.#known
  }
}
