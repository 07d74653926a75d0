import type { Hospital } from '../hospital.ts'
import type { Scene } from '../scene.ts'

const START_LIMIT_MS = 40_000

/** Starts nodes, and waits until each says that it runs. @param drill row before which they are to wait */
export async function startNodes({ ear, stage }: Pick<Scene, 'ear' | 'stage'>, hospitals: readonly Hospital[], drill: string | null = null): Promise<void> {
  const since = ear.mark()
  stage.now('the nodes start')
  for (const hospital of hospitals) {
    stage.command(`rota run --folder ${hospital.name}${drill === null ? '' : ` --drill ${drill}`} &`)
    hospital.start(drill)
  }
  await Promise.all(
    hospitals.map((hospital) =>
      ear.wait(
        `the node of ${hospital.name} starts`,
        (heard) => (heard.hospital === hospital && heard.event.event === 'started' ? true : undefined),
        START_LIMIT_MS,
        since,
      ),
    ),
  )
}
