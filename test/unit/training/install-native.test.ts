import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { installNative } from '#adapters/training/install-native.ts'
import { findNative } from '#adapters/training/native-package.ts'
import { isRotaError } from '#base/errors.ts'

const name = '@tensorflow/tfjs-node-gpu'
const own = findNative(name, null).folder
const missing = own === null ? `${name} is not installed (it is optional)` : false
if (missing) console.log(`skipped: ${missing}`)

it('says that the package is not there', async () => {
  await assert.rejects(installNative({ package: '@tensorflow/tfjs-node', from: tmpdir() }), (error) => isRotaError(error, 'ROTA-3055'))
})

it('says that the installer cannot reach its host, and what else there is; a native part that was there stays', {
  skip: missing,
  timeout: 30_000,
}, async () => {
  const project = await mkdtemp(join(tmpdir(), 'rota-native-'))
  try {
    // A copy of the package, so that the one in use stays as it is; its own dependencies are linked.
    const copy = join(project, 'node_modules', name)
    await cp(own as string, copy, { recursive: true })
    const modules = join(own as string, '..', '..')
    for (const dependency of Object.keys(JSON.parse(await readFile(join(copy, 'package.json'), 'utf8')).dependencies)) {
      await mkdir(join(project, 'node_modules', dependency, '..'), { recursive: true })
      await symlink(join(modules, dependency), join(project, 'node_modules', dependency), 'dir').catch(() => undefined)
    }
    const lines: string[] = []
    const closedPort = { TFJS_NODE_BASE_URI: 'https://127.0.0.1:9/libtensorflow-', HTTPS_PROXY: '', https_proxy: '' }
    await assert.rejects(
      installNative({ from: project, env: closedPort, onLine: (line) => lines.push(line) }),
      (error) => isRotaError(error, 'ROTA-3054') && /docs/.test(error.remedy) && /ECONN|fail/i.test(String(error.details['reason'])),
    )
    assert.ok(lines.some((line) => /Downloading/.test(line)))
    assert.ok(!existsSync(join(copy, 'lib')), 'a failed one leaves no addon')

    // The installer deletes the library before it knows whether it can bring another.
    const [library, addon] = [join(copy, 'deps', 'lib'), join(copy, 'lib', 'napi-v8')]
    for (const folder of [library, addon]) await mkdir(folder, { recursive: true })
    await writeFile(join(library, 'libtensorflow.so'), 'the one that works')
    await writeFile(join(addon, 'tfjs_binding.node'), 'an addon')
    await assert.rejects(installNative({ from: project, env: closedPort }), (error) => isRotaError(error, 'ROTA-3054'), 'an addon of before is no success')
    assert.equal(await readFile(join(library, 'libtensorflow.so'), 'utf8'), 'the one that works')
    assert.ok(existsSync(join(addon, 'tfjs_binding.node')) && !existsSync(join(copy, 'deps.before')) && !existsSync(join(copy, 'lib.before')))
  } finally {
    await rm(project, { recursive: true, force: true })
  }
})
