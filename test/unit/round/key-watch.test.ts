import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bitmapOf } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import { siteId, studyId } from '#base/ids.ts'
import type { StudyRecord } from '#ports/chain.ts'
import { watchKeys } from '#round/key-watch.ts'
import type { Site } from '#round/site.ts'
import type { Study } from '#round/study.ts'

// given a site that has the newest key, and looks which earlier ones it does not lead to
// ├── when bundles on the way cannot be had for long, its look at the study does not wait for them
// └── what that comes to is told at the look after

const signal = new AbortController().signal
const members = bitmapOf([siteId(0), siteId(1)])
const record = {
  ...{ id: studyId(1), approved: members, rules: { limits: [] } },
  epoch: { epoch: 1, members, bundle: `0x${'11'.repeat(32)}`, reported: false },
} as unknown as StudyRecord
const site = { id: siteId(0), host: { clock: { nowMs: () => 0 } } } as unknown as Site

describe('a look at the keys', { timeout: 10_000 }, () => {
  it('does not wait for bundles that nobody gives, and tells later what came of it', async () => {
    const gone = Promise.withResolvers<never>()
    let asked = 0
    const cutOff = () => {
      asked++
      return gone.promise
    }
    const study = { keys: { holds: () => true, cutOff } } as unknown as Study
    const watch = watchKeys(site)
    await watch.look(record, study, signal)
    await watch.look(record, study, signal)
    assert.equal(asked, 1, 'one at a time')
    gone.reject(new RotaError('ROTA-5509', {}))
    await watch.settled()
    await assert.rejects(watch.look(record, study, signal), { code: 'ROTA-5509' })
    assert.equal(asked, 2)
  })
})
