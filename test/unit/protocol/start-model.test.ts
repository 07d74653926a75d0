import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { diffProtocols } from '#app/protocol/diff-protocols.ts'
import { parseProtocol, protocolToYaml } from '#app/protocol/protocol-file.ts'
import { sha256 } from '#app/sha256.ts'
import { isRotaError } from '#base/errors.ts'
import { checkProtocol } from '#core/protocol/check.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { encodeProtocol, protocolDigest } from '#wire/protocol.ts'
import { generatedStudy, LOGISTIC, smallestNetwork } from '../../support/studies.ts'

// given a protocol that names a model to start from
// ├── it is read, shown as a change, and part of the digest; without it nothing of the bytes changes
// └── it is refused for a learner that is fitted anew, and where it is no round of a run

const learner = smallestNetwork('start')
const start = { run: 3, round: 7, root: `0x${'ab'.repeat(32)}`, cid: `0x${'cd'.repeat(32)}` }
const plain = generatedStudy({ sites: 3, learner }).protocol
const read = (protocol: Protocol): Protocol => parseProtocol(protocolToYaml(protocol))

describe('a protocol that goes on from another run', () => {
  it('is read back, differs by what it names, and leaves others as they were', () => {
    const named = read({ ...plain, start })
    assert.deepEqual(named.start, start)
    assert.deepEqual(
      diffProtocols(plain, named).map(({ path }) => path),
      ['start.run', 'start.round', 'start.root', 'start.cid'],
    )
    assert.notEqual(protocolDigest(named, sha256), protocolDigest(plain, sha256))
    assert.ok(!('start' in read(plain)))
    assert.deepEqual(encodeProtocol(read(plain)), encodeProtocol(plain))
  })

  it('is refused where it cannot be', () => {
    const exact = { ...generatedStudy({ sites: 3, learner: LOGISTIC }).protocol, start }
    assert.throws(
      () => read(exact),
      (error) => isRotaError(error, 'ROTA-3043'),
    )
    assert.throws(
      () => checkProtocol(exact),
      (error) => isRotaError(error, 'ROTA-2304'),
    )
    for (const wrong of [
      { ...start, round: 0 },
      { ...start, root: '0x12' },
      { ...start, of: 1 },
    ])
      assert.throws(
        () => read({ ...plain, start: wrong }),
        (error) => isRotaError(error),
      )
  })
})
