import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkConfig } from '#app/site/config.ts'
import { RotaError } from '#base/errors.ts'

const TEXT = 'name: Basel\nchain: wss://chain.example.org\ncontracts: ""\ndata:\n  file: patients.csv\n'

const fault = (text: string): RotaError => {
  try {
    checkConfig(text, 'rota.yaml')
  } catch (error) {
    assert.ok(error instanceof RotaError)
    return error
  }
  return assert.fail('taken as it is')
}

describe('a config', () => {
  it('is taken, with its defaults', () => assert.deepEqual(checkConfig(TEXT, 'rota.yaml').listen, []))

  it('with a wrong key names it, its line and the nearest right one, nested ones too', () => {
    const { code, details } = fault(TEXT.replace('  file:', '  fiel: x\n  file:'))
    assert.deepEqual([code, details.key, details.line, details.nearest], ['ROTA-3042', 'fiel', 5, 'file'])
  })

  it('with a wrong value names it and its line', () => {
    const { code, details } = fault(TEXT.replace('wss://chain.example.org', 'chain.example.org'))
    assert.deepEqual([code, details.path, details.line], ['ROTA-3043', 'chain', 2])
  })

  it('lets a portal take as many requests from one address as its patients need, and never too few for a proof', () => {
    const portal = (more: string) => `${TEXT}portal:\n  listen: 127.0.0.1:0\n${more}`
    const most = (more = '') => checkConfig(portal(more), 'rota.yaml').portal?.requestsPerMinute
    assert.deepEqual([most(), most('  requestsPerMinute: 3000\n')], [300, 3000])
    for (const wrong of [59, 100_001, 60.5]) {
      const { code, details } = fault(portal(`  requestsPerMinute: ${wrong}\n`))
      assert.deepEqual([code, details.path, details.line], ['ROTA-3043', 'portal.requestsPerMinute', 8])
    }
  })

  it('that is no YAML says so', () => assert.equal(fault('name: [').code, 'ROTA-3041'))
})
