/**
 * The programs in docs/withdraw.md, run as they stand there against a real chain
 * given two receipts that a site countersigned
 * ├── the check says that the site signed it, and that an altered one is not whole
 * ├── a key without money withdraws by itself; once more changes nothing
 * ├── what is signed in one place is sent from another by anybody
 * └── an altered receipt withdraws nothing; a replay is refused by the contract
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { address } from '#base/ids.ts'
import { programmeId } from '#patient/keys.ts'
import { domainOf } from '#patient/receipt.ts'
import { isSigned, readWithdrawal } from '#patient/withdrawal.ts'
import { anvilWorld } from '../../compliance/ethers-world.ts'
import { receiptOf, SIGNER } from '../patient/receipts.ts'
import { secretOf } from '../patient/support.ts'

const ROOT = new URL('../../../', import.meta.url)
const page = readFileSync(new URL('docs/withdraw.md', ROOT), 'utf8')

/** Blocks that begin with `// name.mjs`. */
const programs = new Map(
  page
    .split('```js\n')
    .slice(1)
    .map((rest) => rest.split('```', 1)[0] as string)
    .map((code) => [/^\/\/ ([\w-]+\.mjs)/.exec(code)?.[1] ?? '', code]),
)

describe('docs/withdraw.md', { timeout: 60_000 }, () => {
  let world: Awaited<ReturnType<typeof anvilWorld>>
  let dir: string
  const file = (name: string) => join(dir, name)

  before(async () => {
    world = await anvilWorld(1)
    mkdirSync(new URL('.cache', ROOT), { recursive: true })
    // Inside the tree, so that the programs find ethers.
    dir = mkdtempSync(new URL('.cache/withdraw-', ROOT).pathname)
    for (const [name, code] of programs) writeFileSync(file(name), code)
    const { link } = world.chains[0] ?? assert.fail()
    const network = { chainId: Number(link.chainId), contracts: world.contracts, consentRegistry: address(link.addresses.ConsentRegistry) }
    for (const name of ['Ann', 'Bob']) writeFileSync(file(name), JSON.stringify(receiptOf({ secret: secretOf(name), network }), null, 2))
  })
  after(async () => {
    rmSync(dir, { recursive: true, force: true })
    await world?.stop()
  })

  async function run<T>(program: string, ...args: readonly string[]): Promise<T> {
    const { stdout } = await promisify(execFile)(process.execPath, [file(program), ...args], { timeout: 20_000 })
    return JSON.parse(stdout) as T
  }
  const receipt = (name: string) => JSON.parse(readFileSync(file(name), 'utf8')) as ReturnType<typeof receiptOf>
  const isWithdrawn = (name: string) => world.chains[0]?.isWithdrawn(programmeId('cardio'), receipt(name).tag)

  it('holds the programs that are run here', () => assert.deepEqual([...programs.keys()].sort(), ['check.mjs', 'send.mjs', 'sign.mjs', 'withdraw.mjs']))

  it('checks who countersigned a receipt, and that it is whole', async () => {
    assert.deepEqual(await run('check.mjs', file('Ann')), { whole: true, by: SIGNER.account, account: SIGNER.account })
    writeFileSync(file('altered'), readFileSync(file('Ann'), 'utf8').replace('Northern', 'Southern'))
    assert.equal((await run<{ whole: boolean }>('check.mjs', file('altered'))).whole, false)
  })

  it('withdraws with the key alone, which has no money; once more changes nothing', async () => {
    assert.equal(await isWithdrawn('Ann'), false)
    const done = await run<{ tag: string; block: number }>('withdraw.mjs', file('Ann'), world.devChain.httpUrl)
    assert.equal(done.tag, receipt('Ann').tag)
    assert.ok(done.block > 0 && (await isWithdrawn('Ann')))
    assert.deepEqual(await run('withdraw.mjs', file('Ann'), world.devChain.httpUrl), done)
  })

  it('signs in one place and sends from another', async () => {
    writeFileSync(file('withdrawal.json'), JSON.stringify(await run('sign.mjs', file('Bob'))))
    const signed = readWithdrawal(JSON.parse(readFileSync(file('withdrawal.json'), 'utf8'))) ?? assert.fail()
    const { network } = receipt('Bob')
    assert.ok(isSigned(signed, domainOf(network)))
    const send = () => run<{ block: number }>('send.mjs', file('withdrawal.json'), world.devChain.httpUrl, network.consentRegistry)
    assert.ok((await send()).block > 0 && (await isWithdrawn('Bob')))
    await assert.rejects(send(), /revert/, 'a replay')
  })

  it('withdraws nothing with a secret that was altered', async () => {
    const { secret, ...rest } = receipt('Ann')
    writeFileSync(file('altered'), JSON.stringify({ ...rest, secret: `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}` }))
    const done = await run<{ tag: string }>('withdraw.mjs', file('altered'), world.devChain.httpUrl)
    assert.notEqual(done.tag, rest.tag, 'a tag that nobody was ever granted')
  })
})
