import type { Alone } from '#app/results/results.ts'
import { isRotaError } from '#base/errors.ts'
import type { LearnerTools } from '#core/learner/learner.ts'
import { problemError } from '#core/learner/problem.ts'
import { rehearse } from '#core/learner/rehearse.ts'
import type { Model } from '#core/model/model.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { sha256 } from '../sha256.ts'
import { metricsOf, scored } from './simulate-metrics.ts'

/**
 * What each site would have without the others: the same learner on its own rows, judged on its own and on everybody's test rows.
 * @param scaled the joint run's model after its moments: features stay on the pooled scale, so that a penalty weighs the same
 */
export async function trainAlone(
  protocol: Protocol,
  tables: ReadonlyMap<string, SplitTable>,
  scaled: Model,
  tools: LearnerTools,
): Promise<Readonly<Record<string, Alone>>> {
  const alone: Record<string, Alone> = {}
  for (const [site, table] of tables) {
    tools.signal.throwIfAborted()
    alone[site] = await judged(protocol, tables, site, table, await fitAlone(protocol, site, table, scaled, tools))
  }
  return alone
}

type Fit = { readonly model: Model } | { readonly problem: string }

async function fitAlone(protocol: Protocol, site: string, table: SplitTable, start: Model, tools: LearnerTools): Promise<Fit> {
  try {
    const { final } = await rehearse(protocol, { [site]: table }, { ...tools, sha256, random: new Seeded(0), start })
    const problem = problemError(final)
    return problem === null ? { model: final } : { problem: `${problem.code} ${problem.message}` }
  } catch (error) {
    if (!isRotaError(error)) throw error
    return { problem: `${error.code} ${error.message}` }
  }
}

function judged(protocol: Protocol, tables: ReadonlyMap<string, SplitTable>, site: string, table: SplitTable, fit: Fit): Alone {
  if ('problem' in fit) {
    const none = (n: number) => ({ ...metricsOf(protocol, []), n })
    return {
      pooled: none([...tables.values()].reduce((sum, { test }) => sum + test.rows, 0)),
      own: none(tables.get(site)?.test.rows ?? 0),
      problem: fit.problem,
    }
  }
  const score = (other: SplitTable) => scored(fit.model, protocol, other.test, table.train)
  return { pooled: metricsOf(protocol, [...tables.values()].map(score)), own: metricsOf(protocol, [score(table)]) }
}
