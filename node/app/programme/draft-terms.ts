import { stringify } from 'yaml'
import type { LawfulBasis } from '#core/consent/terms.ts'
import { FILL_IN } from './terms-file.ts'

export interface TermsDraft {
  readonly programme: string
  readonly version: number
  readonly lawfulBasis: LawfulBasis
  /** Five years are usual; a day as 2031-12-31. */
  readonly expires: string
}

/** Commented terms in YAML, with the sentences that are true of every programme; what only people know is marked "Fill in". */
export const draftTerms = ({
  programme,
  version,
  lawfulBasis,
  expires,
}: TermsDraft): string => `# The terms of a consent programme for Rota. They go on chain as they are, for everybody to read: no patient, no secret belongs here.
# What patients agree to is this version alone; a change is the next version, for consents given from then on.
version: ${version}
programme: ${stringify(programme, { lineWidth: 0 }).trimEnd()}        # as study protocols name it
lawfulBasis: ${lawfulBasis}${' '.repeat(Math.max(1, 13 - lawfulBasis.length))}# consent: nobody until they agree; opt-out: everybody until they object
expires: '${expires}'       # consents count to the end of this day (UTC)
cadenceHours: 24            # each hospital puts a root on chain at this interval, changed or not; a new consent counts from the next one
relayDelayHours: 12         # the longest that a relay may keep a withdrawal, so that it does not go on chain alone; the site itself stops at once
controllers:                # who answers for the data
  - name: '${FILL_IN}: a hospital'
    contact: '${FILL_IN}: its address'
dataProtectionOfficer:
  name: '${FILL_IN}: name'
  email: fill-in@example.org
# Terms of the W3C Data Privacy Vocabulary (https://w3id.org/dpv/pd) where there is one, else own words.
dataCategories: [dpv-pd:MedicalHealth]
ombudsman: null             # or {name: …, address: 0x…}: whose key may withdraw for patients
portals: []                 # https://… of at least two hospitals: where patients look, and where withdrawals are relayed

# What patients read: in words that they understand, in each of their languages.
texts:
  en:
    title: '${FILL_IN}: what the programme is called'
    purpose: '${FILL_IN}: what is learnt, and for whom it is good'
    data: >-
      Your record stays at your hospital. Computers there work out sums over the records of many patients, and hospitals add up their sums.
      Where records appear outside the treatment, they are pseudonymous: without your name, but not beyond all possibility of finding out.
    withdrawing: >-
      ${lawfulBasis === 'consent' ? 'You may withdraw at any time' : 'You may object at any time'}, without a reason, on the page, by your card, at the desk or by telephone. ${lawfulBasis === 'consent' ? 'It is as easy as agreeing, and\n      has' : 'It\n      has'} no effect on your treatment.
    limits: >-
      ${lawfulBasis === 'consent' ? 'Withdrawing' : 'Objecting'} ends every use from the next round of computing on. Models that were finished before stay as they are. The proofs on the page show
      what your hospital declared under its signature.
  de:
    title: '${FILL_IN}: wie das Programm heißt'
    purpose: '${FILL_IN}: was gelernt wird, und wem es nützt'
    data: >-
      Ihre Akte bleibt in Ihrem Krankenhaus. Rechner dort bilden Summen über die Akten vieler Patienten, und die Krankenhäuser zählen ihre Summen
      zusammen. Wo Angaben außerhalb der Behandlung vorkommen, sind sie pseudonym: ohne Ihren Namen, aber nicht jenseits jeder Möglichkeit, ihn zu finden.
    withdrawing: >-
      Sie können jederzeit und ohne Grund ${lawfulBasis === 'consent' ? 'widerrufen' : 'widersprechen'}: auf der Seite, mit Ihrer Karte, am Schalter oder am Telefon. ${lawfulBasis === 'consent' ? 'Es ist so einfach wie das Zustimmen\n      und hat' : 'Es\n      hat'} keine Folgen für Ihre Behandlung.
    limits: >-
      Mit dem ${lawfulBasis === 'consent' ? 'Widerruf' : 'Widerspruch'} endet jede Nutzung ab der nächsten Rechenrunde. Modelle, die vorher fertig waren, bleiben, wie sie sind. Die Nachweise auf der
      Seite zeigen, was Ihr Krankenhaus mit seiner Unterschrift erklärt hat.
`
