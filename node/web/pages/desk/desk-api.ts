import { askJson, type Fault } from '#web/pages/shared/ask.ts'
import type { DeskAct, DeskProgramme, ImportAnswer, ImportFile, Person, TellsProblem } from '#wire/desk-api.ts'

/** Who sits at the desk; the token goes with everything that changes something. */
export interface Sitting {
  readonly user: string
  readonly csrf: string
  /** Without a request for so long the session is over. */
  readonly idleMs: number
}

export interface Place {
  readonly site: string
  /** Whether the hospital's own sign-in service can be used. */
  readonly service: boolean
  readonly session: Sitting | null
}

/** What was done, and where the sheet is to be fetched. */
export interface Recorded extends TellsProblem {
  readonly tag: string
  readonly print: string
}

export interface Withdrew extends TellsProblem {
  readonly tag: string | null
  readonly print: string
}

export type Confirmed = Omit<Recorded, 'tag'>

export interface Imported extends ImportAnswer {
  readonly prints: readonly { readonly patient: string; readonly print: string }[]
}

/** What the chain does not know yet, as something to show. */
export const faultIn = (problem: NonNullable<TellsProblem['problem']>): Fault => ({ ...problem, message: problem.what })

/** What the desk's server is asked, with the session's cookie and token. */
export interface DeskApi {
  programmes(): Promise<readonly DeskProgramme[]>
  find(patient: string): Promise<Person>
  record(act: DeskAct): Promise<Recorded>
  withdraw(act: DeskAct): Promise<Withdrew>
  confirm(act: DeskAct): Promise<Confirmed>
  lostCard(act: DeskAct): Promise<{ readonly withdrawn: Withdrew; readonly recorded: Recorded | null; readonly problem: Recorded['problem'] }>
  handedOver(print: string): Promise<void>
  preview(file: ImportFile): Promise<ImportAnswer>
  importAll(file: ImportFile): Promise<Imported>
  signOut(): Promise<void>
}

/** Acts wait for the chain; a file of thousands takes its time. */
const ACT_MS = 60_000
const IMPORT_MS = 10 * 60_000

export const askPlace = (): Promise<Place> => askJson('api/session', { cookies: true })

export const askSignIn = (name: string, password: string, code: string): Promise<Sitting> =>
  askJson('api/sign-in', { cookies: true, body: { name, password, code }, timeoutMs: ACT_MS })

export function deskApi({ csrf }: Sitting): DeskApi {
  const send = <T>(url: string, body: unknown, timeoutMs = ACT_MS): Promise<T> =>
    askJson<T>(url, { body, timeoutMs, cookies: true, headers: { 'x-rota-csrf': csrf } })
  return {
    programmes: async () =>
      (await askJson<{ readonly programmes: readonly DeskProgramme[] }>('api/programmes', { cookies: true, timeoutMs: ACT_MS })).programmes,
    find: (patient) => send('api/people/find', { patient }),
    record: (act) => send('api/people/record', act),
    withdraw: (act) => send('api/people/withdraw', act),
    confirm: (act) => send('api/people/confirm', act),
    lostCard: (act) => send('api/people/lost-card', act),
    handedOver: (print) => send('api/prints/handed-over', { print }),
    preview: (file) => send('api/import/preview', file, IMPORT_MS),
    importAll: (file) => send('api/import/record', file, IMPORT_MS),
    signOut: () => send('api/sign-out', {}),
  }
}
