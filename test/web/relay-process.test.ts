import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Address } from '#base/ids.ts'
import type { Place, Taken, WithdrawalState } from '#patient/portal-api.ts'
import { consentDomain } from '#patient/typed-data.ts'
import { signWithdrawal } from '#patient/withdrawal.ts'
import { type Hospitals, makeHospitals } from '../support/hospitals.ts'
import { generatedStudy } from '../support/studies.ts'
import { rota } from '../unit/cli/rota.ts'
import { PROGRAMME, publishTerms, termsWith } from './patient-world.ts'

// given a chain with a programme's terms, and commands as people start them
// ├── rota relay takes a withdrawal, is killed, and puts it on chain when it is started again, as it promised
// └── rota portal serves a site beside its node: it says who it is, and a second one for the same site is refused

const BIN = 'node/cli/bin.mjs'

describe('relay and portal in processes of their own', { timeout: 120_000 }, () => {
  let hospitals: Hospitals
  const started: ChildProcess[] = []

  before(async () => {
    const { sites, cohort } = generatedStudy({ sites: 1, rows: 20 })
    hospitals = await makeHospitals(sites, cohort.label.name)
    await publishTerms(hospitals, termsWith(['https://portal.example']))
    await writeFile(join(hospitals.dir, 'relay.pw'), 'a relay of patients\n', { mode: 0o600 })
  })
  after(async () => {
    for (const child of started) child.kill('SIGKILL')
    await hospitals?.stop()
  })

  /** Starts a command that serves; its address, once it listens. */
  async function serve(words: readonly string[]): Promise<{ readonly child: ChildProcess; readonly url: string; readonly told: Record<string, string> }> {
    const child = spawn(process.execPath, [BIN, ...words, '--listen', '127.0.0.1:0', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] })
    started.push(child)
    for await (const line of createInterface({ input: child.stdout })) {
      const told = JSON.parse(line) as Record<string, string>
      if (told['event'] === 'started') return { child, url: told['url'] ?? '', told }
    }
    throw new Error(`${words.join(' ')} ended`)
  }
  const relayWords = () => {
    const { dir, chain, contracts } = hospitals
    const files = ['--keystore', join(dir, 'relay.json'), '--password-file', join(dir, 'relay.pw'), '--folder', join(dir, 'relay')]
    return ['relay', '--chain', chain.url, '--contracts', contracts, ...files, '--longest-delay', '4', '--log-format', 'json']
  }
  const get = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T

  it('a relay that is killed keeps the word that it gave', async () => {
    const first = await serve(relayWords())
    const { network, site, relay, programmes } = await get<Place>(`${first.url}/api/place`)
    assert.deepEqual([site, relay, programmes.map(({ name }) => name)], [null, first.told['account'], [PROGRAMME]])
    const withdrawal = signWithdrawal(new Uint8Array(16).fill(3), PROGRAMME, consentDomain(BigInt(network.chainId), network.consentRegistry))
    const answer = await fetch(`${first.url}/api/withdrawals`, { method: 'POST', body: JSON.stringify(withdrawal) })
    const word = (await answer.json()) as Taken
    assert.deepEqual([answer.status, word.state], [202, 'waiting'])
    first.child.kill('SIGKILL')
    await once(first.child, 'close')

    const second = await serve(relayWords())
    assert.equal((await get<Place>(`${second.url}/api/place`)).relay, relay as Address)
    const state = () => get<WithdrawalState>(`${second.url}/api/withdrawals/${withdrawal.programme}/${withdrawal.tag}`)
    for (const end = Date.now() + 30_000; Date.now() < end && (await state()).state !== 'on chain'; ) await sleep(200)
    assert.equal((await state()).state, 'on chain')
    second.child.kill('SIGTERM')
    assert.deepEqual(await once(second.child, 'close'), [0, null])
  })

  it('a portal serves its site beside the node; a second one is refused', async () => {
    const words = ['portal', '--folder', hospitals.folders[0] as string, '--log-format', 'json']
    const { child, url } = await serve(words)
    const place = await get<Place>(`${url}/api/place`)
    assert.deepEqual([place.site?.id, place.portals], [0, ['https://portal.example']])
    assert.match(await (await fetch(url)).text(), /<script defer src="page.js">/)
    const refused = await rota([...words, '--json'])
    const { error } = JSON.parse(refused.stdout || refused.stderr)
    assert.deepEqual([refused.code, error.code], [4, 'ROTA-6518'])
    assert.ok(error.what.startsWith(`another portal or relay (process ${child.pid}) serves from `), error.what)
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'close'), [0, null])
  })
})
