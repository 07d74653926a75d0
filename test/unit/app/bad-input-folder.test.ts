import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, statfs, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { ConsentStore } from '#adapters/cohort/consent-store.ts'
import { DifferencingLedger } from '#adapters/cohort/differencing-ledger.ts'
import { openJournal } from '#adapters/journal/file-journal.ts'
import { lockFolder } from '#adapters/journal/folder-lock.ts'
import { logged, logWentBack } from '#app/node/log-trouble.ts'
import { startNode } from '#app/node/node.ts'
import { initSite } from '#app/site/init-site.ts'
import { openSiteFolder, sitePaths } from '#app/site/site-folder.ts'
import { type ErrorCode, isRotaError, type RotaError } from '#base/errors.ts'
import { type Digest, roundNo, runId, siteId, ZERO_DIGEST } from '#base/ids.ts'
import type { LogFields } from '#ports/host.ts'
import type { Progress } from '#round/progress.ts'
import { keyed } from '../cohort/support.ts'

// given a site's folder
// ├── when the node is started with a wrong password or none, ROTA-1301 or 1308, and the folder stays as it was
// ├── when another process works in it, ROTA-1307, and that one's lock stays
// ├── when its state cannot be made, because a file is in the way, ROTA-1306
// └── given a full disk
//     ├── a site can be neither made nor opened, with ROTA-1306, and nothing half-written stays
//     └── journal, consents and the ledger of cohorts keep what they had, refuse what is new with ROTA-1306, and take it once there is room

const FEW_BYTES = 512 * 1024
let dir: string
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rota-folder-'))
  await writeFile(join(dir, 'password'), 'correct horse\n')
  await writeFile(join(dir, 'wrong'), 'battery staple\n')
})
after(() => rm(dir, { recursive: true, force: true }))

const init = (folder: string) =>
  initSite({
    folder,
    name: 'Basel',
    chain: 'ws://127.0.0.1:1',
    data: join(dir, 'rows.csv'),
    mapping: undefined,
    listen: [],
    announce: [],
    webPort: 0,
    password: { file: join(dir, 'password') },
    stewardPassword: undefined,
  })
const start = (folder: string, password: string | null = null) =>
  startNode({
    folder,
    password: password === null ? null : { file: join(dir, password) },
    log: { format: 'json', level: 'error' },
    tell: () => undefined,
    signal: AbortSignal.timeout(10_000),
  })
async function fails(work: Promise<unknown>, code: ErrorCode): Promise<RotaError> {
  const error = await work.then(
    () => assert.fail(`no ${code}`),
    (error: unknown) => error,
  )
  return isRotaError(error, code) ? error : assert.fail(`${String(error)} is not ${code}`)
}
const filesIn = async (folder: string) => (await readdir(folder, { recursive: true })).sort()

describe("a site's folder", () => {
  it('does not open with a wrong password, and is left as it was', async () => {
    const folder = join(dir, 'password-site')
    await init(folder)
    const before = await filesIn(folder)
    const wrong = await fails(start(folder, 'wrong'), 'ROTA-1301')
    assert.ok(wrong.message.includes(join(folder, 'vault.json')))
    await fails(start(folder, 'no such file'), 'ROTA-1308')
    assert.deepEqual(await filesIn(folder), before)
  })

  it('lets no second node in, and the first one keeps its lock', async () => {
    const folder = join(dir, 'locked-site')
    await init(folder)
    await mkdir(sitePaths(folder).state)
    const lock = await lockFolder(sitePaths(folder).state)
    const held = await readFile(join(sitePaths(folder).state, 'node.lock'), 'utf8')
    const second = await fails(start(folder), 'ROTA-1307')
    assert.ok(second.message.includes(String(process.pid)) && second.message.includes(folder))
    assert.equal(await readFile(join(sitePaths(folder).state, 'node.lock'), 'utf8'), held)
    await lock.release()
    await fails(start(folder), 'ROTA-1203')
    assert.equal(existsSync(join(sitePaths(folder).state, 'node.lock')), false, 'what failed later gave the lock back')
  })

  it('says so when something is in the way of its state', async () => {
    const folder = join(dir, 'blocked-site')
    await init(folder)
    await writeFile(sitePaths(folder).state, 'a file')
    await fails(openSiteFolder(folder, null), 'ROTA-1306')
    assert.equal(await readFile(sitePaths(folder).state, 'utf8'), 'a file')
    await fails(init(join(sitePaths(folder).state, 'below a file')), 'ROTA-1306')
  })
})

describe('a full disk', () => {
  let disk: string
  let mounted = false
  before(async () => {
    disk = join(dir, 'small disk')
    await mkdir(disk)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${FEW_BYTES}`, 'tmpfs', disk], { stdio: 'ignore' })
      mounted = true
    } catch {}
  })
  after(() => {
    if (mounted) execFileSync('umount', ['-l', disk])
  })
  const onDisk = (what: string, test: () => Promise<void>) =>
    it(what, (t: TestContext) => (mounted ? test() : t.skip('only root on Linux can mount a small disk')))

  /** Takes all room that is left, to the last page; gives it back. */
  async function fill(): Promise<() => Promise<void>> {
    const ballast = join(disk, 'ballast')
    const { bavail, bsize } = await statfs(disk)
    await writeFile(ballast, new Uint8Array(bavail * bsize))
    return () => unlink(ballast)
  }

  onDisk('makes no site, and none by halves', async () => {
    const empty = await fill()
    const folder = join(disk, 'site')
    await fails(init(folder), 'ROTA-1306')
    assert.deepEqual(await readdir(folder), [])
    await empty()
    await init(folder)
    assert.deepEqual((await readdir(folder)).sort(), ['recovery.json', 'rota.yaml', 'site.json', 'steward.json', 'vault.json'])
    await rm(folder, { recursive: true })
  })

  onDisk('keeps what was written, and takes the rest once there is room', async () => {
    const vault = keyed('full')
    const digest = (byte: number): Digest => `0x${byte.toString(16).padStart(2, '0').repeat(32)}` as Digest
    const entry = (round: number) => ({ kind: 'abstained' as const, run: runId(1), round: roundNo(round), reason: 'x'.repeat(3_000) })
    const consent = (id: number) => ({ kind: 'withdrawn' as const, programme: 'p'.repeat(3_000), patient: digest(id), tag: null, at: '2026-01-01' })
    const cohort = (id: number) => Array.from({ length: 40 }, (_, i) => digest(id * 50 + i))

    const journal = await openJournal(join(disk, 'journal'))
    const consents = new ConsentStore(join(disk, 'consents'), vault)
    const ledger = new DifferencingLedger(join(disk, 'ledger'))
    const add = async (n: number) => {
      await journal.append(entry(n))
      await consents.append([consent(n)])
      await ledger.record(cohort(n), ZERO_DIGEST, [])
    }
    await add(1)
    const texts = () => Promise.all(['journal', 'consents', 'ledger'].map((file) => readFile(join(disk, file), 'latin1')))
    const before = await texts()
    const empty = await fill()
    await fails(journal.append(entry(2)), 'ROTA-1306')
    await fails(consents.append([consent(2)]), 'ROTA-1306')
    await fails(ledger.record(cohort(2), ZERO_DIGEST, []), 'ROTA-1306')
    assert.deepEqual(await texts(), before)
    assert.deepEqual((await readdir(disk)).sort(), ['ballast', 'consents', 'journal', 'ledger'], 'nothing half-written, no lock left')
    await empty()
    await add(2)
    await journal.close()
    const again = await openJournal(join(disk, 'journal'))
    assert.deepEqual(
      again.entries().map((e) => e.round),
      [1, 2],
    )
    await again.close()
    assert.equal((await new ConsentStore(join(disk, 'consents'), vault).standings('p'.repeat(3_000))).size, 2)
    assert.deepEqual(await ledger.mayJoin(cohort(2), []), { ok: true })
  })
})

describe('what a node goes on from is in its log, with a code', () => {
  it('a chain that went back, a wrong sum of another site, a sum that stays masked', () => {
    const lines: { event: string; fields: LogFields }[] = []
    const log = { info() {}, error() {}, debug() {}, warn: (event: string, fields: LogFields = {}) => void lines.push({ event, fields }) }
    const told: Progress[] = []
    logWentBack(log, { from: 9, to: 7 })
    const progress: Progress = { kind: 'wrong-sum', run: runId(1), round: roundNo(3), publisher: siteId(2) }
    const masked: Progress = { kind: 'stays-masked', run: runId(1), round: roundNo(3), sites: [siteId(4), siteId(6)] }
    for (const each of [progress, masked]) logged(log, (p) => told.push(p))(each)
    assert.deepEqual(told, [progress, masked])
    assert.deepEqual(
      lines.map(({ fields }) => fields['code']),
      ['ROTA-5012', 'ROTA-5507', 'ROTA-2335'],
    )
    assert.match(String(lines[0]?.fields['what']), /from block 9 to 7/)
    assert.match(String(lines[1]?.fields['what']), /site 2/)
    assert.match(String(lines[2]?.fields['what']), /site 4, 6/)
  })
})
