import { table } from '#cli/output/table.ts'
import { must } from '../demo-error.ts'
import { type ModelAnswer, showModel, worthCells, worthOf } from '../model-answer.ts'
import type { NeuralResult } from '../results.ts'
import { openRun } from '../rounds.ts'
import type { Network, Scene, Studies } from '../scene.ts'
import { startNodes } from './start-nodes.ts'

/**
 * Act 4. A small neural network by FedAvg, trained off the main thread. While its results are read, the node that act 5 will kill is started
 * again, so that it waits before its next publication.
 */
export async function actNeural(scene: Scene, network: Network, { neural }: Studies, nextVictim: number): Promise<NeuralResult> {
  const { stage, ear } = scene
  stage.act(4, 'Neural training', 'Each hospital trains a small network on its own rows; rounded updates are averaged by rows, as integers.')
  const backends = new Map<string, string>()
  const unlisten = ear.listen(({ hospital, event }) => {
    if (event.event === 'progress' && event.progress.kind === 'contributed' && event.progress.backend !== null)
      backends.set(hospital.name, event.progress.backend)
  })
  const opened = await openRun(scene, network, neural)
  const run = await opened.over()
  unlisten()
  must(run.state === 'Finished', `run ${run.run} is ${run.state}, not finished`)
  must(backends.size === network.hospitals.length, 'not every node named the backend that it trains with')
  stage.good(`trained with TensorFlow.js beside each node's main thread, backend ${backendText(backends)}`)

  const victim = network.hospitals[nextVictim]
  must(victim !== undefined, 'there is no such hospital')
  const [answers] = await Promise.all([
    Promise.all(network.hospitals.map((hospital) => showModel(scene, run.run, hospital))),
    victim.stop().then(() => startNodes(scene, [victim], 'publish')),
  ])
  stage.line()
  const sites = Object.fromEntries(
    network.hospitals.map(({ name }, i) => [name, worthOf((answers[i] as ModelAnswer).test?.sites[name] ?? { n: 0, accuracy: null, auc: null })]),
  )
  const rows = Object.entries(sites).map(([name, worth]) => [name, worth.n, ...worthCells(worth)])
  const pooled = answers[0]?.test?.pooled
  if (pooled !== undefined) rows.push(['all together', pooled.n, ...worthCells(pooled)])
  for (const line of table(['hospital', 'test rows', 'accuracy', 'AUC'], rows, stage.style).split('\n')) stage.line(`   ${line}`)
  return { ...run, backends: Object.fromEntries(backends), weights: answers[0]?.weights ?? 0, sites }
}

/** Each node takes the fastest that passes its self-test: mostly, but not always, the same one. */
function backendText(backends: ReadonlyMap<string, string>): string {
  const kinds = Map.groupBy([...backends], ([, backend]) => backend)
  return kinds.size === 1 ? ([...kinds.keys()][0] ?? '') : [...kinds].map(([backend, at]) => `${backend} at ${at.map(([name]) => name).join(', ')}`).join('; ')
}
