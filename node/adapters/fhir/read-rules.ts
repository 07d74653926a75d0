import { ACTOR_ROLES, codeName, POLICY_RULES, purposeName, purposesUnder, SYSTEM } from './codes.ts'
import type { Concept, ConsentResource, Provision } from './consent-shape.ts'
import type { Directive, Rule, Word } from './decide.ts'
import { type FhirMapping, isAction, type OwnNames } from './fhir-mapping.ts'
import { type Span, spanOf } from './fhir-time.ts'
import { say } from './reasons.ts'
import { refused, sayable } from './refusal.ts'

/** What a Consent may be read as: one directive, or two where R4 leaves it open. */
type Readings = readonly [Directive, ...Directive[]]

interface Context {
  readonly mapping: FhirMapping
  readonly own: OwnNames
}

/**
 * A Consent's policy and provisions as one directive. The root provision's period is the time for which the consent was given; a root
 * without a type only says this time, and policyRule says the rest.
 * @returns more than one where they must agree
 * @throws ROTA-6051, 6055, 6056, 6057, 6059, 6060 with the FHIRPath of what cannot be taken exactly
 */
export function readingsOf(consent: ConsentResource, root: string, context: Context): Readings {
  const base = baseWord(consent, root, context)
  const { provision } = consent
  const path = `${root}.provision`
  if (provision === undefined) {
    if (base === null) throw refused('ROTA-6051', path, 'nothing says whether it permits or denies')
    return [{ frame: null, otherwise: base, rules: [] }]
  }
  const frame = spanAt(provision.period, `${path}.period`)
  if (provision.type !== undefined) {
    const { period: _, ...rest } = provision
    const directive: Directive = { frame, otherwise: base ?? 'deny', rules: [ruleOf({ ...rest, type: provision.type }, path, context)] }
    // A permission under an opt-in may be all that is permitted, or add nothing to it.
    return base === 'permit' && provision.type === 'permit' ? [directive, { ...directive, otherwise: 'deny' }] : [directive]
  }
  const condition = CONDITIONS.find((key) => provision[key] !== undefined)
  if (base === null || condition !== undefined)
    throw refused(
      'ROTA-6051',
      `${path}.type`,
      condition === undefined ? 'nothing says whether it permits or denies' : say('no type says what follows from {element}', { element: condition }),
    )
  return [{ frame, otherwise: base, rules: nested(provision, path, context) }]
}

const CONDITIONS = ['actor', 'action', 'securityLabel', 'purpose', 'class', 'code', 'dataPeriod', 'data'] as const

/** What holds where no provision does. @throws ROTA-6051, 6055, 6059 */
export function baseWord({ policy = [], policyRule }: ConsentResource, root: string, { mapping, own }: Context): Word | null {
  if (policy.length === 0 && policyRule === undefined) throw refused('ROTA-6051', `${root}.policyRule`, 'R4 wants a policy or a policyRule: ppc-1')
  const words: (Word | null)[] = policy.map(({ uri }, i) => {
    if (uri === undefined || uri === own.policy) return null
    const word = mapping.policies[uri]
    if (word === undefined)
      throw refused('ROTA-6059', `${root}.policy[${i}].uri`, say('the policy {policy} is none of this programme', { policy: sayable(uri) }))
    return word
  })
  if (policyRule !== undefined) words.push(...ruleWords(policyRule, `${root}.policyRule`, mapping))
  const said = new Set(words.filter((word) => word !== null))
  if (said.size > 1) throw refused('ROTA-6053', `${root}.policyRule`, 'its policies permit and deny')
  return [...said][0] ?? null
}

function ruleWords({ coding = [] }: Concept, path: string, mapping: FhirMapping): readonly (Word | null)[] {
  if (coding.length === 0) throw refused('ROTA-6055', path, 'a text alone')
  return coding.map((one, i) => {
    const name = codeName(one)
    const word = name in mapping.policies ? mapping.policies[name] : POLICY_RULES.get(name)
    if (word === undefined) throw refused('ROTA-6055', `${path}.coding[${i}]`, sayable(name))
    return word
  })
}

type Typed = Provision & { readonly type: Word }

function nested(parent: Provision, path: string, context: Context): readonly Rule[] {
  return (parent.provision ?? []).map((one, i) => {
    const at = `${path}.provision[${i}]`
    if (one.type === undefined) throw refused('ROTA-6051', `${at}.type`, 'R4 wants a type in every nested provision')
    return ruleOf({ ...one, type: one.type }, at, context)
  })
}

function ruleOf(provision: Typed, path: string, context: Context): Rule {
  const codes = codesOf(provision, context.mapping)
  return {
    path,
    type: provision.type,
    period: spanAt(provision.period, `${path}.period`),
    purposes: purposesOf(provision, path, context.mapping),
    actions: actionsOf(provision, path),
    concerns: concernsUs(provision, path, context.mapping) && codes !== 'others',
    part: partOf(provision, path, codes),
    except: nested(provision, path, context),
  }
}

function spanAt(period: Provision['period'], path: string): Span | null {
  if (period === undefined) return null
  const span = spanOf(period)
  if (span === null) throw refused('ROTA-6060', path, 'not a period that R4 knows, or it ends before it begins')
  return span
}

function purposesOf({ purpose }: Provision, path: string, { purposes, otherPurposes }: FhirMapping): ReadonlySet<string> | null {
  if (purpose === undefined) return null
  const ours = new Set(purposes.map(purposeName))
  const others = new Set(otherPurposes.map(purposeName))
  return new Set(
    purpose.flatMap((coding, i) => {
      const name = codeName(coding)
      if (others.has(name)) return []
      const under = purposesUnder(name) ?? (ours.has(name) ? [name] : null)
      if (under === null) throw refused('ROTA-6055', `${path}.purpose[${i}]`, sayable(name))
      return under
    }),
  )
}

function actionsOf({ action }: Provision, path: string): ReadonlySet<string> | null {
  if (action === undefined) return null
  return new Set(
    action.map(({ coding = [] }, i) => {
      // The codings of one concept are words for one thing; one that is known says which.
      const known = [...new Set(coding.flatMap(({ system, code = '' }) => (system === SYSTEM.action && isAction(code) ? [code] : [])))]
      const [one] = known
      if (one === undefined || known.length > 1)
        throw refused('ROTA-6055', `${path}.action[${i}]`, known.length > 1 ? 'two actions in one' : sayable(coding.map(codeName).join('+')))
      return one
    }),
  )
}

/** Any of the actors; that they are others must be known, too. */
function concernsUs({ actor }: Provision, path: string, { organizations }: FhirMapping): boolean {
  if (actor === undefined) return true
  const [ours, others] = [new Set(organizations.ours), new Set(organizations.others)]
  const about = actor.map(({ role, reference }, i) => {
    const at = `${path}.actor[${i}]`
    const names = [
      reference.reference,
      reference.identifier === undefined ? undefined : `${reference.identifier.system ?? ''}|${reference.identifier.value ?? ''}`,
    ]
    const isOurs = names.some((name) => name !== undefined && ours.has(name))
    if (!isOurs && !names.some((name) => name !== undefined && others.has(name)))
      throw refused('ROTA-6055', `${at}.reference`, 'the mapping does not say whether this is us or somebody else')
    if (isOurs && !(role.coding ?? []).some((coding) => ACTOR_ROLES.has(codeName(coding))))
      throw refused('ROTA-6057', `${at}.role`, 'we are neither keeper nor receiver in it')
    return isOurs
  })
  return about.includes(true)
}

/** Whether the codes of a provision mean what the programme uses: all of it, nothing of it, or a part that is not known here. */
function codesOf({ code }: Provision, { codes }: FhirMapping): 'all' | 'others' | 'part' {
  if (code === undefined) return 'all'
  const kinds = code.map(({ coding = [] }) => {
    const names = coding.map(codeName)
    if (names.some((name) => codes.ours.includes(name))) return 'ours'
    return names.some((name) => codes.others.includes(name)) ? 'others' : 'unknown'
  })
  if (kinds.includes('ours')) return 'all'
  return kinds.includes('unknown') ? 'part' : 'others'
}

const PARTS = ['class', 'data', 'dataPeriod', 'securityLabel'] as const

function partOf(provision: Provision, path: string, codes: 'all' | 'others' | 'part'): Rule['part'] {
  const about = [...PARTS, ...(codes === 'part' ? (['code'] as const) : [])].filter((key) => provision[key] !== undefined)
  if (about[0] === undefined) return null
  return { path: `${path}.${about[0]}`, key: JSON.stringify(about.map((key) => [key, provision[key]])) }
}
