import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createSystemHost } from '#adapters/host/system-host.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { hostCompliance } from './host.ts'

hostCompliance('in memory', () => {
  const world = SimWorld.create({ seed: 'host compliance', sites: 1 })
  return { host: world.start(world.site(0)).host, stop: () => world.stop() }
})

hostCompliance('this machine', () => {
  const file = join(tmpdir(), `rota-host-${process.pid}.log`)
  const host = createSystemHost({ format: 'json', level: 'debug', file })
  return {
    host,
    stop() {
      host.stop()
      rmSync(file)
    },
  }
})
