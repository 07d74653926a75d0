/** Something in the play is not as it should be: what, and what to do. The demo then ends with 1 and keeps its folder. */
export class DemoError extends Error {
  readonly advice: string

  constructor(what: string, advice = '', cause?: unknown) {
    super(what, cause === undefined ? undefined : { cause })
    this.name = 'DemoError'
    this.advice = advice
  }
}

/** States what must hold at this point of the play. @throws DemoError when it does not */
export function must(holds: boolean, what: string, advice = ''): asserts holds {
  if (!holds) throw new DemoError(what, advice)
}
