/**
 * What a view function answered
 * given any answer of any view of the contracts, it is what ethers makes of it
 * given an answer that is cut short at any word, or has a length or an offset that leads nowhere, it is refused
 * given offsets that lead to one place again and again, it is refused
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AbiCoder, type FunctionFragment, ParamType, type Result } from 'ethers'
import { decodeResult } from '#adapters/chain/decode-result.ts'
import { interfaces } from '#adapters/chain/link.ts'
import { Seeded } from '#core/model/seeded.ts'

const coder = AbiCoder.defaultAbiCoder()
const views: readonly FunctionFragment[] = Object.values(interfaces).flatMap((abi) =>
  abi.fragments.filter((each): each is FunctionFragment => each.type === 'function' && (each as FunctionFragment).constant),
)

function drawn(type: ParamType, random: Seeded): unknown {
  const below = (n: number): number => Math.floor(random.uniform() * n)
  const bytes = (count: number): string => `0x${Array.from({ length: 2 * count }, () => below(16).toString(16)).join('')}`
  if (type.isArray()) {
    const child = type.arrayChildren
    return Array.from({ length: type.arrayLength === -1 ? below(4) : (type.arrayLength ?? 0) }, () => drawn(child, random))
  }
  if (type.isTuple()) return type.components.map((each) => drawn(each, random))
  if (type.type === 'bool') return below(2) === 1
  if (type.type === 'string') return 'Zürich, 日本 '.repeat(below(5))
  if (type.type === 'bytes') return bytes(below(70))
  if (type.type === 'address') return bytes(20)
  if (type.type.startsWith('bytes')) return bytes(Number(type.type.slice(5)))
  return BigInt(bytes(Number(type.type.slice(4)) / 8))
}

/** As ours are: structs by name, addresses in small letters. */
function plain(type: ParamType, value: unknown): unknown {
  if (type.isArray()) return [...(value as Result)].map((each) => plain(type.arrayChildren, each))
  if (type.isTuple()) return Object.fromEntries(type.components.map((each, i) => [each.name, plain(each, (value as Result)[i])]))
  return type.type === 'address' ? String(value).toLowerCase() : value
}

describe('what a view function answered', () => {
  it('is what ethers makes of it, of every view', () => {
    const random = new Seeded(1)
    assert.ok(views.length > 40)
    for (const { outputs, name } of views)
      for (let times = 0; times < 5; times++) {
        const raw = coder.encode(
          outputs,
          outputs.map((type) => drawn(type, random)),
        )
        const theirs = coder.decode(outputs, raw)
        assert.deepEqual(
          decodeResult(outputs, raw),
          outputs.map((type, i) => plain(type, theirs[i])),
          name,
        )
      }
  })

  it('is refused when it is cut short, or leads nowhere', () => {
    const random = new Seeded(2)
    const run = interfaces.RoundCoordinator.getFunction('run')?.outputs ?? []
    const raw = coder.encode(
      run,
      run.map((type) => drawn(type, random)),
    )
    for (let end = 2; end < raw.length; end += 64) assert.throws(() => decodeResult(run, raw.slice(0, end)), RangeError)
    const list = coder.encode(['uint256[]'], [[1n, 2n]])
    const outputs = (interfaces.SiteRegistry.getFunction('sites')?.outputs ?? []) as readonly ParamType[]
    const far = 'f'.repeat(64)
    assert.throws(() => decodeResult(outputs, `0x${far}${list.slice(66)}`), /cut short/, 'an offset')
    assert.throws(() => decodeResult(outputs, `${list.slice(0, 66)}${far}${list.slice(130)}`), /cut short/, 'a length')
  })

  it('is refused when it says one thing too often', () => {
    const lists = [ParamType.from('uint256[][]')]
    const word = (n: number): string => n.toString(16).padStart(64, '0')
    // As many lists as there are values in one: all of them the same.
    const same = (count: number): string => `0x${word(32)}${word(count)}${word(32 * count).repeat(count)}${word(count)}${word(7).repeat(count)}`
    assert.deepEqual(decodeResult(lists, same(3)), [[7n, 7n, 7n].map(() => [7n, 7n, 7n])])
    assert.throws(() => decodeResult(lists, same(400)), /too often/)
  })
})
