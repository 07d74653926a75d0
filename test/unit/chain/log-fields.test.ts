/**
 * A log taken apart
 * given any event of the contracts, with any values, it has the fields that ethers finds in it
 * given a log of an unknown event, it is none of ours
 * given a log that is too short, too long, or no hex, it is refused
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ParamType } from 'ethers'
import type { ContractName } from '#adapters/chain/abi.ts'
import { interfaces } from '#adapters/chain/link.ts'
import { fieldsOf } from '#adapters/chain/log-fields.ts'
import { Seeded } from '#core/model/seeded.ts'

const random = new Seeded(11)
const hexOf = (bytes: number): string =>
  Array.from({ length: bytes }, () =>
    Math.floor(random.uniform() * 256)
      .toString(16)
      .padStart(2, '0'),
  ).join('')

function anyValue({ type }: ParamType): unknown {
  if (type === 'bool') return random.uniform() < 0.5
  if (type === 'bytes32') return `0x${hexOf(32)}`
  if (type === 'bytes') return `0x${hexOf(Math.floor(random.uniform() * 100))}`
  if (type === 'bytes32[]') return Array.from({ length: Math.floor(random.uniform() * 4) }, () => `0x${hexOf(32)}`)
  if (type === 'address') return `0x${hexOf(20)}`
  const bits = Number(/^uint(\d+)$/.exec(type)?.[1])
  const edge = random.uniform()
  if (edge < 0.2) return 0n
  return edge < 0.4 ? (1n << BigInt(bits)) - 1n : BigInt(`0x${hexOf(bits / 8)}`)
}

const refused = (take: () => unknown) => assert.throws(take, (error) => error instanceof TypeError || error instanceof SyntaxError)

const plain = (value: unknown): string => String(value).toLowerCase()

const events = Object.keys(interfaces).flatMap((name) => {
  const contract = name as ContractName
  return interfaces[contract].fragments.flatMap((fragment) =>
    fragment.type === 'event' ? [{ contract, event: interfaces[contract].getEvent(fragment.format()) }] : [],
  )
})

describe('a log taken apart', () => {
  it('has the fields that ethers finds in it, for every event of the contracts', () => {
    assert.ok(events.length > 35)
    for (const { contract, event } of events)
      for (let i = 0; i < 20; i++) {
        assert.ok(event !== null)
        const values = event.inputs.map(anyValue)
        const log = interfaces[contract].encodeEventLog(event, values)
        const found = fieldsOf(contract, log)
        const expected = interfaces[contract].parseLog(log)?.args.toObject() ?? {}
        assert.equal(found?.name, event.name)
        assert.deepEqual(
          Object.entries(found?.fields ?? {}).map(([name, value]) => [name, plain(value)]),
          Object.entries(expected).map(([name, value]) => [name, plain(value)]),
        )
      }
  })

  it('is none of ours where the contract has no such event', () => {
    assert.equal(fieldsOf('AuditLog', { topics: [`0x${hexOf(32)}`], data: '0x' }), null)
    assert.equal(fieldsOf('AuditLog', { topics: [], data: '0x' }), null)
  })

  it('is refused when it is too short, too long, or no hex', () => {
    const { topics, data } = interfaces.RoundCoordinator.encodeEventLog('Witnessed', [1, 2, 3, 4, 5n])
    const bent = [
      { topics, data: data.slice(0, -2) },
      { topics, data: `${data}00` },
      { topics: topics.slice(0, -1), data },
      { topics: [...topics, topics[1] as string], data },
      { topics, data: `${data.slice(0, -1)}g` },
      { topics, data: `0x${'g'.repeat(128)}` },
    ]
    for (const log of bent) refused(() => fieldsOf('RoundCoordinator', log))
  })

  it('is refused when what has no fixed length is not where and as long as it says', () => {
    const tag = hexOf(32)
    const { topics, data } = interfaces.ConsentRegistry.encodeEventLog('ConsentsWithdrawn', [`0x${tag}`, [`0x${tag}`, `0x${tag}`]])
    const word = (n: number) => n.toString(16).padStart(64, '0')
    assert.deepEqual(fieldsOf('ConsentRegistry', { topics, data })?.fields.tags, [`0x${tag}`, `0x${tag}`])
    const bent = [
      `0x${word(32)}`,
      `0x${word(64)}${word(2)}${tag}${tag}`,
      `0x${word(32)}${word(1)}${tag}${tag}`,
      `0x${word(32)}${word(3)}${tag}${tag}`,
      `0x${word(32)}${word(2 ** 47)}${tag}${tag}`,
      `${data}00`,
      data.slice(0, -2),
    ]
    for (const text of bent) refused(() => fieldsOf('ConsentRegistry', { topics, data: text }))
  })
})
