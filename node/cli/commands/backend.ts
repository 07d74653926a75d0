import type { BackendReport } from '#app/backend.ts'
import { seconds, significant } from '#base/format.ts'
import type { Style } from '#cli/output/style.ts'
import { table } from '#cli/output/table.ts'
import { command } from '../command-file.ts'
import { choice } from '../options.ts'

export const backend_list = command({
  name: 'backend list',
  group: 'Site',
  summary: 'list the ways to train neural networks that this machine offers',
  description: 'Each is loaded, checked against stored answers and timed on a small clinical network. Training takes the fastest that passes.',
  options: {},
  example: 'rota backend list',
  async run({ out }) {
    const { backendReports, fastest } = await import('#app/backend.ts')
    const reports = await backendReports()
    const chosen = fastest(reports)?.name ?? null
    out.result({ chosen, backends: reports }, () => backendTable(reports, chosen, out.style))
  },
})

export const backend_test = command({
  name: 'backend test',
  group: 'Site',
  summary: 'check each backend against stored answers, test by test',
  options: {},
  example: 'rota backend test',
  async run({ out }) {
    const { testBackends, fastest } = await import('#app/backend.ts')
    const reports = await testBackends()
    const chosen = fastest(reports)?.name ?? null
    out.result({ chosen, backends: reports }, () => [backendTable(reports, chosen, out.style), '', testTable(reports, out.style)].join('\n'))
  },
})

export const backend_install = command({
  name: 'backend install',
  group: 'Site',
  summary: 'fetch the native part of TensorFlow.js (about 400 MB for gpu)',
  description:
    "Runs the package's own installer, which downloads from its maker's host. Nothing of it happens at npm install. Where the host is out of reach, see docs/operating.md.",
  options: { kind: choice(['gpu', 'cpu'], 'for CUDA, or for the processor', 'gpu') },
  example: 'rota backend install --kind gpu',
  async run({ options, out, signal }) {
    const { installBackend } = await import('#app/backend.ts')
    const progress = out.progress(`Installing the ${options.kind} backend`)
    try {
      await installBackend(options.kind, (line) => progress.update(line), signal)
    } finally {
      progress.done()
    }
    out.result({ installed: options.kind }, () => 'Installed. `rota backend list` shows what it gains here.')
  },
})

const backendTable = (reports: readonly BackendReport[], chosen: string | null, style: Style): string =>
  table(
    ['backend', 'usable', 'self-test', 'a step takes', 'device', 'why not'],
    reports.map(({ name, usable, selfTests, msPerStep, device, reason }) => [
      name === chosen ? style.good(`${name} (taken)`) : name,
      usable ? 'yes' : 'no',
      selfTests.length === 0 ? null : `${selfTests.filter(({ passed }) => passed).length} of ${selfTests.length}`,
      msPerStep === null ? null : seconds(msPerStep / 1000).replace(/^0 ms$/, `${msPerStep.toFixed(2)} ms`),
      device === '' ? null : device,
      reason === '' ? null : reason,
    ]),
    style,
  )

const testTable = (reports: readonly BackendReport[], style: Style): string =>
  table(
    ['backend', 'test', 'result', 'largest difference'],
    reports.flatMap(({ name, selfTests }) =>
      selfTests.map((test) => [name, test.name, test.passed ? style.good('ok') : style.bad('differs'), significant(test.error, 2)]),
    ),
    style,
  )
