import { isRotaError } from '#base/errors.ts'
import { type Finding, ToldAgain } from './doctor-checks.ts'

export interface Check {
  readonly name: string
  readonly state: 'ok' | 'warn' | 'bad'
  readonly what: string
  readonly code: string | null
  /** What to do; null where there is nothing. */
  readonly remedy: string | null
}

export interface Diagnosis {
  readonly checks: readonly Check[]
  /** Nothing stands in the way of taking part. */
  readonly ready: boolean
  /** Of the first fault; 0 when ready. */
  readonly exitCode: number
}

/** Collects findings; what throws an error of the catalogue is a fault, and the examination goes on. */
export class Examination {
  readonly #checks: Check[] = []
  readonly #onCheck: (name: string) => void
  #exitCode = 0

  constructor(onCheck: (name: string) => void) {
    this.#onCheck = onCheck
  }

  async look(name: string, check: () => Promise<Finding>): Promise<void> {
    await this.within(name, async (found) => found(await check()))
  }

  /** A look that also gives something to go on with; null after a fault. */
  async take<T>(name: string, check: () => Promise<readonly [T, Finding]>): Promise<T | null> {
    let taken: T | null = null
    await this.within(name, async (found) => {
      const [value, finding] = await check()
      taken = value
      found(finding)
    })
    return taken
  }

  async within(name: string, check: (found: (finding: Finding) => void) => Promise<void>): Promise<void> {
    this.#onCheck(name)
    try {
      await check(({ state, what, error }) => void this.#checks.push({ name, state, what, code: error?.code ?? null, remedy: error?.remedy ?? null }))
    } catch (error) {
      if (error instanceof ToldAgain) this.#fault(name, error.told, 2)
      else if (isRotaError(error)) this.#fault(name, { code: error.code, what: error.message, remedy: error.remedy }, error.exitCode)
      else throw error
    }
  }

  diagnosis(): Diagnosis {
    return { checks: this.#checks, ready: this.#exitCode === 0, exitCode: this.#exitCode }
  }

  #fault(name: string, { code, what, remedy }: { readonly code: string; readonly what: string; readonly remedy: string }, exitCode: number): void {
    this.#checks.push({ name, state: 'bad', what, code, remedy })
    if (this.#exitCode === 0) this.#exitCode = exitCode
  }
}
