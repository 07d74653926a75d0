import { execFileSync } from 'node:child_process'
import { mkdir, statfs, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { makeHospitals } from '../support/hospitals.ts'
import { generatedStudy } from '../support/studies.ts'
const limits = Object.fromEntries(['keying', 'contributing', 'witnessing', 'publishing', 'attesting'].map((phase) => [phase, { seconds: 7, blocks: 7 }])) as never
const study = generatedStudy({ sites: 3, rows: 45, change: { limits, minSites: 2, quorum: 2 } })
it('x', async () => {
  const h = await makeHospitals(study.sites, study.cohort.label.name)
  const state = join(h.folders[2] as string, 'state')
  await mkdir(state, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', state])
  try {
    await h.startAll()
    const id = await h.publish(study.protocol)
    const fill = async (leave: number) => { const { bavail, bsize } = await statfs(state); await writeFile(join(state, 'ballast'), new Uint8Array(Math.max(0, bavail * bsize - leave))) }
    for (const leave of [1_000_000, 0]) {
      await fill(leave)
      const t = Date.now()
      const run = await h.openRun(id)
      const over = await Promise.all([0, 1].map((i) => h.nodes[i]?.until((e) => e.event === 'run-over' && e.run === run, 90_000)))
      console.log(leave, over.map((e: any) => e.state), Date.now() - t, 'ms')
      console.log('full node:', h.nodes[2]?.said().slice(-2500))
      await unlink(join(state, 'ballast'))
    }
    const run = await h.openRun(id)
    const over = await Promise.all([0, 1, 2].map((i) => h.nodes[i]?.until((e) => e.event === 'run-over' && e.run === run, 60_000)))
    const rounds = (h.nodes[0]?.events ?? []).flatMap((e: any) => (e.event === 'round' && e.story.run === run ? [e.story.included] : []))
    console.log(over.map((e: any) => e.state), JSON.stringify(rounds))
  } finally {
    await Promise.all(h.nodes.map((n) => n?.end('SIGKILL')))
    execFileSync('umount', ['-l', state])
    await h.stop()
  }
})
