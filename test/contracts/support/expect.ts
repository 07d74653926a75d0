import { expect } from 'chai'
import type { Contract } from 'ethers'
import type { Outcome } from './world.ts'

/** The call is refused with this error of the contract, and with these values when they are given. */
export async function refused(call: Promise<unknown>, contract: Contract, error: string, args?: readonly unknown[]): Promise<void> {
  const assertion = expect(call).to.be.revertedWithCustomError(contract, error)
  await (args === undefined ? assertion : assertion.withArgs(...args))
}

/** Names of the events in order. */
export const names = (outcome: Outcome): string[] => outcome.events.map((e) => e.name)

/** Values of the only event of a name. */
export function event(outcome: Outcome, name: string): Record<string, unknown> {
  const found = outcome.events.filter((e) => e.name === name)
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} events ${name}, not one`)
  return found[0].args
}
