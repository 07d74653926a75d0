import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readOptions, replayCommand } from '../../../scripts/chaos/options.ts'

describe('the options of chaos', () => {
  it('have usual values', () => {
    const { threads, ...usual } = readOptions([]) ?? { threads: 0 }
    assert.ok(threads >= 1)
    assert.deepEqual(usual, { seeds: 500, from: 1, sites: undefined, mode: 'open', study: undefined, json: false, replay: undefined })
  })

  it('are read', () =>
    assert.deepEqual(readOptions(['--seeds', '7', '--from', '3', '--sites', '5', '--study', 'fit', '--json', '--threads', '1']), {
      ...{ seeds: 7, from: 3, sites: 5, mode: 'open', study: 'fit', json: true, replay: undefined, threads: 1 },
    }))

  it('say how the studies of the seeds are summed', () => {
    assert.equal(readOptions(['--masked'])?.mode, 'masked')
    assert.equal(readOptions(['--groups', '--sites', '20'])?.mode, 'groups')
  })

  it('are all said again where a seed is to be played again', () => {
    for (const words of [[], ['--sites', '5'], ['--masked', '--study', 'fit'], ['--groups', '--sites', '20', '--study', 'large']]) {
      const options = readOptions(words) ?? assert.fail()
      const command = replayCommand(27, options)
      assert.equal(command, `npm run -s chaos -- ${[...words, '--replay', '27'].join(' ')}`)
      assert.deepEqual(readOptions(command.split(' ').slice(5)), { ...options, replay: 27 })
    }
  })

  it('name a number that cannot be', () => {
    for (const bad of [
      ['--seeds', '0'],
      ['--seeds', 'many'],
      ['--seeds', ''],
      ['--sites', '3'],
      ['--sites', '10'],
      ['--groups', '--sites', '25'],
      ['--from', '1.5'],
      ['--study', 'most'],
      ['--replay', '-1'],
      ['--nothing'],
    ])
      assert.throws(() => readOptions(bad), TypeError, bad.join(' '))
  })

  it('may ask for help', () => assert.equal(readOptions(['--help']), null))
})
