import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { appendFile, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { DifferencingLedger } from '#adapters/cohort/differencing-ledger.ts'
import { openJournal } from '#adapters/journal/file-journal.ts'
import { backUp } from '#app/backup/backup.ts'
import { readBackup, TAKEN } from '#app/backup/backup-file.ts'
import { restoreSite } from '#app/backup/restore.ts'
import { initSite } from '#app/site/init-site.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { digest, roundNo, runId } from '#base/ids.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { rota } from '../cli/rota.ts'

/**
 * Backup and restore
 * given a site with keys, config, mapping, consents and a record of used cohorts
 * ├── its backup holds those and nothing else, whatever else lies in the folder
 * ├── restored into an empty folder, each file is as it was; the node finds a mark, and no journal
 * ├── a mapping outside the folder comes back inside, and the config names it
 * ├── a restore that was killed half-way is done again
 * └── refused, each with one error and nothing written: a wrong password, a damaged file, another site's folder, a newer journal, a folder
 *     that is not empty, a file that exists
 */
const some = digest(`0x${'ab'.repeat(32)}`)
const contributed = (run: number, round: number): JournalEntry => ({
  kind: 'contributed',
  ...{ run: runId(run), round: roundNo(round), base: some, root: some, cid: some, cohortRoot: some },
})

describe('backup and restore', () => {
  let dir: string
  let site: string
  let password: { file: string }
  let made: string
  let count = 0
  const fresh = (): string => join(dir, `fresh-${++count}`)
  const fails = async (doing: Promise<unknown>, code: ErrorCode, details: Record<string, unknown> = {}) =>
    assert.rejects(doing, (error) => {
      assert.ok(isRotaError(error, code), String(error))
      for (const [name, value] of Object.entries(details)) assert.equal(error.details[name], value)
      return true
    })
  const init = async (name: string): Promise<string> => {
    const folder = fresh()
    const data = join(dir, 'rows.csv')
    const mapping = join(dir, 'mapping.yaml')
    await writeFile(data, 'a\n')
    await writeFile(mapping, 'patient: id\n')
    const options = { folder, name, chain: 'ws://127.0.0.1:1', data, mapping, listen: [], announce: [], webPort: 1, password, stewardPassword: undefined }
    await initSite(options)
    await mkdir(sitePaths(folder).state, { recursive: true })
    return folder
  }

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-backup-'))
    password = { file: join(dir, 'password') }
    await writeFile(password.file, 'correct horse\n')
    site = await init('Basel')
    const paths = sitePaths(site)
    await writeFile(paths.consents, 'sealed line\n')
    await writeFile(paths.cohorts, 'sealed line\n')
    await writeFile(paths.desk, 'sealed line\n')
    await writeFile(paths.deskUsers, 'sealed line\n')
    await new DifferencingLedger(paths.differencing).record([some], some, [])
    const journal = await openJournal(paths.journal)
    for (const entry of [contributed(1, 3), contributed(2, 7), contributed(1, 4)]) await journal.append(entry)
    await journal.close()
    made = join(dir, 'basel.backup')
    await backUp({ folder: site, password: null, out: made })
  })
  after(() => rm(dir, { recursive: true }))

  it('takes what is listed and nothing else', async () => {
    const paths = sitePaths(site)
    const secrets = [join(paths.state, 'masks.json'), join(paths.state, 'shares', 'run-1.json'), join(site, 'round-secrets.json'), paths.rounds]
    await mkdir(join(paths.state, 'shares'))
    for (const secret of secrets) await writeFile(secret, 'a secret of one round')
    const out = fresh()
    const answer = await backUp({ folder: site, password: null, out })
    assert.deepEqual(answer.files, [...TAKEN])
    assert.deepEqual(answer.better, [paths.steward, paths.recovery])
    const { files, position } = await readBackup(out, 'correct horse')
    assert.deepEqual([...files.keys()], [...TAKEN])
    assert.deepEqual(Object.fromEntries(position), { 1: 4, 2: 7 })
    for (const [name, bytes] of files) assert.ok(!Buffer.from(bytes).includes('a secret of one round'), name)
    const text = await readFile(out, 'latin1')
    assert.ok(!text.includes(some.slice(2)) && !text.includes('sealed line') && !text.includes(Buffer.from('sealed line').toString('base64')))
    for (const secret of secrets) await rm(secret)
  })

  it('gives a site that is the same, with a mark and no journal', async () => {
    const folder = fresh()
    const answer = await restoreSite({ file: made, folder, password })
    assert.deepEqual([answer.site, answer.missing], ['Basel', []])
    const [was, is] = [sitePaths(site), sitePaths(folder)]
    for (const name of ['card', 'steward', 'recovery', 'consents', 'cohorts', 'differencing'] as const)
      assert.deepEqual(await readFile(is[name]), await readFile(was[name]), name)
    assert.deepEqual(await readFile(join(folder, 'vault.json')), await readFile(join(site, 'vault.json')))
    assert.match(await readFile(is.config, 'utf8'), /mapping: mapping.yaml/)
    assert.equal(await readFile(join(folder, 'mapping.yaml'), 'utf8'), 'patient: id\n')
    assert.deepEqual((await readdir(is.state)).sort(), ['cohorts.log', 'consents.log', 'desk-users.log', 'desk.log', 'differencing.jsonl', 'restored'])
    assert.deepEqual((await readdir(folder)).sort(), ['mapping.yaml', 'recovery.json', 'rota.yaml', 'site.json', 'state', 'steward.json', 'vault.json'])
  })

  it('goes on where a restore was killed, and takes the password file for no content', async () => {
    const folder = fresh()
    await mkdir(folder)
    await copyFile(password.file, join(folder, 'password'))
    await restoreSite({ file: made, folder, password: { file: join(folder, 'password') } })
    await rm(sitePaths(folder).config)
    await writeFile(join(folder, '.restoring'), '')
    await restoreSite({ file: made, folder, password })
    assert.ok(existsSync(sitePaths(folder).config) && !existsSync(join(folder, '.restoring')))
  })

  it('refuses a wrong password and a damaged file', async () => {
    const wrong = { file: join(dir, 'wrong') }
    await writeFile(wrong.file, 'wrong horse\n')
    const folder = fresh()
    await fails(restoreSite({ file: made, folder, password: wrong }), 'ROTA-1301')
    await fails(backUp({ folder: site, password: wrong, out: fresh() }), 'ROTA-1301')
    const whole = await readFile(made, 'utf8')
    const damaged = fresh()
    const flipped = `${whole.slice(0, -40)}${whole.at(-40) === '0' ? '1' : '0'}${whole.slice(-39)}`
    for (const text of [
      '',
      '{}',
      'x',
      whole.slice(0, -100),
      flipped,
      whole.replace('"version":1', '"version":9'),
      whole.replace('"rota":"backup"', '"rota":"vault"'),
    ]) {
      await writeFile(damaged, text)
      await fails(restoreSite({ file: damaged, folder, password }), 'ROTA-1320')
    }
    await fails(restoreSite({ file: join(dir, 'none'), folder, password }), 'ROTA-1320', { reason: 'it cannot be read (ENOENT)' })
    assert.ok(!existsSync(folder))
  })

  it("refuses another site's folder, a newer journal, and whatever is not empty", async () => {
    const other = await init('Zurich')
    await fails(restoreSite({ file: made, folder: other, password }), 'ROTA-1321', { name: 'Basel' })
    await fails(restoreSite({ file: made, folder: site, password }), 'ROTA-1323')
    const journal = await openJournal(sitePaths(site).journal)
    await journal.append(contributed(2, 8))
    await journal.close()
    const before = await readFile(sitePaths(site).journal)
    await fails(restoreSite({ file: made, folder: site, password }), 'ROTA-1322', { run: 2, round: 8 })
    assert.deepEqual(await readFile(sitePaths(site).journal), before)
    const folder = fresh()
    await mkdir(folder)
    await writeFile(join(folder, 'notes.txt'), 'mine')
    await fails(restoreSite({ file: made, folder, password }), 'ROTA-1323', { found: 'notes.txt' })
    assert.deepEqual(await readdir(folder), ['notes.txt'])
    await fails(backUp({ folder: site, password: null, out: made }), 'ROTA-1220')
  })

  it('refuses files that are too large for one', async () => {
    const { consents } = sitePaths(site)
    const before = await readFile(consents)
    await appendFile(consents, new Uint8Array(129 * 2 ** 20))
    await fails(backUp({ folder: site, password: null, out: fresh() }), 'ROTA-1324', { size: 130, limit: 128 })
    await writeFile(consents, before)
  })

  it('both are commands', async () => {
    const [out, folder] = [fresh(), fresh()]
    assert.equal((await rota(['backup', '--folder', site])).code, 2)
    const backup = await rota(['backup', '--folder', site, '--out', out, '--json'])
    assert.equal(JSON.parse(backup.stdout).site, 'Basel')
    const restored = await rota(['restore', out, '--folder', folder, '--password-file', password.file])
    assert.match(restored.stdout, /Basel is in .* again[\s\S]*rota doctor/)
    assert.equal((await rota(['restore', out, '--folder', folder, '--password-file', password.file])).code, 2)
  })
})
